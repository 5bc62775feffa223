#include "live/probe.h"

#include <linux/bpf.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <bitset>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <numeric>
#include <thread>

#include "event_names.gen.h"
#include "live/kernel_types.h"

namespace sfkit::live {

const std::array<Reason, kCounters> kCounterReasons = {
    Reason::kBuffersFull,    Reason::kSampledOut,   Reason::kCallsOf32BitPrograms,
    Reason::kPreemptedCalls, Reason::kManyMessages, Reason::kUnreadableMemory,
};

namespace {

// Size of the kernel ring buffers as a fraction of the rings' size, and the minimum: a few events
// of the maximum size.
constexpr uint32_t kSpillFraction = 4;
constexpr uint32_t kMinSpillBytes = 128u << 10;
constexpr uint32_t kRoomForAnyEvent = 32u << 10;
constexpr uint32_t kMinReducedRingBytes = 256u << 10;  // do not shrink rings below this
constexpr size_t kMaxLoaders = 8;  // threads that load programs; more would gain nothing

long bpf(int command, bpf_attr& attributes) {
  return ::syscall(SYS_bpf, command, &attributes, sizeof(attributes));
}

uint64_t address_of(const void* pointer) {
  return reinterpret_cast<uintptr_t>(pointer);
}

Status kernel_error(const std::string& what, int error) {
  const bool denied = error == EPERM || error == EACCES;
  const char* const advice = denied ? "; live capture needs root, or CAP_BPF and CAP_PERFMON"
                             : error == EMFILE ? "; raise the limit: ulimit -n 1024"
                                               : "";
  return {denied ? ErrorCode::kUnreadable : ErrorCode::kNotSupported,
          what + ": " + std::strerror(error) + advice};
}

Status put(const FileDescriptor& map, uint32_t key, const void* value) {
  bpf_attr attributes{};
  attributes.map_fd = static_cast<uint32_t>(map.get());
  attributes.key = address_of(&key);
  attributes.value = address_of(value);
  if (bpf(BPF_MAP_UPDATE_ELEM, attributes) < 0) return kernel_error("cannot write to a map", errno);
  return Status::ok();
}

// How to load a bit field: the smallest aligned integer that contains it.
struct Storage {
  uint32_t offset = 0, size = 0;
};

Storage storage_of(const KernelTypes::Field& field) {
  Storage storage{0, std::max(field.byte_size, 1u)};
  for (;; storage.size *= 2) {
    storage.offset = field.bit_offset / 8 / storage.size * storage.size;
    const bool fits = field.bit_offset + field.bit_size <= (storage.offset + storage.size) * 8;
    if (fits || storage.size >= 8) return storage;
  }
}

constexpr uint64_t kPoison =
    0x0bad2310'00000085;  // call of an invalid function; the verifier rejects it

uint32_t low_byte(uint64_t instruction) {
  return static_cast<uint32_t>(instruction & 0xff);
}

uint64_t with_immediate(uint64_t instruction, uint32_t value) {
  return (instruction & 0xffffffffu) | uint64_t{value} << 32;
}

// `operation`: low byte of a load or store instruction.
uint32_t load_size(uint32_t operation) {
  switch (operation & 0x18) {
    case 0x00: return 4;
    case 0x08: return 2;
    case 0x10: return 1;
    default: return 8;
  }
}

uint32_t size_bits(uint32_t size) {
  switch (size) {
    case 4: return 0x00;
    case 2: return 0x08;
    case 1: return 0x10;
    default: return 0x18;
  }
}

// CPU numbers in a list such as 0-3,8 in /sys/devices/system/cpu.
std::vector<uint32_t> cpu_list(const char* name) {
  constexpr uint32_t kMaxCpu = 65535;
  const std::string path = std::string("/sys/devices/system/cpu/") + name;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "r"),
                                                             std::fclose);
  std::vector<uint32_t> numbers;
  uint32_t first = 0;
  uint32_t last = 0;
  while (file && std::fscanf(file.get(), "%u", &first) == 1 && first <= kMaxCpu) {
    if (std::fscanf(file.get(), "-%u", &last) != 1) last = first;
    for (uint32_t number = first; number <= std::min(last, kMaxCpu); ++number)
      numbers.push_back(number);
    if (std::fgetc(file.get()) != ',') break;
  }
  return numbers;
}

}  // namespace

