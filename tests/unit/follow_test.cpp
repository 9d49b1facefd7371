// Following real files through rotations: nothing is lost, and no line is torn.
#include "env/posix_follow.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "env/sim_env.hpp"
#include "folder_harness.hpp"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

class Follow : public testing::Test {
 protected:
  void write(const std::string& text, const std::string& name = "app.log") {
    std::ofstream(folder_.path(name), std::ios::app) << text;
  }
  void open() { reader_ = *follow_file(folder_.path("app.log"), clock_, 1s); }
  /// Reads what is there now, and again after `later`.
  const std::string& read(std::chrono::milliseconds later = 0ms) {
    clock_.advance(later);
    for (;;) {
      char buffer[64];
      const std::size_t count = *reader_->read(buffer, sizeof buffer);
      if (count == ByteReader::kNotReady) return read_;
      EXPECT_GT(count, 0u) << "a followed file never ends";
      read_.append(buffer, count);
    }
  }
  void rename(const std::string& from, const std::string& to) {
    std::filesystem::rename(folder_.path(from), folder_.path(to));
  }

  FolderHarness folder_;
  SimClock clock_;
  std::unique_ptr<ByteReader> reader_;
  std::string read_;
};

TEST_F(Follow, ReadsWhatIsAdded) {
  write("a\n");
  open();
  EXPECT_EQ(read(), "a\n");
  write("b\n");
  EXPECT_EQ(read(), "a\nb\n");
}

TEST_F(Follow, ReadsTheOldFileUntilItIsQuiet) {
  write("a\n");
  open();
  EXPECT_EQ(read(), "a\n");
  write("b\n");
  rename("app.log", "app.log.1");
  write("new\n");
  EXPECT_EQ(read(30ms), "a\nb\n");
  write("late\n", "app.log.1");  // by a writer that has not noticed yet
  EXPECT_EQ(read(900ms), "a\nb\nlate\n");
  EXPECT_EQ(read(900ms), "a\nb\nlate\n");
  EXPECT_EQ(read(100ms), "a\nb\nlate\nnew\n");
}

TEST_F(Follow, ReadsEveryFileOfSeveralRotations) {
  write("0\n");
  open();
  EXPECT_EQ(read(), "0\n");
  std::string wanted = "0\n";
  for (int turn = 1; turn <= 3; ++turn) {
    rename("app.log", "app.log." + std::to_string(turn));
    wanted += std::to_string(turn) + "\n";
    write(std::to_string(turn) + "\n");
    EXPECT_EQ(read(30ms), "0\n");
  }
  for (int turn = 1; turn <= 3; ++turn) read(1s);
  EXPECT_EQ(read(), wanted);
}

TEST_F(Follow, EndsALineThatARotationCut) {
  write("cut");
  open();
  EXPECT_EQ(read(), "cut");
  rename("app.log", "app.log.1");
  write("new\n");
  read(30ms);
  EXPECT_EQ(read(1s), "cut\nnew\n");
}

TEST_F(Follow, BeginsAgainWhenTheFileWasEmptied) {
  write("first\n");
  open();
  EXPECT_EQ(read(), "first\n");
  std::filesystem::resize_file(folder_.path("app.log"), 0);
  write("b\n");
  EXPECT_EQ(read(), "first\nb\n");
}

TEST_F(Follow, WaitsWhileThereIsNoFile) {
  write("a\n");
  open();
  EXPECT_EQ(read(), "a\n");
  rename("app.log", "app.log.1");
  EXPECT_EQ(read(5s), "a\n");
  write("b\n");
  read(30ms);
  EXPECT_EQ(read(1s), "a\nb\n");
}

TEST_F(Follow, RefusesWhatIsNotThereOrNoFile) {
  const Status missing = follow_file(folder_.path("app.log"), clock_).error();
  EXPECT_EQ(missing.code(), Code::source_failed);
  EXPECT_NE(missing.message().find("app.log"), std::string::npos);
  EXPECT_FALSE(follow_file(folder_.path(""), clock_));
}

}  // namespace
}  // namespace millrace::detail
