#include "sysflow_file/reader.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/json.h"
#include "output/avro_container.h"
#include "schema.gen.h"
#include "sysflow_file/decoder.h"
#include "testing/record_log.h"
#include "testing/temporary_file.h"

namespace sfkit::sysflow_file {
namespace {

namespace fs = std::filesystem;

using testing::TemporaryFile;

struct Outcome {
  Status status;
  RecordLog log;
  ReadSummary summary;
};

Outcome read_path(const std::string& path) {
  Outcome outcome;
  const std::atomic<bool> cancel{false};
  outcome.status = read_sysflow_file(path, outcome.log, cancel, outcome.summary);
  return outcome;
}

Outcome read_text(std::string_view content) {
  const TemporaryFile file(content);
  return read_path(file.path());
}

std::string written(const std::function<void(sysflow::RecordSink&)>& give) {
  std::string file;
  output::AvroContainer container([&](std::vector<uint8_t> bytes) {
    file.append(bytes.begin(), bytes.end());
    return true;
  });
  give(container);
  return file;
}

std::string avro_long(int64_t value) {
  ByteBuffer out;
  output::append_long(out, value);
  return std::string(out.bytes().text());
}

std::string avro_text(std::string_view text) {
  return avro_long(static_cast<int64_t>(text.size())) + std::string(text);
}

const std::string kSync = "0123456789abcdef";

// A handmade container with any schema and codec.
std::string container_file(std::string_view schema, std::string_view codec,
                           std::string_view blocks) {
  return std::string(kMagic) + avro_long(2) + avro_text("avro.schema") + avro_text(schema) +
         avro_text("avro.codec") + avro_text(codec) + avro_long(0) + kSync + std::string(blocks);
}

std::string block(int64_t count, std::string_view data) {
  return avro_long(count) + avro_long(static_cast<int64_t>(data.size())) + std::string(data) +
         kSync;
}

// Uncompressed datums of the newest schema.
std::string datums(const std::function<void(output::AvroEncoder&)>& give) {
  ByteBuffer out;
  output::AvroEncoder encoder(out);
  give(encoder);
  return std::string(out.bytes().text());
}

std::string header_datum(const std::string& exporter) {
  return datums([&](output::AvroEncoder& encoder) {
    encoder.encode(sysflow::Header{5, exporter, "", ""});
  });
}

constexpr int kBareDeflate = -15;
constexpr int kZlibWrapper = 15;

std::string deflated(const std::string& plain, int window) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY),
            Z_OK);
  std::string out(plain.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string notes_of(const Outcome& outcome) {
  std::string text;
  for (const Skipped& note : outcome.summary.notes) {
    if (!text.empty()) text += "; ";
    text += std::to_string(note.count) + " " + info_of(note.reason).text;
  }
  return text;
}

TEST(SysflowFile, RoundTripsRecords) {
  RecordLog expected;
  emit_one_of_each(expected);
  const Outcome outcome = read_text(written(emit_one_of_each));
  ASSERT_TRUE(outcome.status.is_ok()) << outcome.status.message();
  EXPECT_EQ(outcome.log.lines, expected.lines);
  EXPECT_TRUE(outcome.log.finished);
  EXPECT_TRUE(outcome.summary.damage.empty());
  EXPECT_EQ(outcome.summary.format, "sysflow");
  EXPECT_EQ(outcome.summary.compression, "deflate");
  EXPECT_EQ(outcome.summary.events, expected.lines.size());
  EXPECT_EQ(outcome.summary.first_time, 1600000000123456789 + 4);
  EXPECT_EQ(outcome.summary.last_time, 1600000000123456789 + 13);
}

TEST(SysflowFile, ReadsManyBlocks) {
  RecordLog expected;
  const auto give = [](sysflow::RecordSink& sink) {
    sink.header({5, "x", "", ""});
    for (int i = 0; i < 20000; ++i)
      sink.file_flow({{i, i * 3}, i, i, 1, 0, i + 1, {}, i, {1, 2, 3, i}});
    sink.finish();
  };
  give(expected);
  EXPECT_EQ(read_text(written(give)).log.lines, expected.lines);
}

TEST(SysflowFile, RepairsInvalidText) {
  const Outcome outcome = read_text(written([](sysflow::RecordSink& sink) {
    sink.header({5, "a\xFF", "", ""});
    sink.finish();
  }));
  EXPECT_EQ(outcome.log.lines.at(0), "SFHeader|5|a\uFFFD||");
}

TEST(SysflowFile, ReportsEveryTruncationAndKeepsThePrefix) {
  RecordLog all;
  emit_one_of_each(all);
  const std::string file = written(emit_one_of_each);
  const size_t header = file.find(kSysFlowSchema) + kSysFlowSchema.size() + 1 + 16;
  for (size_t size = 0; size < file.size(); ++size) {
    const Outcome outcome = read_text(std::string_view(file).substr(0, size));
    if (size < header) {
      EXPECT_FALSE(outcome.status.is_ok()) << size;
      EXPECT_FALSE(outcome.status.message().empty());
      continue;
    }
    ASSERT_TRUE(outcome.status.is_ok()) << size << outcome.status.message();
    ASSERT_LE(outcome.log.lines.size(), all.lines.size());
    EXPECT_TRUE(std::equal(outcome.log.lines.begin(), outcome.log.lines.end(), all.lines.begin()))
        << size;
    if (size == header) continue;  // a file can end after its header
    ASSERT_EQ(outcome.summary.damage.size(), 1u) << size;
    EXPECT_EQ(outcome.summary.damage[0].kind, "truncated");
    EXPECT_EQ(outcome.summary.damage[0].offset, header);
    EXPECT_EQ(outcome.summary.damage[0].skipped_bytes, size - header);
  }
}

TEST(SysflowFile, LosesOnlyRecordsAfterTheTruncation) {
  const std::string file = written(emit_one_of_each);
  const Outcome outcome = read_text(std::string_view(file).substr(0, file.size() - 60));
  EXPECT_GT(outcome.log.lines.size(), 5u);
}

TEST(SysflowFile, SurvivesAnyChangedByte) {
  const std::string file = written(emit_one_of_each);
  const size_t schema = file.find(kSysFlowSchema);
  for (size_t at = 0;
       at<file.size(); at += at> schema && at + 64 < schema + kSysFlowSchema.size() ? 13 : 1) {
    for (const char change : {'\x01', '\x80', '\xFF'}) {
      std::string changed = file;
      changed[at] = static_cast<char>(changed[at] ^ change);
      const Outcome outcome = read_text(changed);
      if (!outcome.status.is_ok()) {
        EXPECT_FALSE(outcome.status.message().empty());
      }
    }
  }
}

TEST(SysflowFile, ResumesAfterADamagedBlock) {
  std::string broken = block(1, header_datum("two"));
  const std::string good = block(1, header_datum("one"));
  const std::string last = block(1, header_datum("three"));
  // The exporter's length now exceeds the block.
  broken[4] = '\x7e';
  const std::string file = container_file(kSysFlowSchema, "null", good + broken + last);
  const Outcome outcome = read_text(file);
  EXPECT_EQ(outcome.log.lines,
            (std::vector<std::string>{"SFHeader|5|one||", "SFHeader|5|three||"}));
  ASSERT_EQ(outcome.summary.damage.size(), 1u);
  EXPECT_EQ(outcome.summary.damage[0].kind, "bad-block");
  EXPECT_EQ(outcome.summary.damage[0].offset, file.size() - last.size() - broken.size());
}

TEST(SysflowFile, ContinuesAtTheNextBlockAfterABadSize) {
  const std::string good = block(1, header_datum("one"));
  std::string wrong_size = block(1, header_datum("two"));
  wrong_size[1] = '\x04';
  const std::string huge = avro_long(1) + avro_long(int64_t{1} << 40) + header_datum("x") + kSync;
  const std::string negative = avro_long(-1) + avro_long(4) + header_datum("x") + kSync;
  const std::string last = block(1, header_datum("three"));
  const Outcome outcome =
      read_text(container_file(kSysFlowSchema, "null", good + wrong_size + huge + negative + last));
  EXPECT_EQ(outcome.log.lines,
            (std::vector<std::string>{"SFHeader|5|one||", "SFHeader|5|three||"}));
  ASSERT_EQ(outcome.summary.damage.size(), 3u);
  EXPECT_EQ(outcome.summary.damage[0].kind, "bad-sync");
  EXPECT_EQ(outcome.summary.damage[0].skipped_bytes, wrong_size.size());
  EXPECT_EQ(outcome.summary.damage[1].kind, "bad-block");
  EXPECT_EQ(outcome.summary.damage[2].kind, "bad-block");
}

TEST(SysflowFile, KeepsABlockWithADamagedMarker) {
  std::string file = written(emit_one_of_each);
  file.back() = static_cast<char>(file.back() ^ 1);
  RecordLog all;
  emit_one_of_each(all);
  const Outcome outcome = read_text(file);
  EXPECT_EQ(outcome.log.lines, all.lines);
  ASSERT_EQ(outcome.summary.damage.size(), 1u);
  EXPECT_EQ(outcome.summary.damage[0].kind, "bad-sync");
}

TEST(SysflowFile, ReadsSnappyAndVerifiesItsChecksum) {
  const std::string plain = header_datum("snap");
  std::string data = std::string(1, static_cast<char>(plain.size())) +
                     std::string(1, static_cast<char>((plain.size() - 1) << 2)) + plain;
  const auto sum = static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(plain.data()), static_cast<uInt>(plain.size())));
  for (int shift = 24; shift >= 0; shift -= 8) data += static_cast<char>(sum >> shift);
  Outcome outcome = read_text(container_file(kSysFlowSchema, "snappy", block(1, data)));
  EXPECT_EQ(outcome.log.lines, std::vector<std::string>{"SFHeader|5|snap||"});
  EXPECT_EQ(outcome.summary.compression, "snappy");
  data.back() = static_cast<char>(data.back() ^ 1);
  outcome = read_text(container_file(kSysFlowSchema, "snappy", block(1, data)));
  EXPECT_EQ(outcome.log.lines, std::vector<std::string>{"SFHeader|5|snap||"});
  ASSERT_EQ(outcome.summary.damage.size(), 1u);
  EXPECT_EQ(outcome.summary.damage[0].kind, "bad-block");
  data.resize(data.size() - 4);
  outcome = read_text(container_file(kSysFlowSchema, "snappy", block(1, data) + block(1, data)));
  EXPECT_EQ(outcome.log.lines.size(), 2u);
  EXPECT_TRUE(outcome.summary.damage.empty());
  EXPECT_EQ(notes_of(outcome), "2 blocks without the checksum of the snappy codec");
}

