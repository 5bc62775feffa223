// Removal that follows no link, as src/engine/native.ts declares it.
#pragma once

#include <napi.h>

namespace sfkit::addon {

// Sets the functions of files/removal.h, where the system has what they need.
void export_removal(Napi::Env env, Napi::Object exports);

}  // namespace sfkit::addon
