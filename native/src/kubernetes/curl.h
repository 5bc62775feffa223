// libcurl, which is loaded at run time: a program needs no TLS library unless it asks the
// Kubernetes API. All releases of libcurl.so.4 have the same types and numbers.
#pragma once

#include "base/status.h"

namespace sfkit::kubernetes {

// Numbers of <curl/curl.h>: a base for the type of the argument, and the number of the option
// (enum CURLoption: CURLOPTTYPE_LONG 0, CURLOPTTYPE_OBJECTPOINT 10000, CURLOPTTYPE_FUNCTIONPOINT
// 20000).
enum CurlOption : int {
  kCurlWriteData = 10'001,       // CURLOPT_WRITEDATA
  kCurlUrl = 10'002,             // CURLOPT_URL
  kCurlProxy = 10'004,           // CURLOPT_PROXY
  kCurlErrorBuffer = 10'010,     // CURLOPT_ERRORBUFFER
  kCurlWriteFunction = 20'011,   // CURLOPT_WRITEFUNCTION
  kCurlHttpHeader = 10'023,      // CURLOPT_HTTPHEADER
  kCurlSslCert = 10'025,         // CURLOPT_SSLCERT
  kCurlKeyPassword = 10'026,     // CURLOPT_KEYPASSWD
  kCurlHeaderData = 10'029,      // CURLOPT_HEADERDATA
  kCurlCaInfo = 10'065,          // CURLOPT_CAINFO
  kCurlHeaderFunction = 20'079,  // CURLOPT_HEADERFUNCTION
  kCurlHttpVersion = 84,         // CURLOPT_HTTP_VERSION
  kCurlSslKey = 10'087,          // CURLOPT_SSLKEY
  kCurlCaPath = 10'097,          // CURLOPT_CAPATH
  kCurlNoSignal = 99,            // CURLOPT_NOSIGNAL
};
// <curl/curl.h>
inline constexpr long kCurlGlobalDefault = 3;            // CURL_GLOBAL_DEFAULT: SSL and WIN32
inline constexpr long kCurlHttp11 = 2;                   // CURL_HTTP_VERSION_1_1
inline constexpr int kCurlResponseCode = 0x200'000 + 2;  // CURLINFO_RESPONSE_CODE: a long
inline constexpr unsigned kCurlErrorSize = 256;          // CURL_ERROR_SIZE
inline constexpr int kCurlOk = 0;                        // CURLE_OK
inline constexpr int kCurlSslConnectError = 35;          // CURLE_SSL_CONNECT_ERROR
inline constexpr int kCurlSslCertProblem = 58;           // CURLE_SSL_CERTPROBLEM
inline constexpr int kCurlPeerFailedVerification = 60;   // CURLE_PEER_FAILED_VERIFICATION
inline constexpr int kCurlSslCaCertBadFile = 77;         // CURLE_SSL_CACERT_BADFILE
// <curl/multi.h>
inline constexpr int kCurlMessageDone = 1;     // CURLMSG_DONE
inline constexpr short kCurlWaitPollIn = 0x1;  // CURL_WAIT_POLLIN

// struct CURLMsg of <curl/multi.h>
struct CurlMessage {
  int kind;
  void* easy;
  union {
    void* whatever;
    int result;
  } data;
};

// struct curl_waitfd of <curl/multi.h>
struct CurlWait {
  int fd;
  short events;
  short revents;
};

// Functions of <curl/curl.h>, <curl/easy.h> and <curl/multi.h> with the prefix curl_. Handles are
// opaque there too.
struct Curl {
  int (*global_init)(long flags) = nullptr;
  void* (*easy_init)() = nullptr;
  int (*easy_setopt)(void* easy, int option, ...) = nullptr;
  int (*easy_getinfo)(void* easy, int info, ...) = nullptr;
  void (*easy_cleanup)(void* easy) = nullptr;
  const char* (*easy_strerror)(int code) = nullptr;
  void* (*slist_append)(void* list, const char* text) = nullptr;
  void (*slist_free_all)(void* list) = nullptr;
  void* (*multi_init)() = nullptr;
  int (*multi_add_handle)(void* multi, void* easy) = nullptr;
  int (*multi_remove_handle)(void* multi, void* easy) = nullptr;
  int (*multi_perform)(void* multi, int* running) = nullptr;
  int (*multi_wait)(void* multi, CurlWait* extra, unsigned count, int timeout_ms,
                    int* ready) = nullptr;
  CurlMessage* (*multi_info_read)(void* multi, int* left) = nullptr;
  int (*multi_cleanup)(void* multi) = nullptr;

  // The library, loaded once; the reason if that is impossible. Never unloaded.
  static const Result<Curl>& get();
};

}  // namespace sfkit::kubernetes
