// Converts between C++ values and the JavaScript values of src/engine/native.ts.
#pragma once

#include <napi.h>

#include <optional>
#include <vector>

#include "session.h"

namespace sfkit::addon {

// NativeConfig. TypeScript has validated it; a wrong type still throws a TypeError, which is
// pending if nullopt is returned.
std::optional<SessionConfig> to_config(Napi::Env env, const Napi::Value& value);

// NativeRules and its NativeCompilation; see to_config().
std::optional<rules::Definitions> to_definitions(Napi::Env env, const Napi::Value& value);
Napi::Value from_compilation(Napi::Env env, const rules::Compilation& compilation);

// NativeBatch. Moves the memory to JavaScript without a copy where the platform allows it. Null if
// the environment accepts no more values, as in a terminating worker.
napi_value from_batch(napi_env env, Batch batch);

// Frees the memory of a batch of columns or bytes; its arrays become empty.
void release_batch(Napi::Env env, const Napi::Object& batch);

// Options of tryProbe and config.live. Returns nullopt with a pending exception if they are
// invalid.
std::optional<live::ProbeOptions> to_probe_options(Napi::Env env, const Napi::Value& value);
Napi::Value from_unknown_containers(Napi::Env env, const std::vector<UnknownContainer>& containers);
Napi::Value from_busiest(Napi::Env env, const std::vector<sysflow::TallyRow>& rows);
// NativeProgress and NativeSummary.
Napi::Value from_progress(Napi::Env env, const Progress& progress);
Napi::Value from_summary(Napi::Env env, const SessionSummary& summary);

// An Error with the `code` of base/status.h. Null as in from_batch().
napi_value from_status(napi_env env, const Status& status);

}  // namespace sfkit::addon