TEST(SysflowFile, IgnoresBytesAfterDeflatedData) {
  const std::string bare = deflated(header_datum("one"), kBareDeflate);
  for (const size_t rest : {0, 1, 3, 4, 100}) {
    const std::string blocks = block(1, bare + std::string(rest, 'x')) + block(1, bare);
    const Outcome outcome = read_text(container_file(kSysFlowSchema, "deflate", blocks));
    EXPECT_EQ(outcome.log.lines, (std::vector<std::string>{"SFHeader|5|one||", "SFHeader|5|one||"}))
        << rest;
    EXPECT_TRUE(outcome.summary.damage.empty());
    EXPECT_EQ(notes_of(outcome),
              rest == 0
                  ? ""
                  : std::to_string(rest) + " bytes ignored after the compressed data of blocks");
  }
  const std::string wrapped = deflated(header_datum("two"), kZlibWrapper);
  const Outcome outcome = read_text(container_file(kSysFlowSchema, "deflate", block(1, wrapped)));
  EXPECT_EQ(outcome.log.lines, std::vector<std::string>{"SFHeader|5|two||"});
  EXPECT_EQ(notes_of(outcome), "1 blocks with a zlib header, which Avro does not use");
  EXPECT_EQ(read_text(container_file(kSysFlowSchema, "deflate", block(1, bare.substr(0, 5))))
                .summary.damage.size(),
            1u);
}

