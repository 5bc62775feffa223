// Makes a fixture from a recording: keeps only the processes below one program, and removes traces
// of the machine. Drops the process and descriptor lists, and keeps only users and interfaces that
// every machine has. Does not change events. Usage: cut_capture RECORDING OUTPUT PROGRAM [HOST
// NAME]
#include <cstdio>
#include <set>
#include <string>
#include <string_view>

#include "scap/blocks.h"
#include "scap/input.h"
#include "scap/writer.h"

namespace {

using namespace sfkit::scap;

class Cutter : public CaptureVisitor {
 public:
  Cutter(std::string_view program, std::string_view hostname)
      : program_(program), hostname_(hostname) {}

  void section() override { writer_.begin(); }
  void machine(const MachineInfo&) override {
    MachineInfo plain;
    plain.cpus = 2;
    plain.memory_bytes = uint64_t{4} << 30;
    plain.max_pid = 4194304;
    plain.hostname = hostname_;
    writer_.machine(plain);
  }
  void thread(const ThreadEntry&) override {}
  void descriptor(int64_t, const FdEntry&) override {}
  void user(const UserEntry&) override {}
  void group(const GroupEntry&) override {}
  void interface(const InterfaceEntry& entry) override {
    if (entry.name == "lo") interfaces_.push_back(entry);
  }
  void lists_complete() override {
    if (lists_written_) return;
    lists_written_ = true;
    writer_.interfaces(interfaces_);
    writer_.users({{0, 0, "root", "/root", "/bin/sh"},
                   {65534, 65534, "nobody", "/nonexistent", "/usr/sbin/nologin"}},
                  {{0, "root"}, {65534, "nogroup"}});
  }

  bool event(const EventView& event) override {
    const bool is_root = event.code == ev::SYSCALL_EXECVE_19_X &&
                         to_text(event.param(P::comm)) == program_ && wanted_.empty();
    if (is_root) wanted_.insert(event.tid);
    if (wanted_.contains(event.tid) || is_new_child(event)) writer_.event(event);
    return true;
  }

  const std::vector<uint8_t>& bytes() const { return writer_.bytes(); }

 private:
  static bool is_clone(uint16_t code) {
    return code == ev::SYSCALL_CLONE_20_X || code == ev::SYSCALL_FORK_20_X ||
           code == ev::SYSCALL_VFORK_20_X || code == ev::SYSCALL_CLONE3_X;
  }
  // The first event of a child is its own return from clone. (The parent's may have its number in a
  // namespace, which is another process outside.)
  bool is_new_child(const EventView& event) {
    if (!is_clone(event.code) || to_int(event.param(0), -1) != 0) return false;
    if (!wanted_.contains(to_int(event.param(P::ptid), -1)) &&
        !wanted_.contains(to_int(event.param(P::pid), -1))) {
      return false;
    }
    wanted_.insert(event.tid);
    return true;
  }

  std::string program_;
  std::string hostname_;
  CaptureWriter writer_;
  std::vector<InterfaceEntry> interfaces_;
  bool lists_written_ = false;
  std::set<int64_t> wanted_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) return 2;
  auto input = Input::open(argv[1]);
  if (!input.is_ok()) {
    std::fprintf(stderr, "%s\n", input.status().message().c_str());
    return 1;
  }
  Cutter cutter(argv[3], argc == 5 ? argv[4] : "demo-host");
  ReadStats stats;
  if (const sfkit::Status status = read_capture(*input.value(), argv[1], cutter, stats);
      !status.is_ok()) {
    std::fprintf(stderr, "%s\n", status.message().c_str());
    return 1;
  }
  std::FILE* out = std::fopen(argv[2], "wb");
  if (out == nullptr) return 1;
  const bool written =
      std::fwrite(cutter.bytes().data(), 1, cutter.bytes().size(), out) == cutter.bytes().size();
  return std::fclose(out) == 0 && written ? 0 : 1;
}
