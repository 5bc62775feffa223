// SeqpacketSocket of src/engine/native.ts.
#pragma once

#include <napi.h>

#include "output/seqpacket.h"

namespace sfkit::addon {

class SocketObject : public Napi::ObjectWrap<SocketObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit SocketObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SocketObject>(info) {}

 private:
  void connect(const Napi::CallbackInfo& info);
  Napi::Value send(const Napi::CallbackInfo& info);
  Napi::Value unread(const Napi::CallbackInfo& info);
  Napi::Value has_ended(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  output::SeqpacketClient client_;
};

}  // namespace sfkit::addon
