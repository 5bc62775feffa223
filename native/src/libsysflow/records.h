// From the views of sfkit::Driver to the records of libSysFlow.
#pragma once

#include <sfkit/config.h>
#include <sfkit/records.h>
#include <sysflow/sysflow.hh>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sfkit::libsysflow {

// Arguments of a callback. They belong to the Records that made them.
struct Arguments {
  ::sysflow::SFHeader* header = nullptr;
  ::sysflow::Container* container = nullptr;
  ::sysflow::Process* process = nullptr;
  ::sysflow::File* file1 = nullptr;
  ::sysflow::File* file2 = nullptr;
  ::sysflow::SysFlow* record = nullptr;
};

// Converts one record at a time. The objects keep their memory, so that later records need none.
class Records {
 public:
  // The result is valid until the next call. A process that the capture lacks is empty but for its
  // oid. `activity` is no IPv6 flow.
  Arguments convert(const Joined& joined, const Activity& activity);

 private:
  ::sysflow::SysFlow* set(const ProcessEvent& from);
  ::sysflow::SysFlow* set(const NetworkFlow& from);
  ::sysflow::SysFlow* set(const FileFlow& from);
  ::sysflow::SysFlow* set(const FileEvent& from);
  ::sysflow::SysFlow* set(const ProcessFlow& from);
  ::sysflow::SysFlow* set(const NetworkEvent& from);

  void set(::sysflow::Container& to, const Container& from);
  void set(::sysflow::Process& to, const Process& from);
  void set(::sysflow::File& to, const File& from);
  template <typename Union>
  void set_text(Union& to, const std::optional<std::string_view>& from);

  ::sysflow::SFHeader header_;
  ::sysflow::Container container_;
  ::sysflow::Process process_;
  std::array<::sysflow::File, 2> files_;
  std::string text_;
  ::sysflow::ProcessEvent process_event_;
  // One for each kind of record, since a union that changes its branch loses its memory.
  std::array<::sysflow::SysFlow, std::variant_size_v<Activity>> records_;
};

// Whether the record has room in the schema, which knows IPv4 addresses only.
bool has_room(const Activity& activity);

}  // namespace sfkit::libsysflow
