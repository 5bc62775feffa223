#include "sysflow/tally.h"

#include <algorithm>

#include "base/ip_text.h"
#include "sysflow/ops.h"
#include "sysflow/records.h"

namespace sfkit::sysflow {
namespace {

void append_endpoint(std::string& out, const state::IpBytes& ip, uint16_t port, bool ipv6) {
  if (ipv6) {
    out += '[';
    append_ipv6(out, ip.data());
    out += ']';
  } else {
    append_ipv4(out, ip.data());
  }
  out += ':';
  out += std::to_string(port);
}

}  // namespace

void Tally::add(Table& table, std::string_view name, uint64_t read, uint64_t written) {
  auto found = table.find(name);
  if (found == table.end()) {
    if (table.size() >= kMaxRows) return;
    found = table.emplace(std::string(name), TallyRow{}).first;
  }
  TallyRow& row = found->second;
  ++row.calls;
  row.read += read;
  row.written += written;
}

void Tally::count(const state::Context& context, uint32_t op) {
  if (context.thread == nullptr) return;
  const int64_t result = context.call == nullptr ? 0 : context.call->result();
  const uint64_t moved = result > 0 ? static_cast<uint64_t>(result) : 0;
  const auto read = [moved](uint32_t part_op) { return (part_op & kOpReadRecv) != 0 ? moved : 0; };
  const auto written = [moved](uint32_t part_op) {
    return (part_op & kOpWriteSend) != 0 ? moved : 0;
  };
  const std::lock_guard lock(mutex_);
  name_.assign(context.thread->comm)
      .append(" (")
      .append(std::to_string(context.thread->pid))
      .append(")");
  add(processes_, name_, read(op), written(op));
  each_operation(context, op, [&](const state::Context& part, uint32_t part_op) {
    if (part.slot == nullptr) return;
    const state::Descriptor& descriptor = *part.slot->descriptor;
    if (descriptor.is_file()) {
      add(files_, descriptor.name, read(part_op), written(part_op));
    } else if (descriptor.is_ip_socket()) {
      const bool ipv6 = descriptor.type == state::FdType::kIpv6;
      name_.clear();
      append_endpoint(name_, descriptor.sip, descriptor.sport, ipv6);
      name_ += " -> ";
      append_endpoint(name_, descriptor.dip, descriptor.dport, ipv6);
      add(connections_, name_, read(part_op), written(part_op));
    }
  });
}

std::vector<TallyRow> Tally::take(size_t max_rows) {
  std::vector<TallyRow> rows;
  const std::lock_guard lock(mutex_);
  const auto busiest = [&rows, max_rows](Table& table, TallyKind kind) {
    std::vector<TallyRow> sorted;
    sorted.reserve(table.size());
    for (auto& [name, row] : table) {
      sorted.push_back(row);
      sorted.back().kind = kind;
      sorted.back().name = name;
    }
    std::sort(sorted.begin(), sorted.end(), [](const TallyRow& left, const TallyRow& right) {
      const uint64_t bytes = left.read + left.written;
      const uint64_t other = right.read + right.written;
      if (bytes != other) return bytes > other;
      return left.calls != right.calls ? left.calls > right.calls : left.name < right.name;
    });
    if (sorted.size() > max_rows) sorted.resize(max_rows);
    rows.insert(rows.end(), sorted.begin(), sorted.end());
    table.clear();
  };
  busiest(processes_, TallyKind::kProcess);
  busiest(files_, TallyKind::kFile);
  busiest(connections_, TallyKind::kConnection);
  return rows;
}

}  // namespace sfkit::sysflow