uint32_t possible_cpus() {
  const std::vector<uint32_t> numbers = cpu_list("possible");
  return numbers.empty() ? 1 : *std::max_element(numbers.begin(), numbers.end()) + 1;
}

// Blocks signals in this thread: a signal would interrupt the verifier. Other threads still get
// them.
class ScopedSignalMask {
 public:
  ScopedSignalMask() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &previous_);
  }
  ~ScopedSignalMask() { ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }
  ScopedSignalMask(const ScopedSignalMask&) = delete;
  ScopedSignalMask& operator=(const ScopedSignalMask&) = delete;

 private:
  sigset_t previous_{};
};

// Implements Probe::load().
class ProbeLoader {
 public:
  ProbeLoader(const KernelTypes& types, const ProbeOptions& options, Probe& probe)
      : types_(types), options_(options), probe_(probe) {
    const auto fields = kernel_fields();
    fields_.reserve(fields.size());
    for (const KernelField& field : fields) fields_.push_back(types.field(field.type, field.path));
  }

  // These programs are tail-called by system call number, not attached.
  static bool is_call_program(std::string_view section) {
    return section.substr(0, 4) == "call" || is_untracked_call(section);
  }

  Status load(std::span<const ProgramImage> images, bool raw) {
    probe_.raw_ = raw;
    probe_.attachable_.clear();
    probe_.program_count_ = 0;
    preemptible_ = are_programs_preemptible();
    if (Status status = make_maps(images); !status.is_ok()) return status;
    std::vector<const ProgramImage*> wanted;
    for (const ProgramImage& image : images) {
      const std::string_view section = image.section;
      if (section == "identify" || (is_untracked_call(section) && !options_.all_calls)) continue;
      if (is_missed_call_program(section) && !preemptible_) continue;
      wanted.push_back(&image);
    }
    std::vector<FileDescriptor> programs(wanted.size());
    if (Status status = load_programs(wanted, raw, programs); !status.is_ok()) return status;
    probe_.program_count_ = wanted.size();
    FileDescriptor generic;
    std::bitset<kMaxCalls> has_program;
    for (size_t i = 0; i < wanted.size(); ++i) {
      const std::string_view section = wanted[i]->section;
      if (!is_call_program(section)) {
        probe_.attachable_.push_back({wanted[i]->section, std::move(programs[i])});
      } else if (section == "call") {
        generic = std::move(programs[i]);
      }
      for (const uint32_t number : syscall_numbers(section)) has_program.set(number);
    }
    for (uint32_t number = 0; options_.all_calls && number < kMaxCalls; ++number) {
      if (has_program.test(number)) continue;
      if (Status status = add_call(number, generic); !status.is_ok()) return status;
    }
    return Status::ok();
  }

  static bool is_missed_call_program(std::string_view section) {
    return section.substr(0, 7) == "missed/";
  }