TEST(SysflowFile, IgnoresBlocksWithoutRecords) {
  const std::string one = header_datum("one");
  EXPECT_EQ(read_text(container_file(kSysFlowSchema, "null", block(0, "") + block(1, one)))
                .log.lines.size(),
            1u);
  const std::string nothing = block(0, "") + block(0, deflated("", kBareDeflate));
  const Outcome outcome = read_text(container_file(
      kSysFlowSchema, "deflate", nothing + block(1, deflated(one, kBareDeflate)) + nothing));
  EXPECT_EQ(outcome.log.lines.size(), 1u);
  EXPECT_TRUE(outcome.summary.damage.empty());
}

TEST(SysflowFile, KeepsAnUncompressedBlockWithADamagedMarker) {
  std::string broken = block(1, header_datum("two"));
  broken.back() = static_cast<char>(broken.back() ^ 1);
  const std::string blocks =
      block(1, header_datum("one")) + broken + block(1, header_datum("three"));
  const Outcome outcome = read_text(container_file(kSysFlowSchema, "null", blocks));
  EXPECT_EQ(outcome.log.lines.size(), 3u);
  ASSERT_EQ(outcome.summary.damage.size(), 1u);
  EXPECT_EQ(outcome.summary.damage[0].skipped_bytes, 0u);
}

