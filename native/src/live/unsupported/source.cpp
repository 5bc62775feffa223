#include "live/source.h"

namespace sfkit::live {
namespace {

Status unsupported_system() {
  return {ErrorCode::kNotSupported, "live capture needs x86-64 Linux; reading captures works here"};
}

}  // namespace

Result<std::shared_ptr<LiveSource>> LiveSource::open(const LiveOptions&) {
  return unsupported_system();
}

Result<std::string> LiveSource::try_probe(ProbeOptions) {
  return unsupported_system();
}

}  // namespace sfkit::live
