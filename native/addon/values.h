// C++ values as the JavaScript values that src/engine/native.ts declares, and back.
#pragma once

#include <napi.h>

#include <optional>
#include <vector>

#include "session.h"

namespace sfkit::addon {

// NativeConfig. TypeScript has validated it; what is of the wrong type all the same throws a TypeError that
// is pending when nothing is returned.
std::optional<SessionConfig> to_config(Napi::Env env, const Napi::Value& value);

// NativeRules, and NativeCompilation of them. As to_config().
std::optional<rules::Definitions> to_definitions(Napi::Env env, const Napi::Value& value);
Napi::Value from_compilation(Napi::Env env, const rules::Compilation& compilation);

// NativeBatch. The memory of the batch goes over to JavaScript without a copy where the platform lets it.
// Null when the environment takes no more values, as while a worker is being terminated.
napi_value from_batch(napi_env env, Batch batch);

// NativeSummary.
// Options of tryProbe, as of config.live. Throws and returns nothing when they are not as they should be.
std::optional<live::ProbeOptions> to_probe_options(Napi::Env env, const Napi::Value& value);
Napi::Value from_unknown_containers(Napi::Env env, const std::vector<UnknownContainer>& containers);
Napi::Value from_busiest(Napi::Env env, const std::vector<sysflow::TallyRow>& rows);
Napi::Value from_summary(Napi::Env env, const SessionSummary& summary);

// An Error with the `code` of base/status.h. Null as above.
napi_value from_status(napi_env env, const Status& status);

}  // namespace sfkit::addon
