#include "base/foreign_file.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/utf8.h"

namespace sfkit {
namespace {

using namespace std::string_view_literals;

struct Magic {
  size_t offset;
  std::string_view bytes;
  std::string_view what;
};

// Compressed files and archives; `what` is followed by the command that writes their content to a
// pipe.
struct Packed {
  size_t offset;
  std::string_view bytes;
  std::string_view what;
  std::string_view command;
};

constexpr Packed kPacked[] = {
    {0, "\x28\xb5\x2f\xfd"sv, "compressed with zstd", "zstd -dc"},
    {0,
     "\xfd"
     "7zXZ\0"sv,
     "compressed with xz", "xz -dc"},
    {0, "\x5d\0\0"sv, "compressed with lzma", "xz -dc --format=lzma"},
    {0, "BZh"sv, "compressed with bzip2", "bzip2 -dc"},
    {0, "\x04\x22\x4d\x18"sv, "compressed with lz4", "lz4 -dc"},
    {0, "LZIP"sv, "compressed with lzip", "lzip -dc"},
    {0, "\x89LZO\0"sv, "compressed with lzop", "lzop -dc"},
    {0, "\x1f\x9d"sv, "compressed with compress", "gzip -dc"},
    {0, "\xff\x06\0\0sNaPpY"sv, "compressed with snappy", "snzip -dc"},
    {0, "PK\x03\x04"sv, "a zip archive", "unzip -p"},
    {0, "PK\x05\x06"sv, "an empty zip archive", ""},
    {0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive", "7z x -so"},
    {0, "Rar!\x1a\x07"sv, "a rar archive", "unrar p -inul"},
    {257, "ustar"sv, "a tar archive", "tar -xOf"},
};

constexpr Magic kForeign[] = {
    {0, "\xd4\xc3\xb2\xa1"sv, "a network capture (pcap); open it with Wireshark"},
    {0, "\xa1\xb2\xc3\xd4"sv, "a network capture (pcap); open it with Wireshark"},
    {0, "\x4d\x3c\xb2\xa1"sv, "a network capture (pcap); open it with Wireshark"},
    {0, "\xa1\xb2\x3c\x4d"sv, "a network capture (pcap); open it with Wireshark"},
    {0, "\x34\xcd\xb2\xa1"sv, "a network capture (pcap); open it with Wireshark"},
    {0, "\xa1\xb2\xcd\x34"sv, "a network capture (pcap); open it with Wireshark"},
    {0, "snoop\0\0\0"sv, "a network capture (snoop); open it with Wireshark"},
    {0, "PERFILE2"sv, "a recording of perf; read it with perf script"},
    {0,
     "\x17\x08"
     "Dtracing"sv,
     "a recording of ftrace; read it with trace-cmd report"},
    {0, "\xc1\x1f\xfc\xc1"sv, "a recording of LTTng (CTF); read it with babeltrace2"},
    {0, "LPKSHHRH"sv, "a journal of systemd; read it with journalctl --file"},
    {0, "PAR1"sv, "a Parquet file; sfkit query and sfkit convert read tables of sfkit"},
    {0, "ARROW1"sv, "an Arrow file; sfkit query and sfkit convert read tables of sfkit"},
    {8, "DUCK"sv, "a DuckDB database; open it with duckdb"},
    {0, "SQLite format 3\0"sv, "an SQLite database; open it with sqlite3"},
    {0,
     "\x7f"
     "ELF"sv,
     "a program or a core dump (ELF)"},
    {0, "%PDF-"sv, "a PDF document"},
};

constexpr size_t kLooked = 512;

bool has(Bytes start, size_t offset, std::string_view bytes) {
  return start.slice(offset, bytes.size()).text() == bytes;
}

// The name as a shell takes it, or a placeholder for names that need quotes.
std::string in_shell(const std::string& name) {
  const auto plain = [](unsigned char letter) {
    return std::isalnum(letter) != 0 ||
           std::string_view("_-./+,:=@%").find(static_cast<char>(letter)) != std::string_view::npos;
  };
  return std::all_of(name.begin(), name.end(), plain) && !name.starts_with('-') ? name : "FILE";
}

std::string packed_text(const std::string& name, const Packed& found) {
  std::string text = "is " + std::string(found.what);
  if (found.command.empty()) return text;
  text += ", which sfkit does not read; ";
  return text + "pipe its content into sfkit: " + std::string(found.command) + " " +
         in_shell(name) + " | sfkit convert -";
}

// Whether everything that was looked at can be text. The last character may be cut.
bool is_text(std::string_view start) {
  for (size_t at = 0; at < start.size();) {
    const auto letter = static_cast<unsigned char>(start[at]);
    if (letter < ' ' && letter != '\t' && letter != '\n' && letter != '\r' && letter != '\f')
      return false;
    const Utf8Character character = decode_utf8(start.substr(at));
    if (character.size == 0) return start.size() - at < 4 && at > 0;
    at += character.size;
  }
  return !start.empty();
}

std::string describe_text(std::string_view start) {
  if (start.starts_with("\xef\xbb\xbf")) start.remove_prefix(3);
  const size_t first = start.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "is text";
  const std::string_view rest = start.substr(first);
  if (rest[0] == '{' || rest[0] == '[')
    return "is JSON, which sfkit writes but does not read; name the capture that it was made from";
  if (rest.starts_with("<!DOCTYPE") || rest.starts_with("<!doctype") || rest.starts_with("<html"))
    return "is a web page, perhaps an error in place of a download";
  if (rest.starts_with("version https://git-lfs."))
    return "is a pointer of Git LFS, not the file itself; fetch it with git lfs pull";
  return "is text; expected a capture of system calls (.scap) or a SysFlow file (.sf)";
}

}  // namespace

std::string describe_foreign_file(const std::string& name, Bytes start) {
  start = start.slice(0, kLooked);
  for (const Packed& packed : kPacked) {
    if (has(start, packed.offset, packed.bytes)) return packed_text(name, packed);
  }
  // A frame of zstd or lz4 that decoders skip.
  if (start.size() > 4 && (start[0] & 0xf0U) == 0x50 && has(start, 1, "\x2a\x4d\x18"sv))
    return packed_text(name, kPacked[0]);
  for (const Magic& magic : kForeign) {
    if (has(start, magic.offset, magic.bytes)) return "is " + std::string(magic.what);
  }
  if (is_text(start.text())) return describe_text(start.text());
  if (!start.empty() && std::all_of(start.data(), start.data() + start.size(),
                                    [](uint8_t byte) { return byte == 0; }))
    return "starts with zeros, as a file that was never written";
  return {};
}

}  // namespace sfkit
