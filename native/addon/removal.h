// Safe removal of directories for JavaScript; see src/engine/native.ts.
#pragma once

#include <napi.h>

namespace sfkit::addon {

// Exports the functions of files/removal.h if the system supports them.
void export_removal(Napi::Env env, Napi::Object exports);

}  // namespace sfkit::addon