 private:
  Status make_maps(std::span<const ProgramImage> images) {
    const uint32_t cpus = possible_cpus();
    if (Status status = make_buffers(); !status.is_ok()) return status;
    auto calls = make_map("calls", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, kMaxCalls);
    if (!calls.is_ok()) return calls.status();
    probe_.calls_ = std::move(calls.value());
    auto scratch = make_map("scratch", BPF_MAP_TYPE_PERCPU_ARRAY, 4, kScratchBytes, kOrigins);
    if (!scratch.is_ok()) return scratch.status();
    probe_.scratch_ = std::move(scratch.value());
    auto seen = make_map("seen", BPF_MAP_TYPE_ARRAY, 4, 4, preemptible_ ? kSeenThreads : 1);
    if (!seen.is_ok()) return seen.status();
    probe_.seen_ = std::move(seen.value());
    auto missed = make_map("missed", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 4, 1);
    if (!missed.is_ok()) return missed.status();
    probe_.missed_ = std::move(missed.value());
    auto counters =
        make_map("counters", BPF_MAP_TYPE_ARRAY, 4, 8, cpus * kCounterStride, BPF_F_MMAPABLE);
    if (!counters.is_ok()) return counters.status();
    probe_.counters_ = std::move(counters.value());
    if (Status status = probe_.map_counters(cpus); !status.is_ok()) return status;
    return make_config(images);
  }

  Result<FileDescriptor> make_map(const char* name, uint32_t type, uint32_t key, uint32_t value,
                                  uint32_t entries, uint32_t flags = 0, int inner = -1) {
    bpf_attr attributes{};
    attributes.map_type = type;
    attributes.key_size = key;
    attributes.value_size = value;
    attributes.max_entries = entries;
    attributes.map_flags = flags;
    if (inner >= 0) attributes.inner_map_fd = static_cast<uint32_t>(inner);
    std::snprintf(attributes.map_name, sizeof(attributes.map_name), "sfkit_%s", name);
    long fd = bpf(BPF_MAP_CREATE, attributes);
    // Kernels before 5.11 charge maps to the limit of locked memory.
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    if (fd < 0 && errno == EPERM && ::setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0) {
      fd = bpf(BPF_MAP_CREATE, attributes);
    }
    map_error_ = fd < 0 ? errno : 0;
    if (fd < 0) return kernel_error(std::string("cannot create the map ") + name, map_error_);
    return FileDescriptor(static_cast<int>(fd));
  }

  // Halves the size while memory is short.
  Status make_buffers() {
    wanted_ring_bytes_ = std::clamp<uint32_t>(options_.ring_bytes, kRoomForAnyEvent, kMaxRingBytes);
    for (;; wanted_ring_bytes_ /= 2) {
      Status status = make_rings();
      if (status.is_ok()) status = make_spills();
      if (status.is_ok() || map_error_ != ENOMEM || wanted_ring_bytes_ <= kMinReducedRingBytes)
        return status;
    }
  }

  // One ring for each online CPU, unless CPUs share a buffer.
  Status make_rings() {
    ProbeRings& rings = probe_.rings_;
    rings = {};
    if (options_.cpus_per_ring == 1) rings.cpus = cpu_list("online");
    std::erase_if(rings.cpus, [](uint32_t cpu) { return cpu >= kMaxRingCpus; });
    rings.bytes = rings.cpus.empty() ? 0 : wanted_ring_bytes_;
    const auto count = static_cast<uint32_t>(std::max<size_t>(rings.cpus.size(), 1));
    auto states =
        make_map("rings", BPF_MAP_TYPE_ARRAY, 4, sizeof(probe_ring), count, BPF_F_MMAPABLE);
    if (!states.is_ok()) return states.status();
    rings.states = std::move(states.value());
    auto data = make_map("ring_data", BPF_MAP_TYPE_ARRAY, 4, rings.bytes + kRingSlack, count,
                         BPF_F_MMAPABLE);
    // Kernels before about 6.0 reject map values of many megabytes.
    while (!data.is_ok() && map_error_ == E2BIG && rings.bytes > kMinReducedRingBytes) {
      rings.bytes /= 2;
      data = make_map("ring_data", BPF_MAP_TYPE_ARRAY, 4, rings.bytes + kRingSlack, count,
                      BPF_F_MMAPABLE);
    }
    if (!data.is_ok()) return data.status();
    rings.data = std::move(data.value());
    return Status::ok();
  }

