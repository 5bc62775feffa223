// Writes the captures in fixtures/: `make_fixtures DIRECTORY`.

#include <cstdio>
#include <string>

#include "testing/webserver.h"

namespace {

bool save(const std::string& path, const std::vector<uint8_t>& bytes) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return false;
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  return std::fclose(file) == 0 && written;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_fixtures DIRECTORY\n");
    return 2;
  }
  for (const sfkit::testing::Fixture& fixture : sfkit::testing::webserver_captures()) {
    const std::string path = std::string(argv[1]) + "/" + fixture.name;
    if (!save(path, fixture.bytes)) {
      std::fprintf(stderr, "make_fixtures: cannot write %s\n", path.c_str());
      return 1;
    }
  }
  return 0;
}
