#include "live/path_check.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "base/file_descriptor.h"
#include "events.gen.h"
#include "live/proc_files.h"
#include "state/descriptor.h"

namespace sfkit::live {
namespace {

using scap::P;
namespace ev = scap::ev;

constexpr uint32_t kHeaderBytes = 26;
constexpr uint32_t kThreadAt = 8;
constexpr uint32_t kCodeAt = 20;
constexpr uint32_t kCountAt = 22;
constexpr uint32_t kMaxParameters = 8;
constexpr uint32_t kNoParameter = kMaxParameters;
// RESOLVE_CACHED: use only what the kernel has in memory, so that no file server delays the
// capture. Linux 5.12 and later.
constexpr uint64_t kCached = 0x20;
// STATX_MNT_ID and the offset of stx_mnt_id (Linux 5.8 and later), which musl does not name.
constexpr uint32_t kMountId = 0x1000;
constexpr size_t kMountIdAt = 0x90;
static_assert(sizeof(struct statx) >= kMountIdAt + sizeof(uint64_t));

uint64_t mount_id_of(const struct statx& file) {
  uint64_t id = 0;
  std::memcpy(&id, reinterpret_cast<const uint8_t*>(&file) + kMountIdAt, sizeof id);
  return id;
}

// Parameter indexes of an event.
struct Shape {
  uint16_t code;
  uint32_t count, directory, path, flags, device, inode;
};

constexpr uint32_t index_of(uint16_t code, P name) {
  const scap::EventInfo& info = scap::kEvents[code];
  for (uint32_t i = 0; i < info.nparams; ++i) {
    if (scap::kParams[info.first_param + i].name == name) return i;
  }
  return kNoParameter;
}

constexpr Shape make_shape(uint16_t code, P flags) {
  return {code,
          scap::kEvents[code].nparams,
          index_of(code, P::dirfd),
          index_of(code, P::name),
          index_of(code, flags),
          index_of(code, P::dev),
          index_of(code, P::ino)};
}

constexpr Shape kShapes[] = {
    make_shape(ev::SYSCALL_OPEN_X, P::flags),
    make_shape(ev::SYSCALL_OPENAT_2_X, P::flags),
    make_shape(ev::SYSCALL_OPENAT2_X, P::flags),
    make_shape(ev::SYSCALL_CREAT_X, P::creat_flags),
};

template <typename T>
T value_at(const uint8_t* from) {
  T value{};
  std::memcpy(&value, from, sizeof(value));
  return value;
}

const Shape* shape_of(const uint8_t* event) {
  const auto code = value_at<uint16_t>(event + kCodeAt);
  for (const Shape& shape : kShapes) {
    if (shape.code == code) return &shape;
  }
  return nullptr;
}

// A decoded open event.
struct Open {
  const Shape* shape = nullptr;
  std::array<uint32_t, kMaxParameters + 1> starts{};
  const uint8_t* event = nullptr;

  // False if the event does not have the expected shape.
  bool read(const uint8_t* bytes, uint32_t size) {
    shape = shape_of(bytes);
    if (shape == nullptr || value_at<uint32_t>(bytes + kCountAt) != shape->count) return false;
    event = bytes;
    uint32_t at = kHeaderBytes + 2 * shape->count;
    if (at > size) return false;
    for (uint32_t i = 0; i < shape->count; ++i) {
      starts[i] = at;
      at += value_at<uint16_t>(bytes + kHeaderBytes + 2 * i);
      if (at > size) return false;
    }
    starts[shape->count] = at;
    return length(shape->flags) == flag_bytes() && length(shape->device) == 4 &&
           length(shape->inode) == 8 &&
           (shape->directory == kNoParameter || length(shape->directory) == 8);
  }
  uint32_t length(uint32_t index) const { return starts[index + 1] - starts[index]; }
  const uint8_t* at(uint32_t index) const { return event + starts[index]; }