  Status make_spills() {
    ProbeRings& rings = probe_.rings_;
    rings.spills.clear();
    // Online CPUs only: virtual machines report far more possible ones.
    const auto online = static_cast<uint32_t>(std::max<long>(::sysconf(_SC_NPROCESSORS_ONLN), 1));
    const uint32_t shared_by = options_.cpus_per_ring;
    const uint32_t count = shared_by == 0 ? 1 : (online + shared_by - 1) / shared_by;
    rings.spill_bytes = std::max(
        rings_are_full_size() ? rings.bytes / kSpillFraction : wanted_ring_bytes_, kMinSpillBytes);
    for (uint32_t i = 0; i < count; ++i) {
      auto spill = make_map("spill", BPF_MAP_TYPE_RINGBUF, 0, 0, rings.spill_bytes);
      if (!spill.is_ok()) return spill.status();
      rings.spills.push_back(std::move(spill.value()));
    }
    auto table =
        make_map("spills", BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, count, 0, rings.spills[0].get());
    if (!table.is_ok()) return table.status();
    probe_.spill_table_ = std::move(table.value());
    for (uint32_t i = 0; i < count; ++i) {
      const int fd = rings.spills[i].get();
      if (Status status = put(probe_.spill_table_, i, &fd); !status.is_ok()) return status;
    }
    return Status::ok();
  }

  // If the rings are smaller than wanted, their overflow goes to the kernel's ring buffers.
  bool rings_are_full_size() const { return probe_.rings_.bytes >= wanted_ring_bytes_; }

  Status make_config(std::span<const ProgramImage> images) {
    probe_config config{};
    config.clock_base_ns = probe_.clock_.base();
    if (::getrandom(&config.id_secret, sizeof(config.id_secret), 0) < 0) {
      return kernel_error("cannot get random bytes", errno);
    }
    config.own_tgid = own_tgid(images);
    config.snaplen = std::min<uint32_t>(options_.snaplen, kMaxSnaplen);
    config.sampling_ratio = options_.sampling_ratio;
    config.spills = static_cast<uint32_t>(probe_.rings_.spills.size());
    config.ring_bytes = probe_.rings_.bytes;
    config.calls_spill = rings_are_full_size() ? 0 : 1;
    for (size_t i = 0; i < probe_.rings_.cpus.size(); ++i) {
      config.ring_of_cpu[probe_.rings_.cpus[i]] = static_cast<uint16_t>(i + 1);
    }
    config.all_calls = options_.all_calls ? 1 : 0;
    config.preemptible = preemptible_ ? 1 : 0;
    for (const ProgramImage& image : images) {
      if (is_untracked_call(image.section)) continue;
      for (const uint32_t number : syscall_numbers(image.section)) set_interesting(config, number);
    }
    for (uint32_t number = 0; number < std::size(scap::kX86SyscallNames); ++number) {
      const std::string_view name = scap::kX86SyscallNames[number];
      if (name.empty() || number >= kMaxCalls) continue;
      const auto* const end = std::end(scap::kSyscallNames);
      const auto* const found = std::find(std::begin(scap::kSyscallNames), end, name);
      if (found != end)
        config.portable_code[number] =
            static_cast<uint16_t>(found - std::begin(scap::kSyscallNames));
    }
    if (options_.all_calls)
      std::fill(std::begin(config.interesting), std::end(config.interesting), ~uint64_t{0});
    auto map = make_map("config", BPF_MAP_TYPE_ARRAY, 4, sizeof(config), 1, BPF_F_RDONLY_PROG);
    if (!map.is_ok()) return map.status();
    probe_.config_ = std::move(map.value());
    if (Status status = put(probe_.config_, 0, &config); !status.is_ok()) return status;
    // Frozen, so that the verifier treats the values as constants.
    bpf_attr attributes{};
    attributes.map_fd = static_cast<uint32_t>(probe_.config_.get());
    if (bpf(BPF_MAP_FREEZE, attributes) < 0)
      return kernel_error("cannot freeze the configuration map", errno);
    return Status::ok();
  }

