// Maps events to operations (spec: sysflow-semantics, section 5).
#pragma once

#include <cstdint>

#include "state/engine.h"
#include "sysflow/records.h"

namespace sfkit::sysflow {

inline constexpr uint32_t kFileEventOps =
    kOpMkdir | kOpRmdir | kOpLink | kOpUnlink | kOpSymlink | kOpRename;
inline constexpr uint32_t kProcessOps = kOpClone | kOpExec | kOpExit | kOpSetuid;

// The operation of event `code`, 0 for none. `compat`: only events known to collector 0.7, with
// mmap counted on entry.
uint32_t op_of(uint16_t code, bool compat);

// Calls `visit(const Context&, uint32_t op)` for each operation of an event: for a transfer once
// for each of its descriptors, else once.
template <typename Visit>
void each_operation(const state::Context& context, uint32_t op, Visit visit) {
  if (op != kOpTransfer) return visit(context, op);
  if (context.call == nullptr || context.thread == nullptr) return;
  using scap::P;
  struct Side {
    P name;
    uint32_t op;
  };
  static constexpr Side kSides[] = {{P::in_fd, kOpReadRecv},   {P::fd_in, kOpReadRecv},
                                    {P::fdin, kOpReadRecv},    {P::out_fd, kOpWriteSend},
                                    {P::fd_out, kOpWriteSend}, {P::fdout, kOpWriteSend}};
  state::DescriptorTable* const table = context.thread->table();
  for (const Side& side : kSides) {
    const Bytes number = context.call->get(side.name);
    if (number.empty()) continue;
    state::Context part = context;
    part.fd = scap::to_int(number, -1);
    part.slot = table == nullptr ? nullptr : table->find(part.fd);
    // Fields show this descriptor.
    part.has_shown_fd = true;
    part.shown_fd = part.fd;
    part.shown_slot = part.slot;
    visit(part, side.op);
  }
}

}  // namespace sfkit::sysflow
