// What the addon exports; the contract is src/engine/native.ts.
#include "addon/session_object.h"

#include <napi.h>

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("version", SFKIT_VERSION);
  exports.Set("Session", sfkit::addon::SessionObject::define(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(sfkit, init)