  // Process id in the root namespace; getpid() returns the id in our own.
  static uint32_t own_tgid(std::span<const ProgramImage> images) {
    const auto own = static_cast<uint32_t>(::getpid());
    for (const ProgramImage& image : images) {
      if (std::string_view(image.section) != "identify") continue;
      bpf_attr attributes{};
      attributes.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
      attributes.insns = address_of(image.code);
      attributes.insn_cnt = image.size;
      attributes.license = address_of("GPL");
      const FileDescriptor program(static_cast<int>(bpf(BPF_PROG_LOAD, attributes)));
      bpf_attr run{};
      run.test.prog_fd = static_cast<uint32_t>(program.get());
      // Linux 5.10 and later.
      if (!program.is_open() || bpf(BPF_PROG_TEST_RUN, run) < 0) return own;
      return run.test.retval;
    }
    return own;
  }

  static void set_interesting(probe_config& config, uint32_t number) {
    config.interesting[number / 64] |= uint64_t{1} << (number % 64);
  }

  // Whether programs at sys_exit can be preempted (Linux 7.2 and later): then they may also sleep,
  // and others may not. Older kernels accept the flag for all.
  bool are_programs_preemptible() {
    return can_sleep("sys_exit") && !can_sleep("sched_process_exec");
  }

  bool can_sleep(const std::string& tracepoint) {
    const uint64_t code[] = {0x00000000'000000b7, 0x00000000'00000095};  // return 0
    bpf_attr attributes{};
    attributes.prog_type = BPF_PROG_TYPE_TRACING;
    attributes.expected_attach_type = BPF_TRACE_RAW_TP;
    attributes.attach_btf_id = attach_point("tp_btf/" + tracepoint);
    attributes.prog_flags = BPF_F_SLEEPABLE;
    attributes.insns = address_of(code);
    attributes.insn_cnt = std::size(code);
    attributes.license = address_of("GPL");
    return FileDescriptor(static_cast<int>(bpf(BPF_PROG_LOAD, attributes))).is_open();
  }

  static bool is_untracked_call(std::string_view section) {
    return section.substr(0, 6) == "other/";
  }
  // Numbers of the system calls of a program. Its section names them after the slash, with commas.
  static std::vector<uint32_t> syscall_numbers(std::string_view section) {
    std::vector<uint32_t> numbers;
    size_t at = is_call_program(section) ? section.find('/') : std::string_view::npos;
    while (at != std::string_view::npos) {
      const size_t end = section.find(',', ++at);
      const auto* const first = std::begin(scap::kX86SyscallNames);
      const auto* const last = std::min(std::end(scap::kX86SyscallNames), first + kMaxCalls);
      const auto* const found = std::find(first, last, section.substr(at, end - at));
      if (found != last) numbers.push_back(static_cast<uint32_t>(found - first));
      at = end;
    }
    return numbers;
  }

  int map_fd(ProbeMap map) const {
    switch (map) {
      case ProbeMap::kRings: return probe_.rings_.states.get();
      case ProbeMap::kRingData: return probe_.rings_.data.get();
      case ProbeMap::kSpills: return probe_.spill_table_.get();
      case ProbeMap::kCalls: return probe_.calls_.get();
      case ProbeMap::kScratch: return probe_.scratch_.get();
      case ProbeMap::kSeen: return probe_.seen_.get();
      case ProbeMap::kMissed: return probe_.missed_.get();
      case ProbeMap::kCounters: return probe_.counters_.get();
    }
    return -1;
  }