TEST(SysflowFile, AcceptsMetadataInAnyOrder) {
  const std::string header = avro_text("avro.codec") + avro_text("") + avro_text("who") +
                             avro_text("\xFF") + avro_text("avro.schema") +
                             avro_text(kSysFlowSchema);
  const std::string blocks = kSync + block(1, header_datum("one"));
  for (const std::string& count :
       {avro_long(3), avro_long(-3) + avro_long(static_cast<int64_t>(header.size()))}) {
    const Outcome outcome = read_text(std::string(kMagic) + count + header + avro_long(0) + blocks);
    EXPECT_EQ(outcome.log.lines.size(), 1u) << outcome.status.message();
  }
  const std::string no_codec = std::string(kMagic) + avro_long(1) + avro_text("avro.schema") +
                               avro_text(kSysFlowSchema) + avro_long(0);
  EXPECT_EQ(read_text(no_codec + blocks).log.lines.size(), 1u);
}

// Another namespace, aliases, another field order, enums as strings, and a record instead of the
// union.
TEST(SysflowFile, ReadsSchemasOfOtherWriters) {
  const char* schema = R"({"type": "record", "name": "Flow", "fields": [
    {"name": "zz", "type": ["long", "null"], "default": 3},
    {"name": "rec", "type": [
      {"type": "record", "name": "File", "namespace": "other.place", "doc": "d", "fields": [
        {"name": "path", "type": ["null", {"type": "string", "avro.java.string": "String"}]},
        {"name": "letter", "aliases": ["restype"], "type": "long"},
        {"name": "state", "type": "string"},
        {"name": "oid", "type": "bytes"},
        {"name": "containerId", "type": ["string", "null"], "default": "c"}]},
      {"type": "record", "name": "Top", "aliases": ["sysflow.entity.SFHeader"], "fields": [
        {"name": "exporter", "type": {"type": "enum", "name": "Who", "symbols": ["A", "B"]}}]}]}]})";
  const std::string data =
      avro_long(0) + avro_long(9) + avro_long(1) + avro_long(1) +  // header of B
      avro_long(1) + avro_long(0) + avro_long(1) + avro_text("/x") + avro_long('d') +
      avro_text("MODIFIED") + avro_text(std::string(20, '\x01')) + avro_long(1);
  Outcome outcome = read_text(container_file(schema, "null", block(2, data)));
  ASSERT_TRUE(outcome.status.is_ok()) << outcome.status.message();
  EXPECT_TRUE(outcome.summary.damage.empty());
  std::string oid;
  for (int i = 0; i < 20; ++i) oid += "1.";
  EXPECT_EQ(outcome.log.lines,
            (std::vector<std::string>{"SFHeader|5|B|NA|", "File|1|" + oid + "|0|100|/x|-"}));

  const char* single = R"({"type": "record", "name": "Flow", "fields": [{"name": "rec", "type":
    {"type": "record", "name": "SFHeader", "fields": [{"name": "exporter", "type": "string"}]}}]})";
  outcome = read_text(container_file(single, "null", block(1, avro_text("x"))));
  EXPECT_EQ(outcome.log.lines, std::vector<std::string>{"SFHeader|5|x|NA|"});
}

