#include "output/avro_container.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "schema.gen.h"
#include "testing/record_log.h"

namespace sfkit::output {
namespace {

std::string written(const std::function<void(sysflow::RecordSink&)>& give,
                    Codec codec = Codec::kDeflate) {
  std::string file;
  AvroContainer container(
      [&](std::vector<uint8_t> bytes) {
        file.append(bytes.begin(), bytes.end());
        return true;
      },
      codec);
  give(container);
  return file;
}

TEST(AvroEncoder, WritesNumbersZigZag) {
  ByteBuffer out;
  for (const int64_t value :
       {int64_t{0}, int64_t{-1}, int64_t{1}, int64_t{-64}, int64_t{64}, INT64_MAX, INT64_MIN}) {
    append_long(out, value);
  }
  const std::string expected = std::string("\x00\x01\x02\x7f\x80\x01", 6) +
                               "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01" +
                               "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01";
  EXPECT_EQ(out.bytes().text(), expected);
}

TEST(AvroEncoder, WritesAFileFlowByteForByte) {
  ByteBuffer out;
  AvroEncoder encoder(out);
  sysflow::FileFlow flow{{1, 2}, 3, 4, 5, 6, 7, {}, 8, {9, 10, 11, 12}};
  flow.file_oid.fill(0xAB);
  encoder.encode(flow);
  EXPECT_EQ(out.bytes().text(), std::string("\x0c\x02\x04\x06\x08\x0a\x0c\x0e") +
                                    std::string(20, '\xAB') + "\x10\x12\x14\x16\x18");
}

TEST(AvroEncoder, ReadsAddressesAsLittleEndianNumbers) {
  ByteBuffer out;
  AvroEncoder encoder(out);
  sysflow::NetworkFlow flow;
  flow.sip.bytes = {1, 2, 3, 4};
  encoder.encode(flow);
  ByteBuffer number;
  append_long(number, 0x04030201);
  EXPECT_EQ(out.bytes().slice(7, number.size()).text(), number.bytes().text());
}

TEST(AvroEncoder, WritesAPodByteForByte) {
  ByteBuffer out;
  AvroEncoder encoder(out);
  sysflow::Pod pod{1, "u", "p", "n", "s", 2, R"({"a":"b"})", R"({"c":"d","e":"f"})"};
  pod.host_ip = {3};
  pod.internal_ip = {4, 5};
  pod.services = {{"v", "i", "s", {{6, 7, 8, "TCP"}}, {9}}};
  encoder.encode(pod);
  const std::string addresses = std::string("\x02\x06\x00\x04\x08\x0a\x00", 7);
  const std::string labels = std::string("\x02\x02\x61\x02\x62\x00", 6);
  const std::string selectors = std::string("\x04\x02\x63\x02\x64\x02\x65\x02\x66\x00", 10);
  const std::string service =
      std::string("\x02\x02v\x02i\x02s\x02\x0c\x0e\x10\x06TCP\x00\x02\x12\x00\x00", 20);
  EXPECT_EQ(out.bytes().text(),
            "\x14\x02\x02u\x02p\x02n" + addresses + "\x02s\x04" + labels + selectors + service);
}

TEST(AvroEncoder, WritesNoLabelsFromUnusableText) {
  ByteBuffer with, without;
  sysflow::Pod pod;
  AvroEncoder(without).encode(pod);
  for (const std::string_view text : {"{", "{}", "[]", "1"}) {
    pod.labels = pod.selectors = text;
    with.clear();
    AvroEncoder(with).encode(pod);
    EXPECT_EQ(with.bytes().text(), without.bytes().text()) << text;
  }
}

TEST(AvroEncoder, MapsUnknownContainerTypesToCustom) {
  for (const int32_t type : {10, 11, -1, 99}) {
    ByteBuffer out;
    AvroEncoder encoder(out);
    sysflow::Container container;
    container.type = type;
    encoder.encode(container);
    EXPECT_EQ(out.bytes()[5], 10) << type;
  }
}

TEST(AvroContainer, StartsWithMagicCodecAndSchema) {
  const std::string file = written(emit_one_of_each);
  const std::string expected = std::string("Obj\x01\x04\x14", 6) + "avro.codec" + "\x0e" +
                               "deflate" + "\x16" + "avro.schema" + "\xA4\x60" +
                               std::string(kSysFlowSchema) + std::string(1, '\0');
  EXPECT_EQ(file.substr(0, expected.size()), expected);
  const std::string marker = file.substr(expected.size(), 16);
  EXPECT_EQ(file.substr(file.size() - 16), marker);
}

TEST(AvroContainer, SameRecordsGiveSameBytes) {
  EXPECT_EQ(written(emit_one_of_each), written(emit_one_of_each));
  const auto other = [](sysflow::RecordSink& sink) {
    sink.header({5, "other", "", ""});
    sink.finish();
  };
  EXPECT_NE(written(other).substr(6200, 16), written(emit_one_of_each).substr(6200, 16));
}

TEST(AvroContainer, HasItsRecordsAsTheyAreWithoutCompression) {
  ByteBuffer datum;
  sysflow::Header header{5, "exporter", "", ""};
  AvroEncoder(datum).encode(header);
  const std::string file = written(
      [&](sysflow::RecordSink& sink) {
        sink.header(header);
        sink.finish();
      },
      Codec::kNull);
  const std::string start = std::string("Obj\x01\x04\x14", 6) + "avro.codec" + "\x08" + "null";
  EXPECT_EQ(file.substr(0, start.size()), start);
  const std::string marker = file.substr(file.size() - 16);
  ByteBuffer block;
  append_long(block, 1);
  append_long(block, static_cast<int64_t>(datum.size()));
  block.append(datum.bytes().text());
  const std::string end = marker + std::string(block.bytes().text()) + marker;
  EXPECT_EQ(file.substr(file.size() - end.size()), end);
}

// Compression of one block gains little from more, and damage costs a whole block.
TEST(AvroContainer, EndsABlockAfter256KiB) {
  constexpr size_t kText = 100 * 1024;
  const std::string file = written(
      [](sysflow::RecordSink& sink) {
        for (int i = 0; i < 7; ++i) sink.header({5, std::string(kText, 'x'), "", ""});
        sink.finish();
      },
      Codec::kNull);
  const std::string marker = file.substr(file.size() - 16);
  std::vector<size_t> counts;
  for (size_t at = file.find(marker) + marker.size(); at < file.size();
       at = file.find(marker, at) + marker.size())
    counts.push_back(static_cast<uint8_t>(file[at]) / 2);
  EXPECT_EQ(counts, (std::vector<size_t>{3, 3, 1}));
}

TEST(AvroContainer, IsValidWithoutRecords) {
  const std::string file = written([](sysflow::RecordSink& sink) { sink.finish(); });
  EXPECT_EQ(file.size(), 6u + 10 + 1 + 7 + 1 + 11 + 2 + 6162 + 1 + 16);
}

TEST(AvroContainer, SkipsAndCountsIpv6Flows) {
  AvroContainer container([](std::vector<uint8_t>) { return true; });
  sysflow::NetworkFlow flow;
  flow.ipv6 = true;
  container.network_flow(flow);
  container.network_flow(flow);
  container.finish();
  EXPECT_EQ(container.skipped_ipv6_flows(), 2u);
}

TEST(AvroContainer, StopsWhenTheConsumerStops) {
  int calls = 0;
  AvroContainer container([&](std::vector<uint8_t>) {
    ++calls;
    return false;
  });
  // Incompressible text, so that there would be several chunks.
  uint32_t seed = 1;
  sysflow::Header header;
  for (int i = 0; i < 2000; ++i) {
    header.exporter.clear();
    for (int j = 0; j < 1000; ++j)
      header.exporter += static_cast<char>(32 + ((seed = seed * 1664525 + 1013904223) >> 24) % 90);
    container.header(header);
  }
  container.finish();
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace sfkit::output
