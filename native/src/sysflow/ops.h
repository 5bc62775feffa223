// Maps events to operations (spec: sysflow-semantics, section 5).
#pragma once

#include <cstdint>

#include "state/engine.h"
#include "sysflow/records.h"

namespace sfkit::sysflow {

inline constexpr uint32_t kFileEventOps = kOpMkdir | kOpRmdir | kOpLink | kOpUnlink | kOpSymlink | kOpRename;
inline constexpr uint32_t kProcessOps = kOpClone | kOpExec | kOpExit | kOpSetuid;

// The operation of event `code`, 0 for none. `compat`: only events known to collector 0.7, with mmap counted
// on entry.
uint32_t op_of(uint16_t code, bool compat);

// Calls `visit(const Context&, uint32_t op)` for each operation of an event: for a transfer once for each of
// its descriptors, else once.
template <typename Visit>
void each_operation(const state::Context& context, uint32_t op, Visit visit) {
  if (op != kOpTransfer) return visit(context, op);
  if (context.call == nullptr || context.thread == nullptr) return;
  using scap::P;
  struct End {
    P name;
    uint32_t op;
  };
  static constexpr End kEnds[] = {{P::in_fd, kOpReadRecv},   {P::fd_in, kOpReadRecv},
                                  {P::fdin, kOpReadRecv},    {P::out_fd, kOpWriteSend},
                                  {P::fd_out, kOpWriteSend}, {P::fdout, kOpWriteSend}};
  state::DescriptorTable* const table = context.thread->table();
  for (const End& end : kEnds) {
    const Bytes number = context.call->get(end.name);
    if (number.empty()) continue;
    state::Context one = context;
    one.fd = scap::to_int(number, -1);
    one.slot = table == nullptr ? nullptr : table->find(one.fd);
    // For fields, the event is about this descriptor.
    one.has_shown_fd = true;
    one.shown_fd = one.fd;
    one.shown_slot = one.slot;
    visit(one, end.op);
  }
}

}  // namespace sfkit::sysflow
