// Exports of the addon; see src/engine/native.ts.
#include "addon/removal.h"
#include "addon/session_object.h"
#include "addon/socket_object.h"
#include "addon/values.h"
#include "filter/filter.h"
#include "live/source.h"
#include "output/deflater.h"
#include "rules/compiler.h"
#include "state/memory_budget.h"

#include <napi.h>

namespace {

// checkFilter(text): throws the error of an invalid filter.
Napi::Value check_filter(const Napi::CallbackInfo& info) {
  const auto filter = sfkit::filter::Filter::compile(info[0].ToString().Utf8Value());
  if (!filter.is_ok())
    napi_throw(info.Env(), sfkit::addon::from_status(info.Env(), filter.status()));
  return info.Env().Undefined();
}

// compileRules(rules): compiles rules and returns their properties and errors.
Napi::Value compile_rules(const Napi::CallbackInfo& info) {
  const auto definitions = sfkit::addon::to_definitions(info.Env(), info[0]);
  if (!definitions) return info.Env().Undefined();
  return sfkit::addon::from_compilation(info.Env(), sfkit::rules::compile(*definitions));
}

// isRuleField(text)
Napi::Value is_rule_field(const Napi::CallbackInfo& info) {
  const std::string text = info[0].ToString().Utf8Value();
  size_t used = 0;
  auto operand = sfkit::filter::parse_operand(text, used);
  sfkit::filter::Problem problem;
  const bool is_field = operand && used == text.size() && sfkit::filter::resolve(*operand, problem);
  return Napi::Boolean::New(info.Env(), is_field);
}

// releaseBatch(batch)
void release_batch(const Napi::CallbackInfo& info) {
  if (info[0].IsObject()) sfkit::addon::release_batch(info.Env(), info[0].As<Napi::Object>());
}

// tryProbe(options): returns the available features; throws if the probe does not work.
Napi::Value try_probe(const Napi::CallbackInfo& info) {
  const auto options = sfkit::addon::to_probe_options(info.Env(), info[0]);
  if (!options) return info.Env().Undefined();
  const auto tried = sfkit::live::LiveSource::try_probe(*options);
  if (tried.is_ok()) return Napi::String::New(info.Env(), tried.value());
  napi_throw(info.Env(), sfkit::addon::from_status(info.Env(), tried.status()));
  return info.Env().Undefined();
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("version", SFKIT_VERSION);
  exports.Set("deflateLibrary", sfkit::output::Deflater::library_name());
  exports.Set("minMaxMemory", static_cast<double>(sfkit::state::MemoryBudget::kMinLimit));
  exports.Set("checkFilter", Napi::Function::New(env, check_filter, "checkFilter"));
  exports.Set("compileRules", Napi::Function::New(env, compile_rules, "compileRules"));
  exports.Set("isRuleField", Napi::Function::New(env, is_rule_field, "isRuleField"));
  exports.Set("releaseBatch", Napi::Function::New(env, release_batch, "releaseBatch"));
  exports.Set("tryProbe", Napi::Function::New(env, try_probe, "tryProbe"));
  sfkit::addon::export_removal(env, exports);
  exports.Set("SeqpacketSocket", sfkit::addon::SocketObject::define(env));
  exports.Set("Session", sfkit::addon::SessionObject::define(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(sfkit, init)
