#include "live/source.h"

namespace sfkit::live {
namespace {

Status not_here() {
  return {ErrorCode::kNotSupported, "live capture works on x86-64 Linux only; captures can be read here"};
}

}  // namespace

Result<std::shared_ptr<LiveSource>> LiveSource::open(const LiveOptions&) {
  return not_here();
}

Result<std::string> LiveSource::try_probe(ProbeOptions) {
  return not_here();
}

}  // namespace sfkit::live