// One byte of the file would be a string in memory.
TEST(SysflowFile, LimitsTextsOfAnArray) {
  const std::string schema =
      R"({"type": "record", "name": "SysFlow", "fields": [{"name": "rec", "type": [
    {"type": "record", "name": "Process", "fields": [
      {"name": "env", "type": {"type": "array", "items": "string"}}, {"name": "exe", "type": "string"}]}]}]})";
  constexpr int64_t kMax = 65536;
  for (const int64_t texts : {kMax - 1, kMax, kMax + 1, kMax * 4}) {
    const std::string data = avro_long(0) + avro_long(texts) +
                             std::string(static_cast<size_t>(texts), '\0') + avro_long(0) +
                             avro_text("/x");
    const Outcome outcome = read_text(container_file(schema, "null", block(1, data)));
    ASSERT_EQ(outcome.log.lines.size(), 1u);
    EXPECT_NE(outcome.log.lines[0].find("/x"), std::string::npos);
    ASSERT_EQ(outcome.summary.damage.size(), texts > kMax ? 1u : 0u) << texts;
    if (texts <= kMax) continue;
    EXPECT_EQ(outcome.summary.damage[0].kind, "long-array");
    EXPECT_EQ(outcome.summary.damage[0].message,
              std::to_string(texts - kMax) +
                  " texts and items were dropped: an array takes 65536 texts, a pod 65536 bytes");
  }
}

