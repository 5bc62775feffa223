// NativeSession of src/engine/native.ts.
#pragma once

#include <napi.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "session.h"

namespace sfkit::addon {

// Wraps sfkit::Session for JavaScript and moves results from the engine's thread to the event loop.
// An open promise keeps the object and the event loop alive.
class SessionObject : public Napi::ObjectWrap<SessionObject> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit SessionObject(const Napi::CallbackInfo& info);
  ~SessionObject() override;

 private:
  struct Reply {
    uint64_t ticket;
    Result<std::optional<Batch>> result;
  };
  static void deliver(Napi::Env env, Napi::Function, SessionObject* self, Reply* reply);
  using Channel = Napi::TypedThreadSafeFunction<SessionObject, Reply, deliver>;

  Napi::Value next(const Napi::CallbackInfo& info);
  Napi::Value summary(const Napi::CallbackInfo& info);
  Napi::Value progress(const Napi::CallbackInfo& info);
  void stop(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);
  Napi::Value take_unknown_containers(const Napi::CallbackInfo& info);
  Napi::Value take_busiest(const Napi::CallbackInfo& info);
  void describe_container(const Napi::CallbackInfo& info);
  void add_kubernetes_event(const Napi::CallbackInfo& info);

  void resolve(napi_env env, Reply& reply);
  // Stops the engine and releases the channel, which must not outlive the environment.
  void end();
  static void on_teardown(void* self);

  std::unique_ptr<Session> session_;
  Channel channel_;
  bool has_channel_ = false;
  uint64_t last_ticket_ = 0;
  std::map<uint64_t, napi_deferred> pending_;  // promises by ticket
};

}  // namespace sfkit::addon