  // Relocates a program for this kernel.
  std::vector<uint64_t> prepare(const ProgramImage& image) const {
    std::vector<uint64_t> code(image.code, image.code + image.size);
    for (uint32_t i = 0; i < image.relocation_count; ++i) {
      const Relocation& relocation = image.relocations[i];
      uint64_t* const at = code.data() + relocation.instruction;
      if (relocation.kind == Relocation::kMap || relocation.kind == Relocation::kConfig) {
        const bool is_map = relocation.kind == Relocation::kMap;
        const auto offset = static_cast<uint32_t>(at[0] >> 32) + relocation.target;
        const uint64_t pseudo = is_map ? BPF_PSEUDO_MAP_FD : BPF_PSEUDO_MAP_VALUE;
        const int fd =
            is_map ? map_fd(static_cast<ProbeMap>(relocation.target)) : probe_.config_.get();
        at[0] =
            with_immediate((at[0] & ~uint64_t{0xf000}) | pseudo << 12, static_cast<uint32_t>(fd));
        at[1] = with_immediate(at[1], is_map ? 0 : offset);
        continue;
      }
      fill_field(relocation.kind, fields_[relocation.target], at);
    }
    return code;
  }

  static void fill_field(Relocation::Kind kind, const std::optional<KernelTypes::Field>& field,
                         uint64_t* at) {
    uint32_t value = 0;
    if (kind == Relocation::kFieldExists) {
      value = field.has_value() ? 1 : 0;
    } else if (!field) {
      // Dead code: the program checks for the field first.
      const bool is_long = low_byte(at[0]) == 0x18;
      at[0] = kPoison;
      if (is_long) at[1] = kPoison;
      return;
    } else {
      const bool is_bits = field->bit_size != field->byte_size * 8;
      const Storage storage =
          is_bits ? storage_of(*field) : Storage{field->bit_offset / 8, field->byte_size};
      switch (kind) {
        case Relocation::kFieldOffset: value = storage.offset; break;
        case Relocation::kFieldSize: value = storage.size; break;
        case Relocation::kFieldLeftShift:
          value = 64 - (field->bit_offset + field->bit_size - storage.offset * 8);
          break;
        case Relocation::kFieldRightShift: value = 64 - field->bit_size; break;
        default: value = field->byte_size; break;
      }
    }
    const uint32_t operation = low_byte(at[0]);
    const uint32_t instruction_class = operation & 7;
    if (instruction_class >= 1 && instruction_class <= 3) {  // loads and stores
      at[0] = (at[0] & ~uint64_t{0xffff0000}) | uint64_t{value & 0xffff} << 16;
      // The member's size may differ from the declaration in the probe.
      if (field && field->byte_size < load_size(operation) && instruction_class == 1) {
        at[0] = (at[0] & ~uint64_t{0x18}) | size_bits(field->byte_size);
      }
    } else {
      at[0] = with_immediate(at[0], value);
    }
  }

  // BTF id of the tracepoint's function type.
  uint32_t attach_point(std::string_view section) {
    std::string name(section.substr(section.find('/') + 1));
    if (is_call_program(section)) name = "sys_exit";
    return types_.find_typedef("btf_trace_" + name);
  }

  static bool is_exit_program(std::string_view section) {
    return section == "tp_btf/sys_exit" || section == "raw_tp/sys_exit";
  }

