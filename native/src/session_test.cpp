#include "session.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>

#include "output/avro_container.h"
#include "testing/record_log.h"

namespace sfkit {
namespace {

// A .sf file that is deleted with the object.
class SampleFile {
 public:
  explicit SampleFile(const std::function<void(sysflow::RecordSink&)>& give) {
    path_ = (std::filesystem::temp_directory_path() /
             ("sfkit-session-" + std::to_string(reinterpret_cast<uintptr_t>(this)) + ".sf"))
                .string();
    std::ofstream file(path_, std::ios::binary);
    output::AvroContainer container([&](std::vector<uint8_t> bytes) {
      file.write(reinterpret_cast<const char*>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
      return true;
    });
    give(container);
  }
  ~SampleFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Waits for the result of one next().
Result<std::optional<Batch>> next(Session& session) {
  std::mutex mutex;
  std::condition_variable arrived;
  std::optional<Result<std::optional<Batch>>> answer;
  session.next([&](Result<std::optional<Batch>> result) {
    const std::lock_guard lock(mutex);
    answer.emplace(std::move(result));
    arrived.notify_one();
  });
  std::unique_lock lock(mutex);
  arrived.wait(lock, [&] { return answer.has_value(); });
  return std::move(*answer);
}

SessionConfig config_of(const std::string& path, OutputKind output) {
  SessionConfig config;
  config.input = path;
  config.output = output;
  config.tables = {output::Table::kSysflow, output::Table::kProcess};
  config.batch_rows = 2;
  return config;
}

TEST(Session, DeliversBatchesThenTheEnd) {
  const SampleFile file(emit_one_of_each);
  Session session(config_of(file.path(), OutputKind::kColumns));
  EXPECT_TRUE(session.summary().records.empty());
  uint32_t rows = 0;
  while (true) {
    auto result = next(session);
    ASSERT_TRUE(result.is_ok()) << result.status().message();
    if (!result.value()) break;
    rows += std::get<output::ColumnBatch>(*result.value()).rows;
  }
  EXPECT_EQ(rows, 8u + 2u);
  EXPECT_FALSE(next(session).value().has_value());

  const SessionSummary summary = session.summary();
  EXPECT_EQ(summary.input.format, "sysflow");
  EXPECT_EQ(summary.records, (std::vector<std::pair<std::string, uint64_t>>{{"Container", 2},
                                                                            {"Process", 2},
                                                                            {"File", 2},
                                                                            {"ProcessEvent", 1},
                                                                            {"NetworkFlow", 1},
                                                                            {"FileFlow", 1},
                                                                            {"FileEvent", 2},
                                                                            {"NetworkEvent", 1},
                                                                            {"ProcessFlow", 1},
                                                                            {"Pod", 1},
                                                                            {"K8sEvent", 1}}));
}

TEST(Session, RewritesASysflowFileWithoutLoss) {
  const SampleFile file(emit_one_of_each);
  Session session(config_of(file.path(), OutputKind::kAvro));
  auto first = next(session);
  ASSERT_TRUE(first.is_ok());
  ASSERT_TRUE(first.value().has_value());
  const auto& bytes = std::get<std::vector<uint8_t>>(*first.value());
  EXPECT_EQ(std::string(bytes.begin(), bytes.begin() + 3), "Obj");
  EXPECT_FALSE(next(session).value().has_value());
  EXPECT_EQ(session.summary().input.skipped.size(), 0u);
}

TEST(Session, EmitsNothingForNoOutput) {
  const SampleFile file(emit_one_of_each);
  Session session(config_of(file.path(), OutputKind::kNone));
  EXPECT_FALSE(next(session).value().has_value());
  EXPECT_EQ(session.summary().input.events, 16u);
}

TEST(Session, ReportsAnErrorOnce) {
  Session session(config_of("/nonexistent/x.scap", OutputKind::kColumns));
  const auto result = next(session);
  ASSERT_FALSE(result.is_ok());
  EXPECT_EQ(result.status().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(next(session).value().has_value());
}

TEST(Session, CanBeClosedAtAnyTime) {
  const SampleFile file([](sysflow::RecordSink& sink) {
    for (int64_t i = 0; i < 20000; ++i) sink.process_flow({{i, i}, i, 0, 1, i, 0, 0});
    sink.finish();
  });
  for (const OutputKind output : {OutputKind::kColumns, OutputKind::kAvro, OutputKind::kNone}) {
    for (int taken = 0; taken < 4; ++taken) {
      Session session(config_of(file.path(), output));
      for (int i = 0; i < taken; ++i) EXPECT_TRUE(next(session).is_ok());
      int ends = 0;
      if (taken == 3) session.close();
      session.next([&](Result<std::optional<Batch>> result) { ends += result.is_ok() ? 1 : 0; });
      session.close();
      session.close();
      EXPECT_EQ(ends, 1);
    }
  }
}

TEST(Session, NeedsTheKindOfSpecialFiles) {
  Session session(config_of("/dev/null", OutputKind::kNone));
  EXPECT_EQ(next(session).status().code(), ErrorCode::kNotSupported);
}

}  // namespace
}  // namespace sfkit
