#include "kubernetes/curl.h"

#include <dlfcn.h>
#ifdef __linux__
#include <link.h>
#endif

#include <string>
#include <type_traits>

namespace sfkit::kubernetes {
namespace {

constexpr const char* kLibrary = "libcurl.so.4";

Status unusable(const std::string& why) {
  return {ErrorCode::kNotSupported, std::string(kLibrary) + " cannot be loaded: " + why};
}

// A static program has a C library of its own, which a shared library must not be mixed with.
bool is_static_program() {
#ifdef __linux__
  bool is_static = true;
  // The first object is the program. Only a dynamic one names an interpreter.
  ::dl_iterate_phdr(
      [](dl_phdr_info* program, size_t, void* result) {
        for (int i = 0; i < program->dlpi_phnum; ++i) {
          if (program->dlpi_phdr[i].p_type == PT_INTERP) *static_cast<bool*>(result) = false;
        }
        return 1;
      },
      &is_static);
  return is_static;
#else
  return false;
#endif
}

Result<Curl> load() {
  if (is_static_program()) return unusable("this program is linked statically");
  void* const handle = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* const why = ::dlerror();
    return unusable(why == nullptr ? "unknown error" : why);
  }
  Curl curl;
  const char* missing = nullptr;
  const auto find = [&](auto& function, const char* name) {
    void* const symbol = ::dlsym(handle, name);
    if (symbol == nullptr) missing = name;
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(symbol);
  };
  find(curl.global_init, "curl_global_init");
  find(curl.easy_init, "curl_easy_init");
  find(curl.easy_setopt, "curl_easy_setopt");
  find(curl.easy_getinfo, "curl_easy_getinfo");
  find(curl.easy_cleanup, "curl_easy_cleanup");
  find(curl.easy_strerror, "curl_easy_strerror");
  find(curl.slist_append, "curl_slist_append");
  find(curl.slist_free_all, "curl_slist_free_all");
  find(curl.multi_init, "curl_multi_init");
  find(curl.multi_add_handle, "curl_multi_add_handle");
  find(curl.multi_remove_handle, "curl_multi_remove_handle");
  find(curl.multi_perform, "curl_multi_perform");
  find(curl.multi_wait, "curl_multi_wait");
  find(curl.multi_info_read, "curl_multi_info_read");
  find(curl.multi_cleanup, "curl_multi_cleanup");
  if (missing != nullptr) return unusable(std::string(missing) + " is missing");
  if (const int code = curl.global_init(kCurlGlobalDefault); code != kCurlOk)
    return unusable(curl.easy_strerror(code));
  return curl;
}

}  // namespace

const Result<Curl>& Curl::get() {
  static const Result<Curl> library = load();
  return library;
}

}  // namespace sfkit::kubernetes