// A file with one pod: `fields` of the schema, and their data.
Outcome read_pod(std::string_view fields, const std::string& data) {
  const std::string schema =
      R"({"type": "record", "name": "SysFlow", "fields": [{"name": "rec", "type": [
    {"type": "record", "name": "Pod", "fields": [)" +
      std::string(fields) + R"(, {"name": "id", "type": "string"}]}]}]})";
  return read_text(container_file(schema, "null", block(1, avro_long(0) + data + avro_text("p1"))));
}

TEST(SysflowFile, ReadsTheLabelsAndSelectorsOfAPodUpToALimit) {
  for (const char* const name : {"labels", "selectors"}) {
    const std::string fields =
        R"({"name": ")" + std::string(name) + R"(", "type": {"type": "map", "values": "string"}})";
    const bool are_labels = name == std::string_view("labels");
    const auto line = [&](const std::string& text) {
      return "Pod|0|p1||||0|" + (are_labels ? text + "|" : "|" + text) + "|||";
    };
    EXPECT_EQ(read_pod(fields, avro_long(0)).log.lines.at(0), line(""));
    const Outcome clean = read_pod(fields, avro_long(2) + avro_text("app") + avro_text("w\"b") +
                                               avro_text("") + avro_text("x") + avro_long(0));
    EXPECT_EQ(clean.log.lines.at(0), line(R"({"app":"w\"b","":"x"})"));
    EXPECT_TRUE(clean.summary.damage.empty());
    const Outcome cut = read_pod(fields, avro_long(2) + avro_text("big") +
                                             avro_text(std::string(Decoder::kMaxPodBytes, 'x')) +
                                             avro_text("k") + avro_text("v") + avro_long(0));
    EXPECT_EQ(cut.log.lines.at(0), line(R"({"k":"v"})"));
    EXPECT_EQ(cut.summary.damage.size(), 1u);
  }
}

TEST(SysflowFile, ReadsTheAddressesAndServicesOfAPodUpToALimit) {
  const std::string_view fields =
      R"({"name": "internalIP", "type": {"type": "array", "items": "long"}},
      {"name": "services", "type": {"type": "array", "items": {"type": "record", "name": "Service",
        "fields": [{"name": "name", "type": "string"}, {"name": "later", "type": "long"},
          {"name": "portList", "type": {"type": "array", "items": {"type": "record", "name": "Port",
            "fields": [{"name": "port", "type": "int"}, {"name": "proto", "type": "string"}]}}},
          {"name": "clusterIP", "type": {"type": "array", "items": "long"}}]}}})";
  const auto service = [](const std::string& name, const std::string& ports) {
    return avro_text(name) + avro_long(7) + ports + avro_long(0) + avro_long(1) + avro_long(-5) +
           avro_long(0);
  };
  const std::string port = avro_long(1) + avro_long(80) + avro_text("TCP");
  const std::string addresses = avro_long(2) + avro_long(1) + avro_long(2) + avro_long(0);
  const Outcome clean = read_pod(
      fields, addresses + avro_long(2) + service("a", port) + service("b", "") + avro_long(0));
  EXPECT_EQ(clean.log.lines.at(0), "Pod|0|p1||||0||||1;2;|a,,,-5;,80/0/0/TCP b,,,-5; ");
  EXPECT_TRUE(clean.summary.damage.empty());

  // More items, or longer texts, than a pod takes: the rest of the file is read.
  constexpr size_t kMany = 100000;
  std::string many;
  for (size_t i = 0; i < kMany; ++i) many += service("s", port);
  std::string names;
  for (size_t i = 0; i < 3; ++i) names += service(std::string(Decoder::kMaxPodBytes / 2, 'n'), "");
  for (const auto& [count, data] : {std::pair{kMany, many}, std::pair{size_t{3}, names}}) {
    const Outcome cut =
        read_pod(fields, addresses + avro_long(static_cast<int64_t>(count)) + data + avro_long(0));
    ASSERT_EQ(cut.log.lines.size(), 1u);
    EXPECT_EQ(cut.log.lines[0].substr(0, 12), "Pod|0|p1||||");
    EXPECT_LT(cut.log.lines[0].size(), Decoder::kMaxPodBytes);
    ASSERT_EQ(cut.summary.damage.size(), 1u);
    EXPECT_EQ(cut.summary.damage[0].kind, "long-array");
  }
}

TEST(SysflowFile, IgnoresImpossibleTimesInTheTimeSpan) {
  const Outcome outcome = read_text(written([](sysflow::RecordSink& sink) {
    for (const int64_t ts :
         {int64_t{INT64_MAX}, int64_t{5}, int64_t{INT64_MIN}, int64_t{9}, int64_t{-1}}) {
      sink.process_flow({{1, 1}, ts, 1, 1, INT64_MAX, 0, 0});
    }
    sink.finish();
  }));
  EXPECT_EQ(outcome.log.lines.size(), 5u);
  EXPECT_EQ(outcome.summary.first_time, 5);
  EXPECT_EQ(outcome.summary.last_time, 9);
}