  bool is_creat() const { return shape->code == ev::SYSCALL_CREAT_X; }
  uint32_t flag_bytes() const { return is_creat() ? 2 : 4; }
  uint32_t mark() const { return is_creat() ? state::kCreatDoubtful : state::kOpenDoubtful; }
  uint32_t flags() const {
    return is_creat() ? value_at<uint16_t>(at(shape->flags)) : value_at<uint32_t>(at(shape->flags));
  }
  uint32_t device() const { return value_at<uint32_t>(at(shape->device)); }
  uint64_t inode() const { return value_at<uint64_t>(at(shape->inode)); }
  int64_t directory() const {
    return shape->directory == kNoParameter ? state::kAtFdcwd
                                            : value_at<int64_t>(at(shape->directory));
  }
  std::string_view path() const {
    const std::string_view text(reinterpret_cast<const char*>(at(shape->path)),
                                length(shape->path));
    return text.substr(0, text.find('\0'));
  }
};

uint32_t encode_device(uint32_t major, uint32_t minor) {
  return (minor & 0xff) | (major << 8) | ((minor & ~0xffU) << 12);
}

// The device of a mount. Some file systems (btrfs) report another device for their files.
uint32_t device_of_mount(uint64_t mount) {
  uint32_t device = 0;
  const std::string mounts = read_small_file("/proc/self/mountinfo");
  each_line(mounts, [&](std::string_view line) {
    if (device != 0 || to_number(word_at(line, 0), -1) != static_cast<int64_t>(mount)) return;
    const std::string_view numbers = word_at(line, 2);
    const size_t colon = numbers.find(':');
    if (colon == std::string_view::npos) return;
    device = encode_device(static_cast<uint32_t>(to_number(numbers.substr(0, colon))),
                           static_cast<uint32_t>(to_number(numbers.substr(colon + 1))));
  });
  return device;
}

FileDescriptor open_path(int directory, const std::string& path, uint64_t resolve) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = resolve;
  return FileDescriptor(
      static_cast<int>(::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof(how))));
}

// The path from the root directory of the process; empty if unknown.
std::string full_path(const Open& open, const std::string& process) {
  std::string path(open.path());
  if (path.empty() || path.front() == '/') return path;
  const std::string from = read_link(process + (open.directory() == state::kAtFdcwd
                                                    ? "cwd"
                                                    : "fd/" + std::to_string(open.directory())));
  return from.starts_with('/') ? from + "/" + path : std::string();
}

bool resolves_to_opened_file(const Open& open, const std::string& host_root) {
  const std::string process =
      host_root + "/proc/" + std::to_string(value_at<int64_t>(open.event + kThreadAt)) + "/";
  const std::string path = full_path(open, process);
  if (path.empty()) return false;
  // Without access to the process's root, use our own. Device and inode still prove that it is the
  // same file.
  FileDescriptor root = open_path(AT_FDCWD, process + "root", 0);
  if (!root.is_open()) root = open_path(AT_FDCWD, "/", 0);
  // Magic links of /proc are not followed: they resolve differently for us than for the process.
  const FileDescriptor file = open_path(root.get(), path, RESOLVE_IN_ROOT | kCached);
  if (!file.is_open()) return false;
  struct statx found {};
  if (::statx(file.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO | kMountId, &found) !=
          0 ||
      found.stx_ino != open.inode()) {
    return false;
  }
  return encode_device(found.stx_dev_major, found.stx_dev_minor) == open.device() ||
         ((found.stx_mask & kMountId) != 0 && device_of_mount(mount_id_of(found)) == open.device());
}

}  // namespace

bool PathCheck::is_marked(const uint8_t* event, uint32_t size) {
  if (shape_of(event) == nullptr) return false;
  Open open;
  return open.read(event, size) && (open.flags() & open.mark()) != 0;
}

bool PathCheck::may_look_up(uint64_t now) {
  if (now - period_start_ >= kPeriodNs) {
    period_start_ = now;
    lookups_ = 0;
  }
  return lookups_++ < max_lookups_;
}

void PathCheck::look_up(uint8_t* event, uint32_t size, uint64_t now) {
  Open open;
  if (!open.read(event, size)) return;
  if (!may_look_up(now) || !resolves_to_opened_file(open, host_root_)) {
    ++doubtful_;
    return;
  }
  const uint32_t flags = open.flags() & ~open.mark();
  std::memcpy(event + open.starts[open.shape->flags], &flags, open.flag_bytes());
}

}  // namespace sfkit::live
