// Tests of TextSink: buffering, appending, a full disk, a closed pipe.
#include "connector/text_sink.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "env/posix_env.hpp"
#include "source_harness.hpp"

namespace millrace::detail {
namespace {

void format_number(std::string& out, const BatchBase& batch, std::size_t index) {
  out += std::to_string(static_cast<const Batch<int>&>(batch).values[index]);
}

Batch<int> numbers(int first, int count) {
  Batch<int> batch;
  for (int i = 0; i < count; ++i) batch.values.push_back(first + i);
  return batch;
}

TEST(TextSink, WritesLinesAtFlushAndAtClose) {
  SourceHarness harness;
  TextSink sink({.path = "out"}, format_number);
  ASSERT_TRUE(sink.open(harness.context));
  ASSERT_TRUE(sink.write(numbers(1, 2)));
  EXPECT_EQ(harness.env.files.content("out"), "");
  ASSERT_TRUE(sink.flush());
  EXPECT_EQ(harness.env.files.content("out"), "1\n2\n");
  EXPECT_EQ(sink.records_written(), 2u);
  ASSERT_TRUE(sink.write(numbers(3, 1)));
  ASSERT_TRUE(sink.close());
  EXPECT_EQ(harness.env.files.content("out"), "1\n2\n3\n");
}

TEST(TextSink, TruncatesOrAppends) {
  SourceHarness harness;
  harness.env.files.put("kept", "0\n");
  harness.env.files.put("emptied", "0\n");
  for (const bool append : {true, false}) {
    TextSink sink({.path = append ? "kept" : "emptied", .append = append}, format_number);
    ASSERT_TRUE(sink.open(harness.context));
    ASSERT_TRUE(sink.write(numbers(1, 1)));
    ASSERT_TRUE(sink.close());
  }
  EXPECT_EQ(harness.env.files.content("kept"), "0\n1\n");
  EXPECT_EQ(harness.env.files.content("emptied"), "1\n");
}

TEST(TextSink, WritesWholeLinesWhenTheBufferIsFull) {
  SourceHarness harness;
  TextSink sink({.path = "-", .buffer_bytes = 10}, format_number);
  ASSERT_TRUE(sink.open(harness.context));
  ASSERT_TRUE(sink.write(numbers(1000, 3)));
  EXPECT_EQ(harness.env.files.content("-"), "1000\n1001\n");
  ASSERT_TRUE(sink.close());
  EXPECT_EQ(harness.env.files.content("-"), "1000\n1001\n1002\n");
}

TEST(TextSink, AFullDiskSaysPathReasonAndRecordsWritten) {
  SourceHarness simulated({.space_bytes = 12});
  TextSink sink({.path = "out", .buffer_bytes = 10}, format_number);
  ASSERT_TRUE(sink.open(simulated.context));
  const Status status = sink.write(numbers(1000, 10));
  EXPECT_EQ(status.code(), Code::sink_failed);
  EXPECT_NE(status.message().find("\"out\""), std::string::npos);
  EXPECT_NE(status.message().find("2 records were written before"), std::string::npos)
      << status.message();
  EXPECT_EQ(sink.records_written(), 2u);
  EXPECT_EQ(sink.write(numbers(1, 1)).code(), Code::sink_failed);
  EXPECT_EQ(sink.close().code(), Code::sink_failed);

  EndContext real = simulated.context;
  real.env = &real_env();
  TextSink full({.path = "/dev/full"}, format_number);
  ASSERT_TRUE(full.open(real));
  ASSERT_TRUE(full.write(numbers(1, 3)));
  const Status device = full.close();
  EXPECT_EQ(device.code(), Code::sink_failed);
  EXPECT_NE(device.message().find("\"/dev/full\" cannot be written: No space left on device"),
            std::string::npos)
      << device.message();
  EXPECT_NE(device.message().find("0 records were written"), std::string::npos);
}

TEST(TextSink, AClosedPipeGives4005AndNoSignal) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("millrace_pipe_" + std::to_string(::getpid()));
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  SourceHarness harness;
  harness.context.env = &real_env();
  TextSink sink({.path = path}, format_number);
  ASSERT_TRUE(sink.open(harness.context));
  ASSERT_TRUE(sink.write(numbers(1, 1)));
  ASSERT_TRUE(sink.flush());
  ::close(reader);
  ASSERT_TRUE(sink.write(numbers(2, 1)));
  EXPECT_EQ(sink.flush().code(), Code::output_closed);
  EXPECT_EQ(sink.close().code(), Code::output_closed);
  std::filesystem::remove(path);
}

TEST(TextSink, RefusesSeveralTasks) {
  SourceHarness harness;
  harness.context.tasks = 2;
  TextSink sink({.path = "out"}, format_number);
  EXPECT_EQ(sink.open(harness.context).code(), Code::sink_failed);
}

}  // namespace
}  // namespace millrace::detail