  // Loads programs on all CPUs: the verifier checks each by itself, and takes long for some. The
  // programs of calls are in `calls` afterwards, the others in `programs`.
  Status load_programs(std::span<const ProgramImage* const> images, bool raw,
                       std::span<FileDescriptor> programs) {
    // The longest programs first, so that no thread starts one while the others have ended.
    std::vector<size_t> order(images.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return images[a]->size > images[b]->size; });
    // The program that jumps to those in `calls` loads when they are there. Before Linux 6.7 the
    // kernel can crash if a program is added while another with a jump to it loads.
    const auto jumping = std::stable_partition(order.begin(), order.end(), [&](size_t index) {
      return !is_exit_program(images[index]->section);
    });
    std::vector<Status> statuses(images.size());
    std::atomic<size_t> next{0};
    std::atomic<bool> has_failed{false};
    auto end = static_cast<size_t>(jumping - order.begin());
    const auto work = [&] {
      for (size_t at = next++; at < end && !has_failed; at = next++) {
        const size_t index = order[at];
        statuses[index] = load_program(*images[index], raw, programs[index]);
        if (!statuses[index].is_ok()) has_failed = true;
      }
    };
    const size_t cpus = std::max(std::thread::hardware_concurrency(), 1u);
    std::vector<std::thread> helpers;
    for (size_t i = 1; i < std::min({cpus, images.size(), kMaxLoaders}); ++i)
      helpers.emplace_back(work);
    work();
    for (std::thread& helper : helpers) helper.join();
    next = end;
    end = order.size();
    work();
    const auto failed = std::find_if(statuses.begin(), statuses.end(),
                                     [](const Status& status) { return !status.is_ok(); });
    return failed == statuses.end() ? Status::ok() : *failed;
  }

  // Loads a program. That of a call goes to `calls`, which keeps it, so that few descriptors are
  // open at a time.
  Status load_program(const ProgramImage& image, bool raw, FileDescriptor& program) {
    auto loaded = load_image(image, raw);
    if (!loaded.is_ok()) return loaded.status();
    const std::vector<uint32_t> numbers = syscall_numbers(image.section);
    if (numbers.empty()) program = std::move(loaded.value());
    for (const uint32_t number : numbers) {
      if (Status status = add_call(number, loaded.value()); !status.is_ok()) return status;
    }
    return Status::ok();
  }

  Result<FileDescriptor> load_image(const ProgramImage& image, bool raw) {
    const std::vector<uint64_t> code = prepare(image);
    bpf_attr attributes{};
    attributes.prog_type = raw ? BPF_PROG_TYPE_RAW_TRACEPOINT : BPF_PROG_TYPE_TRACING;
    attributes.insns = address_of(code.data());
    attributes.insn_cnt = image.size;
    attributes.license = address_of("GPL");
    std::string name = image.section;
    name = "sfkit_" + name.substr(name.find('/') == std::string::npos ? 0 : name.find('/') + 1);
    name.resize(std::min(name.find(','), name.size()));
    std::strncpy(attributes.prog_name, name.c_str(), sizeof(attributes.prog_name) - 1);
    if (!raw) {
      attributes.expected_attach_type = BPF_TRACE_RAW_TP;
      attributes.attach_btf_id = attach_point(image.section);
      if (attributes.attach_btf_id == 0) {
        return Status(ErrorCode::kNotSupported,
                      std::string("the kernel has no tracepoint for the program ") + image.section);
      }
    }
    long fd = bpf(BPF_PROG_LOAD, attributes);
    if (fd < 0) {
      const int error = errno;
      return kernel_error(
          "the kernel rejects the program " + std::string(image.section) + verifier_log(attributes),
          error);
    }
    return FileDescriptor(static_cast<int>(fd));
  }

  // Loads a rejected program again with logging. Returns the end of the verifier's log.
  static std::string verifier_log(bpf_attr attributes) {
    constexpr size_t kLogBytes = size_t{1} << 20;
    constexpr size_t kMaxShown = 400;
    std::vector<char> log(kLogBytes);
    attributes.log_level = 1;
    attributes.log_buf = address_of(log.data());
    attributes.log_size = kLogBytes;
    const FileDescriptor unexpected(static_cast<int>(bpf(BPF_PROG_LOAD, attributes)));
    std::string text(log.data(), ::strnlen(log.data(), log.size()));
    while (!text.empty() && text.back() == '\n') text.pop_back();
    // The last line only has statistics.
    if (const size_t last = text.rfind("\nprocessed "); last != std::string::npos)
      text.resize(last);
    if (text.size() > kMaxShown) text = text.substr(text.size() - kMaxShown);
    std::replace(text.begin(), text.end(), '\n', ';');
    return text.empty() ? "" : " (" + text + ")";
  }

  Status add_call(uint32_t number, const FileDescriptor& program) {
    const int fd = program.get();
    return put(probe_.calls_, number, &fd);
  }

  const KernelTypes& types_;
  const ProbeOptions& options_;
  Probe& probe_;
  std::vector<std::optional<KernelTypes::Field>> fields_;
  uint32_t wanted_ring_bytes_ = 0;
  int map_error_ = 0;  // errno of the last make_map()
  bool preemptible_ = false;
};

