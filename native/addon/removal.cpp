#include "addon/removal.h"

#include <string>

#include "files/removal.h"

namespace sfkit::addon {
namespace {

// identifyMadeDirectory(path): {device, inode, owner}, or null.
Napi::Value identify_made_directory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto made = files::identify_made_directory(info[0].ToString().Utf8Value());
  if (!made) return env.Null();
  Napi::Object object = Napi::Object::New(env);
  object.Set("device", Napi::BigInt::New(env, made->device));
  object.Set("inode", Napi::BigInt::New(env, made->inode));
  object.Set("owner", Napi::BigInt::New(env, made->owner));
  return object;
}

uint64_t number_in(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  bool lossless = false;
  return value.IsBigInt() ? value.As<Napi::BigInt>().Uint64Value(&lossless) : 0;
}

// removeMadeDirectory(path, made): whether the directory is gone.
Napi::Value remove_made_directory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[1].IsObject()) {
    Napi::TypeError::New(env, "removeMadeDirectory: expected an object")
        .ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const auto object = info[1].As<Napi::Object>();
  const files::MadeDirectory made{number_in(object, "device"), number_in(object, "inode"),
                                  number_in(object, "owner")};
  return Napi::Boolean::New(env,
                            files::remove_made_directory(info[0].ToString().Utf8Value(), made));
}

// removeLeftovers(directory, isLeftover)
Napi::Value remove_leftovers(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[1].IsFunction()) {
    Napi::TypeError::New(env, "removeLeftovers: expected a function").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const auto is_leftover = info[1].As<Napi::Function>();
  files::remove_leftovers(info[0].ToString().Utf8Value(), [&](const std::string& name) {
    if (env.IsExceptionPending()) return false;
    const Napi::HandleScope scope(env);
    const Napi::Value taken = is_leftover.Call({Napi::String::New(env, name)});
    return !env.IsExceptionPending() && taken.ToBoolean().Value();
  });
  return env.Undefined();
}

}  // namespace

void export_removal(Napi::Env env, Napi::Object exports) {
  if (!files::can_remove_safely()) return;
  exports.Set("identifyMadeDirectory",
              Napi::Function::New(env, identify_made_directory, "identifyMadeDirectory"));
  exports.Set("removeMadeDirectory",
              Napi::Function::New(env, remove_made_directory, "removeMadeDirectory"));
  exports.Set("removeLeftovers", Napi::Function::New(env, remove_leftovers, "removeLeftovers"));
}

}  // namespace sfkit::addon
