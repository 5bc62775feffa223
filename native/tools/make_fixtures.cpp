// Writes the captures of fixtures/ and fixtures/seeds/: `make_fixtures fixtures`.

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "testing/messages.h"
#include "testing/seeds.h"
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
  using namespace sfkit::testing;
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_fixtures DIRECTORY\n");
    return 2;
  }
  const std::string root = argv[1];
  const auto save_all = [&root](const std::string& folder, const std::vector<Fixture>& fixtures) {
    std::error_code ignored;
    std::filesystem::create_directories(root + folder, ignored);
    for (const Fixture& fixture : fixtures) {
      const std::string path = root + folder + fixture.name;
      if (save(path, fixture.bytes)) continue;
      std::fprintf(stderr, "make_fixtures: cannot write %s\n", path.c_str());
      return false;
    }
    return true;
  };
  const bool saved = save_all("/", webserver_captures()) &&
                     save_all("/seeds/captures/", valid_captures()) &&
                     save_all("/seeds/captures/", other_captures()) &&
                     save_all("/seeds/sysflow/", sysflow_files()) &&
                     save_all("/seeds/messages/", message_captures()) &&
                     save_all("/seeds/hostile/", story_choices());
  return saved ? 0 : 1;
}