// The oldest schema: no ip, fd, entry, cwd and env; six container types; plus an unknown field.
TEST(SysflowFile, FillsInFieldsThatOlderSchemasLack) {
  const char* schema = R"({"type": "record", "namespace": "sysflow", "name": "SysFlow", "fields": [
    {"name": "rec", "type": [
      {"type": "record", "namespace": "sysflow.entity", "name": "SFHeader", "fields": [
        {"name": "version", "type": {"type": "long", "logicalType": "x"}}, {"name": "exporter", "type": "string"}]},
      {"type": "record", "namespace": "sysflow.entity", "name": "Container", "fields": [
        {"name": "id", "type": "string"}, {"name": "name", "type": "string"},
        {"name": "type", "type": {"type": "enum", "namespace": "sysflow.type", "name": "ContainerType",
          "symbols": ["CT_CUSTOM", "CT_MESOS", "CT_NEW"]}},
        {"name": "extra", "type": {"type": "map", "values": ["null", {"type": "array", "items": "double"}]}},
        {"name": "privileged", "type": "boolean"}]},
      {"type": "record", "namespace": "sysflow.entity", "name": "Process", "fields": [
        {"name": "oid", "type": {"type": "record", "namespace": "sysflow.type", "name": "OID", "fields": [
          {"name": "hpid", "type": "int"}, {"name": "createTS", "type": "long"}]}},
        {"name": "poid", "type": ["null", "sysflow.type.OID"]},
        {"name": "exe", "type": "string"}]},
      {"type": "record", "namespace": "sysflow.flow", "name": "NetworkFlow", "fields": [
        {"name": "procOID", "type": "sysflow.type.OID"}, {"name": "sip", "type": "int"}]},
      {"type": "record", "namespace": "sysflow.event", "name": "NetworkEvent", "fields": [
        {"name": "ret", "type": "int"}]},
      {"type": "record", "namespace": "other", "name": "Thing", "fields": []}]}]})";
  const std::string data =
      avro_long(0) + avro_long(1000) + avro_text("e") +                // header
      avro_long(1) + avro_text("c") + avro_text("n") + avro_long(1) +  // container, MESOS
      avro_long(-1) + avro_long(17) + avro_text("k") + avro_long(1) +
      avro_long(1) +                                                 // extra {k: [0.0]}
      std::string(8, '\0') + avro_long(0) + avro_long(0) + "\x01" +  //
      avro_long(1) + avro_text("d") + avro_text("") + avro_long(2) +
      avro_long(0) +          // container, CT_NEW
      std::string(1, '\0') +  //
      avro_long(2) + avro_long(7) + avro_long(5) + avro_long(1) + avro_long(1) +
      avro_long(0) +                                                        // process
      avro_text("/x") +                                                     //
      avro_long(3) + avro_long(7) + avro_long(5) + avro_long(0x04030201) +  // flow
      avro_long(4) + avro_long(0) + avro_long(5);                           // unknown to SysFlow
  const Outcome outcome = read_text(container_file(schema, "null", block(7, data)));
  ASSERT_TRUE(outcome.status.is_ok()) << outcome.status.message();
  EXPECT_TRUE(outcome.summary.damage.empty()) << outcome.summary.damage[0].message;
  EXPECT_EQ(
      outcome.log.lines,
      (std::vector<std::string>{"SFHeader|1000|e|NA|", "Container|c|n|||3|1|-",
                                "Container|d||||5|0|-", "Process|2|5/7|0/1|0|/x||-1||-1||0|-|0||",
                                "NetworkFlow|5/7|0|0|0|0|1.2.3.4.0.0.0.0.0.0.0.0.0.0.0.0.|0|"
                                "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.|0|-1|-1|0,0,0,0",
                                "NetworkEvent|0/0|0|0|0|0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.|0|"
                                "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.|0|-1|0"}));
  ASSERT_EQ(outcome.summary.skipped.size(), 1u);
  EXPECT_EQ(outcome.summary.skipped[0].count, 1u);
}

TEST(SysflowFile, RejectsOtherFormatsWithAReason) {
  EXPECT_EQ(read_text("").status.code(), ErrorCode::kEmpty);
  const TemporaryFile png("\x89PNG....");
  const Outcome outcome = read_path(png.path());
  EXPECT_EQ(outcome.status.code(), ErrorCode::kBadFormat);
  EXPECT_EQ(
      outcome.status.message(),
      png.path() +
          ": not a SysFlow file: expected the bytes 4f 62 6a 01 at the start, found 89 50 4e 47");
  EXPECT_EQ(read_path("/nonexistent/x.sf").status.code(), ErrorCode::kNotFound);
  EXPECT_EQ(read_path(fs::temp_directory_path().string()).status.code(), ErrorCode::kNotAFile);
  EXPECT_EQ(read_text(container_file("\"long\"", "null", "")).status.code(),
            ErrorCode::kNotSupported);
  EXPECT_EQ(read_text(container_file("{", "null", "")).status.code(), ErrorCode::kBadFormat);
  const Status codec = read_text(container_file(kSysFlowSchema, "zst\x1b\"", "")).status;
  EXPECT_EQ(codec.code(), ErrorCode::kNotSupported);
  EXPECT_NE(codec.message().find(
                ": unsupported compression: expected codec null, deflate or snappy, found "
                "\"zst??\"; write the file again with one of these"),
            std::string::npos);
  const std::string large = "{\"x\":\"" + std::string(size_t{1} << 20, 'x') + "\"}";
  EXPECT_EQ(read_text(container_file(large, "null", "")).status.code(), ErrorCode::kBadFormat);
}

