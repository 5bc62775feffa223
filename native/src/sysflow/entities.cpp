#include "sysflow/entities.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/escape.h"
#include "base/sha1.h"
#include "sysflow/ip_numbers.h"

namespace sfkit::sysflow {
namespace {

constexpr std::string_view kNotAvailable = "<NA>";
constexpr std::string_view kIncomplete = "incomplete";
constexpr size_t kMaxAncestry = 4096;
constexpr int32_t kCustomType = 5;
constexpr int32_t kLastSchemaType = 9;  // CT_BPM; the schema lacks newer types

// Joins NUL-terminated strings with spaces; the last NUL may be missing.
std::string join_arguments(std::string_view list) {
  if (!list.empty() && list.back() == '\0') list.remove_suffix(1);
  std::string text(list);
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

int32_t schema_type(int32_t type) {
  return type >= 0 && type <= kLastSchemaType ? type : kCustomType;
}

std::string json_of(const state::Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    text += text.empty() ? '{' : ',';
    append_json_string(text, name);
    text += ':';
    append_json_string(text, value);
  }
  if (!text.empty()) text += '}';
  return text;
}

// The record has the labels by which services select the pod, because pods have no selectors.
Pod pod_record(const state::PodInfo& pod, const std::vector<const state::ServiceInfo*>& services) {
  Pod record;
  record.id = pod.uid;
  record.name = pod.name;
  record.node_name = pod.node_name;
  record.namespace_ = pod.namespace_;
  record.restart_count = pod.restarts;
  record.labels = json_of(pod.labels);
  record.host_ip = ip_numbers(pod.host_addresses);
  record.internal_ip = ip_numbers(pod.addresses);
  std::map<std::string, std::string> selectors;
  for (const state::ServiceInfo* const service : services) {
    Service& to = record.services.emplace_back();
    to.name = service->name;
    to.id = service->uid;
    to.namespace_ = service->namespace_;
    for (const state::ServicePortInfo& port : service->ports)
      to.ports.push_back({port.port, port.target_port, port.node_port, port.protocol});
    to.cluster_ip = ip_numbers(service->addresses);
    selectors.insert(service->selector.begin(), service->selector.end());
  }
  record.selectors = json_of({selectors.begin(), selectors.end()});
  return record;
}

// Roughly the bytes of the record.
size_t size_of(const Pod& record) {
  constexpr size_t kFixed = 256;
  size_t size = kFixed + record.labels.size() + record.selectors.size();
  for (const Service& service : record.services) {
    constexpr size_t kFixedOfService = 64;
    size += kFixedOfService + service.name.size() + service.id.size() +
            service.ports.size() * sizeof(ServicePort);
  }
  return size;
}

std::string_view name_or_default(const std::string* name, uint32_t id) {
  if (name != nullptr) return *name;
  return id == 0 ? "root" : kNotAvailable;
}

std::string_view kept_name(std::string_view name, uint32_t id) {
  return id == 0 || name.empty() ? name_or_default(nullptr, id) : name;
}

}  // namespace

std::string EntityStore::user_argument(const state::Thread& thread, uint32_t uid) const {
  const std::string* name = state_.users().find(thread.container, uid);
  if (name == nullptr && compat_) return std::string(kNotAvailable);
  return std::string(name_or_default(name, uid));
}

void EntityStore::describe(Process& record, state::Thread& leader) const {
  const bool has_path = !leader.exepath.empty() && leader.exepath != kNotAvailable;
  if (has_path) {
    record.exe = leader.exepath;
  } else {
    record.exe.set(leader.exe);
  }
  record.exe_args.set(join_arguments(leader.args));
  record.uid = static_cast<int32_t>(leader.uid);
  record.gid = static_cast<int32_t>(leader.gid);
  if (compat_) {
    record.user_name.set(kept_name(leader.user_name, leader.uid));
    record.group_name.set(kept_name(leader.group_name, leader.gid));
  } else {
    record.user_name.set(
        name_or_default(state_.users().find(leader.container, leader.uid), leader.uid));
    record.group_name.set(
        name_or_default(state_.groups().find(leader.container, leader.gid), leader.gid));
  }
}

void EntityStore::describe_context(Process& record, state::Thread& leader) const {
  record.tty = leader.tty != 0;
  record.entry = leader.vpid == 1;
  record.cwd = state_.cwd_of(leader);
  record.env = TextList(leader.env);
}

void EntityStore::set_container(Process& record, uint32_t container) const {
  record.container_id.reset();
  if (container != 0) record.container_id = state_.containers().at(container).id;
}

void EntityStore::take_facts(ProcessEntity& process, const state::Thread& leader) const {
  ProcessFacts& facts = process.record.facts;
  facts.comm = comm_of(leader);
  process.parent_tid = leader.parent_tid();
  const state::Thread* const parent =
      process.parent_tid > 0 ? state_.find_thread(process.parent_tid) : nullptr;
  facts.parent_pid = parent != nullptr && parent->pid > 0 ? parent->pid : process.parent_tid;
  if (facts.parent_pid <= 0) facts.parent_pid = -1;
}

void EntityStore::renew_facts(ProcessEntity& process, const state::Thread& leader) {
  take_facts(process, leader);
  sink_.process_facts(process.record.oid, process.record.facts);
}

state::Thread* EntityStore::parent_of(state::Thread& leader) {
  state::Thread* parent = state_.find_thread(leader.ptid);
  if (parent == nullptr) return nullptr;
  state::Thread* parent_leader = parent->leader();
  return parent_leader == nullptr ? parent : parent_leader;
}

ProcessEntity* EntityStore::by_pid(int64_t pid) {
  ProcessEntity** found = by_pid_.find(pid);
  return found == nullptr ? nullptr : *found;
}

ProcessEntity* EntityStore::find(const Oid& oid) {
  ProcessEntity** found = processes_.find(oid);
  return found == nullptr ? nullptr : *found;
}

void EntityStore::write_container(uint32_t container) {
  if (container == 0) return;
  const state::ContainerInfo& info = state_.containers().at(container);
  const auto [entry, is_new] = containers_.try_emplace(info.id.str());
  ContainerEntity& entity = entry->second;
  // Metadata can arrive after the first use: then write the record again. (The collector does not.)
  const uint64_t pods_version = state_.pods().version();
  if (!is_new && entity.written == epoch_ &&
      (compat_ || (entity.version == info.version && entity.pods_version == pods_version))) {
    return;
  }
  Container& record = entity.record;
  std::optional<std::string> pod_id;
  if (const auto uid = compat_ ? std::string_view() : state_.pod_of(info); !uid.empty()) {
    pod_id = uid;
    write_pod(uid);
  }
  entity.pods_version = pods_version;
  const bool is_same = record.pod_id == pod_id && entity.version == info.version;
  if (!is_new && entity.written == epoch_ && is_same) return;
  entity.version = info.version;
  entity.written = epoch_;
  record.pod_id = std::move(pod_id);
  record.id = info.id.view();
  if (info.known) {
    record.name = info.name;
    record.image = info.image;
  } else {
    // libs 0.18.1 leaves the texts of containers known by id only empty.
    const std::string text(compat_ ? std::string_view() : kIncomplete);
    record.name = text;
    record.image = text + ":" + text;
  }
  record.imageid = info.imageid;
  record.type = schema_type(info.type);
  record.privileged = info.privileged;
  record.labels = state::labels_of(info, "labels");
  record.pod_labels = state::labels_of(info, "pod_sandbox_labels");
  sink_.container(record);
}

// Writes the pod unless the written record is up to date.
void EntityStore::write_pod(std::string_view uid) {
  PodEntity& entity = pods_.try_emplace(std::string(uid)).first->second;
  const state::PodInfo* const pod = state_.pods().find(uid);
  if (pod == nullptr) return;
  const bool has_changed = entity.version != pod->version;
  if (entity.written == epoch_ && !has_changed) return;
  if (entity.version == 0 || has_changed) entity.ts = clock_.ts;
  Pod record = pod_record(*pod, state_.pods().services_of(*pod));
  record.ts = entity.ts;
  if (entity.written == epoch_ && !state_.pods().afford(size_of(record))) return;
  entity.version = pod->version;
  entity.written = epoch_;
  sink_.pod(record);
}

void EntityStore::follow(const state::KubernetesChange& change) {
  for (const std::string& uid : change.pods) {
    const auto found = pods_.find(uid);
    // A pod of an earlier rotation is written with the next reference.
    if (found != pods_.end() && (found->second.written == epoch_ || found->second.written == 0))
      write_pod(uid);
  }
  for (const std::string& id : change.containers) {
    const auto found = containers_.find(id);
    if (found != containers_.end() && found->second.written == epoch_)
      write_container(state_.containers().index_of(id));
  }
}

// Pods that the engine forgot, because no container is in them.
void EntityStore::forget_pods() {
  pod_generation_ = state_.pods().generation();
  for (auto at = pods_.begin(); at != pods_.end();) {
    if (state_.pods().find(at->first) != nullptr) {
      ++at;
      continue;
    }
    sink_.pod_gone(at->first);
    at = pods_.erase(at);
  }
}

ProcessEntity* EntityStore::create(const state::Thread& thread, state::Thread& leader,
                                   state::Thread* parent, ObjectState state, int64_t ts) {
  ProcessEntity* entity = pool_.take();
  Process& record = entity->record;
  record.state = state;
  record.oid = oid_of(leader);
  record.poid.reset();
  if (parent != nullptr) {
    record.poid = oid_of(*parent);
  } else if (leader.ptid != -1) {
    if (ProcessEntity* known = by_pid(leader.ptid)) {
      ensure_written(*known);
      record.poid = known->record.oid;
    }
  }
  record.ts = ts;
  set_container(record, thread.container);
  write_container(thread.container);
  describe(record, leader);
  describe_context(record, leader);
  take_facts(*entity, leader);
  entity->changes = leader.changes;
  entity->identity_changes = leader.identity_changes;
  entity->cwd_changes = state_.cwd_changes();
  entity->alive = entity->is_waiting = true;
  entity->written = 0;
  entity->flow_count = 0;
  entity->table_flows = nullptr;
  entity->threads_indexed = false;
  entity->first_network = entity->last_network = entity->first_file = entity->last_file = nullptr;
  entity->thread_flow = nullptr;
  entity->previous = entity->next = entity->previous_same_pid = entity->next_same_pid = nullptr;
  entity->ended = false;
  return entity;
}

EntityStore::Fetched EntityStore::process(state::Thread& thread, ObjectState state, int64_t ts) {
  if (ProcessEntity* const as_it_is = current(thread)) return {as_it_is, false, false};
  state::Thread& leader = thread.process_thread();
  ProcessEntity* process = find(oid_of(leader));
  if (process != nullptr) {
    if (leader.process != process && !compat_) {
      // A different thread with the same oid: assume that everything changed.
      process->changes = leader.changes - 1;
      process->identity_changes = leader.identity_changes - 1;
    }
    leader.process = process;
    ensure_written(*process);
    return {process, false, is_outdated(*process, leader)};
  }
  process = create(thread, leader, parent_of(leader), state, ts);
  leader.process = process;
  to_write_.assign(1, process);
  processes_.put(process->record.oid, process);

  // Collect ancestors up to the first known one.
  state::Thread* top = &leader;
  for (size_t depth = 0; depth < kMaxAncestry; ++depth) {
    state::Thread* ancestor = parent_of(*top);
    if (ancestor == nullptr || ancestor == top) break;
    top = ancestor;
    if (ancestor->clone_ts == 0 && ancestor->pid == 0) continue;
    if (ProcessEntity* known = find(oid_of(*ancestor))) {
      // A waiting ancestor means that the parents form a loop.
      if (!known->is_waiting) ensure_written(*known);
      break;
    }
    ProcessEntity* entity =
        create(*ancestor, *ancestor, parent_of(*ancestor), ObjectState::kReup, ts);
    processes_.put(entity->record.oid, entity);
    ancestor->process = entity;
    to_write_.push_back(entity);
  }
  for (auto at = to_write_.rbegin(); at != to_write_.rend(); ++at) {
    ProcessEntity* entity = *at;
    entity->is_waiting = false;
    const int64_t pid = entity->record.oid.hpid;
    entity->next_same_pid = by_pid(pid);
    if (entity->next_same_pid != nullptr) entity->next_same_pid->previous_same_pid = entity;
    by_pid_.put(pid, entity);
    entity->previous = last_;
    (last_ == nullptr ? first_ : last_->next) = entity;
    last_ = entity;
    entity->written = epoch_;
    write(*entity);
  }
  return {process, true, false};
}

void EntityStore::write(ProcessEntity& process) {
  sink_.process(process.record);
}

void EntityStore::write_modified(ProcessEntity& process, state::Thread& thread, int64_t ts) {
  state::Thread* leader = thread.leader();
  if (leader == nullptr) leader = &thread;
  ensure_written(process);
  process.record.state = ObjectState::kModified;
  process.record.ts = ts;
  describe(process.record, *leader);
  take_facts(process, *leader);
  // The collector does not update these.
  if (!compat_) {
    describe_context(process.record, *leader);
    write_container(thread.container);
    set_container(process.record, thread.container);
    process.changes = leader->changes;
    process.identity_changes = leader->identity_changes;
    process.cwd_changes = state_.cwd_changes();
  }
  write(process);
}

bool EntityStore::is_outdated(ProcessEntity& process, state::Thread& leader) const {
  if (process.changes != leader.changes) return true;
  if (process.cwd_changes == state_.cwd_changes()) return false;
  if (state_.cwd_of(leader).view() != process.record.cwd.view()) return true;
  process.cwd_changes = state_.cwd_changes();
  return false;
}

EntityStore::Difference EntityStore::compare(ProcessEntity& process, state::Thread& thread) {
  state::Thread* leader = thread.leader();
  if (leader == nullptr) leader = &thread;
  const Process& record = process.record;
  bool same = true;
  if (process.identity_changes != leader->identity_changes) {
    describe(current_, *leader);
    set_container(current_, thread.container);
    same = current_.exe == record.exe && current_.exe_args == record.exe_args &&
           current_.uid == record.uid && current_.gid == record.gid &&
           current_.user_name == record.user_name && current_.group_name == record.group_name &&
           current_.container_id == record.container_id;
  }
  process.changes = leader->changes;
  process.identity_changes = leader->identity_changes;
  process.cwd_changes = state_.cwd_changes();
  if (!same) return Difference::kIdentity;
  describe_context(current_, *leader);
  same = current_.tty == record.tty && current_.entry == record.entry &&
         current_.cwd == record.cwd && current_.env == record.env;
  return same ? Difference::kNone : Difference::kContext;
}

FileEntity* EntityStore::find_file(const SharedText& container, std::string_view path) {
  const auto found = files_.find(FileKey{container, path});
  return found == files_.end() ? nullptr : found->get();
}

FileEntity* EntityStore::add_file(state::Thread& thread, std::string_view path, FileKind kind,
                                  int64_t ts) {
  const SharedText& container_id = state_.containers().at(thread.container).id;
  state::Thread* leader = thread.leader();
  const uint32_t container = leader == nullptr ? thread.container : leader->container;
  auto entity = std::make_unique<FileEntity>();
  entity->record.oid = sha1(container_id, path);
  entity->record.ts = ts;
  entity->record.restype = static_cast<unsigned char>(kind.letter);
  entity->record.path = path;
  entity->certainty = kind.certainty;
  entity->container = container_id;
  if (container != 0) entity->record.container_id = state_.containers().at(container).id;
  FileEntity* result = entity.get();
  files_.insert(std::move(entity));
  file_bytes_ += path.size();
  if (path.size() > kLongPath) long_paths_ += path.size();
  return result;
}

std::string_view EntityStore::limit_path(std::string_view path) {
  if (path.size() <= kLongPath || long_paths_ + path.size() <= kMaxLongPaths) return path;
  path_ = state::kUnknownDirectory;
  if (const std::string_view last = state::last_component(path); last.size() < kLongPath / 2)
    path_ += last;
  return path_;
}

FileEntity* EntityStore::file(state::Thread& thread, std::string_view path, FileKind kind,
                              ObjectState state, int64_t ts) {
  const SharedText& container_id = state_.containers().at(thread.container).id;
  FileEntity* file = find_file(container_id, path);
  if (file == nullptr && !compat_ && path.size() > kLongPath) {
    path = limit_path(path);
    file = find_file(container_id, path);
  }
  if (file == nullptr) {
    file = add_file(thread, path, kind, ts);
    write_container_of(thread);
    write(*file, state);
    return file;
  }
  if (file->written == 0) write_container_of(thread);
  if (!compat_) learn_kind(*file, kind, ts);
  ensure_written(*file);
  return file;
}

void EntityStore::learn_kind(state::Thread& thread, std::string_view path, FileKind kind,
                             int64_t ts) {
  const SharedText& container_id = state_.containers().at(thread.container).id;
  if (FileEntity* const file = find_file(container_id, path)) {
    learn_kind(*file, kind, ts);
  } else if (path.size() <= kLongPath) {
    add_file(thread, path, kind, ts);
  }
}

void EntityStore::learn_kind(FileEntity& file, FileKind kind, int64_t ts) {
  File& record = file.record;
  // Several files can share a path with an unknown directory.
  if (kind.certainty == Certainty::kNone || !state::is_absolute(record.path)) return;
  if (record.restype == kind.letter) {
    file.certainty = std::max(file.certainty, kind.certainty);
    return;
  }
  const bool is_other = kind.certainty == Certainty::kKnown || file.certainty == Certainty::kNone ||
                        (kind.certainty == Certainty::kNotDirectory && record.restype == 'd');
  if (!is_other) return;
  record.restype = static_cast<unsigned char>(kind.letter);
  file.certainty = kind.certainty;
  if (file.written != epoch_) return;
  record.ts = ts;
  write(file, ObjectState::kModified);
}

void EntityStore::limit_memory() {
  const bool containers_changed = container_generation_ != state_.containers().generation();
  // Files refer to containers that are now unknown.
  if (containers_changed || files_.size() >= forget_at_files_ ||
      file_bytes_ >= forget_at_file_bytes_ || long_paths_ >= forget_at_long_paths_) {
    forget_files();
  }
  if (containers_changed) forget_containers();
  if (pod_generation_ != state_.pods().generation()) forget_pods();
}

void EntityStore::forget_unused_others() {
  forget_files();
  if (container_generation_ != state_.containers().generation()) forget_containers();
  if (pod_generation_ != state_.pods().generation()) forget_pods();
}

void EntityStore::trim() {
  state_.for_each_thread([](state::Thread& thread) {
    const auto* const process = static_cast<const ProcessEntity*>(thread.process);
    if (process != nullptr && !process->alive) thread.process = nullptr;
  });
  pool_.trim();
}

void EntityStore::forget_files() {
  std::erase_if(files_, [](const FilePointer& file) { return file->flows == 0; });
  file_bytes_ = long_paths_ = 0;
  for (const FilePointer& file : files_) {
    file->written = 0;
    const size_t size = file->record.path.size();
    file_bytes_ += size;
    if (size > kLongPath) long_paths_ += size;
  }
  // If most have flows, the next attempt waits until the table has doubled.
  forget_at_files_ = std::max(kForgetAtFiles, 2 * files_.size());
  forget_at_file_bytes_ = std::max(kForgetAtFileBytes, 2 * file_bytes_);
  // The bytes added until the next walk pay for it.
  constexpr size_t kBytesPerFile = 32;
  forget_at_long_paths_ = long_paths_ + std::max(kMaxLongPaths / 2, kBytesPerFile * files_.size());
  ++file_generation_;
  sink_.files_forgotten();
}

void EntityStore::forget_containers() {
  container_generation_ = state_.containers().generation();
  const auto use = [this](const std::optional<SharedText>& id) {
    if (!id) return;
    if (const auto found = containers_.find(id->view()); found != containers_.end())
      found->second.in_use = true;
  };
  for (const ProcessEntity* process = first_; process != nullptr; process = process->next)
    use(process->record.container_id);
  for (const FilePointer& file : files_) use(file->record.container_id);
  for (auto at = containers_.begin(); at != containers_.end();) {
    const bool stays =
        std::exchange(at->second.in_use, false) || state_.containers().knows(at->first);
    if (!stays) sink_.container_gone(at->first);
    at = stays ? std::next(at) : containers_.erase(at);
  }
}

void EntityStore::write_container_of(state::Thread& thread) {
  const state::Thread* leader = thread.leader();
  write_container(leader == nullptr ? thread.container : leader->container);
}

void EntityStore::rewrite_container(const std::optional<SharedText>& id) {
  const auto found = id ? containers_.find(id->view()) : containers_.end();
  if (found == containers_.end() || found->second.written == epoch_) return;
  found->second.written = epoch_;
  if (found->second.record.pod_id) write_pod(*found->second.record.pod_id);
  sink_.container(found->second.record);
}

void EntityStore::rewrite(ProcessEntity& process) {
  // Mark each process first, so that a loop of parents ends.
  process.written = epoch_;
  std::vector<ProcessEntity*> chain{&process};
  for (ProcessEntity* at = &process; at->record.poid && chain.size() < kMaxAncestry;) {
    at = find(*at->record.poid);
    if (at == nullptr || at->written == epoch_) break;
    at->written = epoch_;
    chain.push_back(at);
  }
  for (auto at = chain.rbegin(); at != chain.rend(); ++at) {
    ProcessEntity& entity = **at;
    rewrite_container(entity.record.container_id);
    entity.record.state = ObjectState::kReup;
    write(entity);
  }
}

void EntityStore::write(FileEntity& file, ObjectState state) {
  rewrite_container(file.record.container_id);
  file.record.state = state;
  file.written = epoch_;
  sink_.file(file.record);
}

void EntityStore::erase(ProcessEntity& process) {
  processes_.erase(process.record.oid);
  const int64_t pid = process.record.oid.hpid;
  if (process.next_same_pid != nullptr)
    process.next_same_pid->previous_same_pid = process.previous_same_pid;
  if (process.previous_same_pid != nullptr) {
    process.previous_same_pid->next_same_pid = process.next_same_pid;
  } else if (process.next_same_pid != nullptr) {
    by_pid_.put(pid, process.next_same_pid);
  } else {
    by_pid_.erase(pid);
  }
  (process.previous == nullptr ? first_ : process.previous->next) = process.next;
  (process.next == nullptr ? last_ : process.next->previous) = process.previous;
  process.alive = false;
  release(process);
}

void EntityStore::release(ProcessEntity& process) {
  if (process.alive || process.has_flows()) return;
  // A new process may have the same oid; the sink still needs it.
  if (find(process.record.oid) == nullptr) sink_.process_gone(process.record.oid);
  process.record = {};
  pool_.give_back(&process);
}

}  // namespace sfkit::sysflow
