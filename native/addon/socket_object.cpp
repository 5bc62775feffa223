#include "addon/socket_object.h"

#include <string>

#include "addon/values.h"

namespace sfkit::addon {

Napi::Function SocketObject::define(Napi::Env env) {
  return DefineClass(
      env, "SeqpacketSocket",
      {InstanceMethod<&SocketObject::connect>("connect"),
       InstanceMethod<&SocketObject::send>("send"), InstanceMethod<&SocketObject::unread>("unread"),
       InstanceMethod<&SocketObject::has_ended>("hasEnded"),
       InstanceMethod<&SocketObject::close>("close")});
}

void SocketObject::connect(const Napi::CallbackInfo& info) {
  const Status status = client_.connect(info[0].ToString().Utf8Value());
  if (!status.is_ok()) napi_throw(info.Env(), from_status(info.Env(), status));
}

Napi::Value SocketObject::send(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsTypedArray()) {
    Napi::TypeError::New(env, "send: expected a Uint8Array").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const auto message = info[0].As<Napi::Uint8Array>();
  bool too_long = false;
  const auto sent = client_.send(Bytes(message.Data(), message.ByteLength()), too_long);
  if (too_long) return Napi::String::New(env, "long");
  switch (sent) {
    case output::SeqpacketClient::Sent::kSent: return Napi::String::New(env, "sent");
    case output::SeqpacketClient::Sent::kBusy: return Napi::String::New(env, "busy");
    case output::SeqpacketClient::Sent::kLost: return Napi::String::New(env, "lost");
  }
  return env.Undefined();
}

Napi::Value SocketObject::unread(const Napi::CallbackInfo& info) {
  constexpr size_t kMinBytes = output::SeqpacketClient::kMinUnread;
  return Napi::Number::New(info.Env(),
                           static_cast<double>((client_.unread() + kMinBytes - 1) / kMinBytes));
}

Napi::Value SocketObject::has_ended(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), client_.has_ended());
}

void SocketObject::close(const Napi::CallbackInfo&) {
  client_.close();
}

}  // namespace sfkit::addon