// Types without bytes must not make a small file expensive.
TEST(SysflowFile, WorkIsBoundedByInput) {
  std::string type = R"("null")";
  for (int level = 0; level < 40; ++level) {
    const std::string name = "N" + std::to_string(level);
    const std::string inner = level == 0 ? type : "\"N" + std::to_string(level - 1) + "\"";
    type = (level == 0 ? "" : type + ",") + std::string() + R"({"type":"record","name":")" + name +
           R"(","fields":[{"name":"a","type":)" + inner + R"(},{"name":"b","type":)" + inner +
           "}]}";
  }
  const std::string schema =
      R"({"type":"record","name":"SysFlow","fields":[{"name":"rec","type":[)" + type +
      R"(,{"type":"record","name":"sysflow.entity.SFHeader","fields":[{"name":"many",)" +
      R"("type":{"type":"array","items":"null"}}]}]}]})";
  EXPECT_EQ(
      read_text(container_file(schema, "null", block(1, avro_long(39)))).summary.damage.size(), 1u);
  EXPECT_EQ(read_text(container_file(schema, "null",
                                     block(1, avro_long(40) + avro_long(int64_t{1} << 60))))
                .summary.damage.size(),
            1u);
  EXPECT_EQ(
      read_text(container_file(schema, "null", block(int64_t{1} << 20, ""))).summary.damage.size(),
      1u);
}

TEST(SysflowFile, StopsWhenCancelled) {
  const TemporaryFile file(written(emit_one_of_each));
  RecordLog log;
  ReadSummary summary;
  const std::atomic<bool> cancel{true};
  EXPECT_EQ(read_sysflow_file(file.path(), log, cancel, summary).code(), ErrorCode::kCancelled);
  EXPECT_FALSE(log.finished);
}

TEST(SysflowFile, AgreesWithTheReferenceReaderOnTheCorpus) {
  // Has corpus/ (captures and .sf files) and tools/ (the reference reader).
  const fs::path corpus = fs::path(SFKIT_SHARED) / "corpus";
  const fs::path tool = fs::path(SFKIT_SHARED) / "tools" / "sfdump";
  if (!fs::exists(corpus) || !fs::exists(tool)) GTEST_SKIP() << "../shared is missing";
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(corpus)) {
    if (entry.path().extension() == ".sf") files.push_back(entry.path().string());
  }
  ASSERT_FALSE(files.empty());
  std::sort(files.begin(), files.end());
  // The reference reader is slow.
  const size_t step = std::getenv("SFKIT_THOROUGH") != nullptr ? 1 : 4;
  for (size_t at = 0; at < files.size(); at += step) {
    const std::string& file = files[at];
    const Outcome outcome = read_path(file);
    ASSERT_TRUE(outcome.status.is_ok()) << file << outcome.status.message();
    EXPECT_TRUE(outcome.summary.damage.empty()) << file;

    const std::string command = "python3 " + tool.string() + " -s '" + file + "'";
    std::string text;
    FILE* pipe = popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    char part[4096];
    while (const size_t got = std::fread(part, 1, sizeof(part), pipe)) text.append(part, got);
    pclose(pipe);
    const auto stats = json::parse(text);
    ASSERT_TRUE(stats.is_ok()) << text;
    const json::Value* counts = stats.value().find("byType");
    ASSERT_NE(counts, nullptr) << text;
    for (const auto& [type, count] : counts->members()) {
      EXPECT_EQ(
          outcome.log.counts.count(type) ? static_cast<int64_t>(outcome.log.counts.at(type)) : 0,
          count.as_int())
          << file << " " << type;
    }
  }
}

}  // namespace
}  // namespace sfkit::sysflow_file