Result<Probe> Probe::load(const ProbeOptions& options) {
  if (btf_programs().empty()) {
    return Status(ErrorCode::kNotSupported,
                  "this build of sfkit has no probe; build it on x86-64 Linux with clang");
  }
  const auto types = KernelTypes::read();
  if (!types.is_ok()) return types.status();
  const ScopedSignalMask signals;
  Probe probe;
  ProbeLoader loader(types.value(), options, probe);
  Status status;
  if (!options.raw_tracepoints) {
    status = loader.load(btf_programs(), false);
    if (status.is_ok()) return probe;
  }
  if (Status raw = loader.load(raw_programs(), true); !raw.is_ok())
    return status.is_ok() ? raw : status;
  return probe;
}

Status Probe::attach() {
  for (const Program& program : attachable_) {
    const std::string name = program.section.substr(program.section.find('/') + 1);
    bpf_attr attributes{};
    attributes.raw_tracepoint.prog_fd = static_cast<uint32_t>(program.fd.get());
    if (raw_) attributes.raw_tracepoint.name = address_of(name.c_str());
    const long fd = bpf(BPF_RAW_TRACEPOINT_OPEN, attributes);
    if (fd < 0) {
      detach();
      return kernel_error("cannot attach the probe to " + name, errno);
    }
    links_.emplace_back(static_cast<int>(fd));
  }
  return Status::ok();
}

// Detach the missed-call program first, in reverse order of attaching.
void Probe::detach() {
  while (!links_.empty()) links_.pop_back();
}

// Mapped now: without privileges, some kernels forbid reading maps.
Status Probe::map_counters(uint32_t cpus) {
  const size_t size = size_t{cpus} * kCounterStride * sizeof(uint64_t);
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, counters_.get(), 0);
  if (memory == MAP_FAILED) return kernel_error("cannot map the counters", errno);
  counter_memory_ = std::shared_ptr<const uint64_t[]>(
      static_cast<const uint64_t*>(memory),
      [size](const uint64_t* mapped) { ::munmap(const_cast<uint64_t*>(mapped), size); });
  cpus_ = cpus;
  return Status::ok();
}

// How often the kernel skipped a program because it was already running on that CPU.
uint64_t Probe::recursion_misses() const {
  uint64_t sum = 0;
  for (const Program& program : attachable_) {
    // Skipping the missed-call program loses no call: run_exit has recorded it.
    if (ProbeLoader::is_missed_call_program(program.section)) continue;
    bpf_prog_info info{};
    bpf_attr attributes{};
    attributes.info.bpf_fd = static_cast<uint32_t>(program.fd.get());
    attributes.info.info_len = sizeof(info);
    attributes.info.info = address_of(&info);
    if (bpf(BPF_OBJ_GET_INFO_BY_FD, attributes) == 0) sum += info.recursion_misses;
  }
  return sum;
}

Counters Probe::counters() const {
  Counters sums{};
  for (size_t cpu = 0; cpu < cpus_; ++cpu) {
    for (size_t i = 0; i < kCounters; ++i) {
      // The kernel changes them concurrently.
      const volatile uint64_t* counter = &counter_memory_[cpu * kCounterStride + i];
      sums[i] += *counter;
    }
  }
  // Calls that were missed and not recovered. Some of them may not have been of interest.
  const uint64_t missed = recursion_misses();
  sums[kCountRecovered] = missed - std::min(missed, sums[kCountRecovered]);
  return sums;
}

}  // namespace sfkit::live
