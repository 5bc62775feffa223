// What the addon exports; the contract is src/engine/native.ts.
#include "addon/session_object.h"
#include "addon/socket_object.h"
#include "addon/values.h"
#include "filter/filter.h"

#include <napi.h>

namespace {

// checkFilter(text): throws what is wrong with the filter.
Napi::Value check_filter(const Napi::CallbackInfo& info) {
  const auto filter = sfkit::filter::Filter::compile(info[0].ToString().Utf8Value());
  if (!filter.is_ok()) napi_throw(info.Env(), sfkit::addon::from_status(info.Env(), filter.status()));
  return info.Env().Undefined();
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("version", SFKIT_VERSION);
  exports.Set("checkFilter", Napi::Function::New(env, check_filter, "checkFilter"));
  exports.Set("SeqpacketSocket", sfkit::addon::SocketObject::define(env));
  exports.Set("Session", sfkit::addon::SessionObject::define(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(sfkit, init)
