#include "addon/session_object.h"

#include <utility>

#include "addon/values.h"

namespace sfkit::addon {

Napi::Function SessionObject::define(Napi::Env env) {
  return DefineClass(
      env, "Session",
      {InstanceMethod<&SessionObject::next>("next"),
       InstanceMethod<&SessionObject::summary>("summary"),
       InstanceMethod<&SessionObject::progress>("progress"),
       InstanceMethod<&SessionObject::stop>("stop"), InstanceMethod<&SessionObject::close>("close"),
       InstanceMethod<&SessionObject::take_unknown_containers>("takeUnknownContainers"),
       InstanceMethod<&SessionObject::describe_container>("describeContainer"),
       InstanceMethod<&SessionObject::add_kubernetes_event>("addKubernetesEvent"),
       InstanceMethod<&SessionObject::take_busiest>("takeBusiest")});
}

SessionObject::SessionObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<SessionObject>(info) {
  auto config = to_config(info.Env(), info[0]);
  if (!config) return;
  session_ = std::make_unique<Session>(std::move(*config));
  channel_ = Channel::New(info.Env(), "sfkit session", 0, 1, this);
  has_channel_ = true;
  channel_.Unref(info.Env());
  // Hooks run in reverse order: the engine stops before the channel that it uses is closed.
  napi_add_env_cleanup_hook(info.Env(), on_teardown, this);
}

SessionObject::~SessionObject() {
  if (has_channel_) napi_remove_env_cleanup_hook(Env(), on_teardown, this);
  end();
}

void SessionObject::on_teardown(void* self) {
  static_cast<SessionObject*>(self)->end();
}

void SessionObject::end() {
  if (session_) session_->close();
  if (has_channel_) channel_.Release();
  has_channel_ = false;
}

Napi::Value SessionObject::next(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  if (napi_create_promise(env, &deferred, &promise) != napi_ok) return {};
  const uint64_t ticket = ++last_ticket_;
  if (pending_.empty()) {
    Ref();
    channel_.Ref(env);
  }
  pending_.emplace(ticket, deferred);
  session_->next([this, ticket](Result<std::optional<Batch>> result) {
    auto reply = std::make_unique<Reply>(Reply{ticket, std::move(result)});
    if (channel_.NonBlockingCall(reply.get()) == napi_ok) (void)reply.release();
  });
  return {env, promise};
}

void SessionObject::deliver(Napi::Env env, Napi::Function, SessionObject* self, Reply* reply) {
  const std::unique_ptr<Reply> kept(reply);
  // A null environment is being torn down: nobody waits for the promise.
  if (static_cast<napi_env>(env) != nullptr) self->resolve(env, *kept);
}

void SessionObject::resolve(napi_env env, Reply& reply) {
  const auto found = pending_.find(reply.ticket);
  if (found == pending_.end()) return;
  const napi_deferred deferred = found->second;
  pending_.erase(found);

  napi_value value = nullptr;
  bool rejected = !reply.result.is_ok();
  if (rejected) {
    value = from_status(env, reply.result.status());
  } else if (auto& batch = reply.result.value()) {
    value = from_batch(env, std::move(*batch));
    if (value == nullptr) {
      rejected = true;
      if (napi_get_and_clear_last_exception(env, &value) != napi_ok) value = nullptr;
    }
  } else if (napi_get_null(env, &value) != napi_ok) {
    value = nullptr;
  }
  if (value != nullptr) {
    // This fails only in a terminating environment, where nobody waits for the promise.
    (void)(rejected ? napi_reject_deferred(env, deferred, value)
                    : napi_resolve_deferred(env, deferred, value));
  }
  if (pending_.empty()) {
    channel_.Unref(env);
    Unref();
  }
}

Napi::Value SessionObject::summary(const Napi::CallbackInfo& info) {
  return from_summary(info.Env(), session_->summary());
}

Napi::Value SessionObject::progress(const Napi::CallbackInfo& info) {
  return from_progress(info.Env(), session_->progress());
}

void SessionObject::stop(const Napi::CallbackInfo&) {
  session_->stop();
}

void SessionObject::close(const Napi::CallbackInfo&) {
  session_->close();
}

Napi::Value SessionObject::take_unknown_containers(const Napi::CallbackInfo& info) {
  return from_unknown_containers(info.Env(), session_->take_unknown_containers());
}

Napi::Value SessionObject::take_busiest(const Napi::CallbackInfo& info) {
  return from_busiest(info.Env(), session_->take_busiest(info[0].ToNumber().Uint32Value()));
}

void SessionObject::describe_container(const Napi::CallbackInfo& info) {
  session_->describe_container(info[0].ToString().Utf8Value());
}

void SessionObject::add_kubernetes_event(const Napi::CallbackInfo& info) {
  session_->add_kubernetes_event(info[0].ToString().Utf8Value());
}

}  // namespace sfkit::addon
