// Tests of RolledFiles: when a file is whole, how it is called, whose the folder is.
#include "connector/rolled_files.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "env/sim_env.hpp"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

class RolledFilesTest : public testing::Test {
 protected:
  std::unique_ptr<RolledFiles> files(bool epochs, Rolling rolling = {}) {
    auto made = std::make_unique<RolledFiles>(
        env_.disk, env_.clock, rolled("out", rolling),
        RolledNames{.stem = "t.c", .extension = ".csv", .header = "h\n"}, epochs);
    const Status opened = made->open();
    EXPECT_TRUE(opened) << opened.message();
    return made;
  }
  /// Those of a folder that hold lines.
  std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const std::string& path : env_.disk.paths()) {
      if (!path.ends_with(".lock")) names.push_back(path);
    }
    return names;
  }
  using Names = std::vector<std::string>;
  SimEnv env_{1};
};

TEST_F(RolledFilesTest, AFileIsWholeWhenItHasItsBytesAndTheRestAtTheEnd) {
  const auto out = files(false, {.bytes = 6});
  ASSERT_TRUE(out->write("1\n"));
  EXPECT_EQ(names(), Names{"out/.t.c-00000001.csv"});
  ASSERT_TRUE(out->write("2\n"));
  EXPECT_EQ(names(), Names{"out/t.c-00000001.csv"});
  ASSERT_TRUE(out->write("3\n"));
  ASSERT_TRUE(out->close());
  EXPECT_EQ(names(), (Names{"out/t.c-00000001.csv", "out/t.c-00000002.csv"}));
  EXPECT_EQ(env_.disk.content("out/t.c-00000001.csv"), "h\n1\n2\n");
  EXPECT_EQ(env_.disk.content("out/t.c-00000002.csv"), "h\n3\n");
}

TEST_F(RolledFilesTest, AFileIsWholeWhenItIsOld) {
  const auto out = files(false, {.every = 1min});
  ASSERT_TRUE(out->write("1\n"));
  env_.clock.advance(59s);
  ASSERT_TRUE(out->flush());
  EXPECT_EQ(names(), Names{"out/.t.c-00000001.csv"});
  env_.clock.advance(1s);
  ASSERT_TRUE(out->flush());
  EXPECT_EQ(names(), Names{"out/t.c-00000001.csv"});
}

TEST_F(RolledFilesTest, AnEpochWithoutRecordsRollsAnOldFile) {
  std::string prepared;
  {
    const auto out = files(true, {.every = 1min});
    ASSERT_TRUE(out->recover({}, true));
    ASSERT_TRUE(out->write("1\n"));
    prepared = *out->prepare();
    ASSERT_TRUE(out->commit(prepared));
  }
  env_.disk.kill();
  env_.clock.advance(61s);
  const auto out = files(true, {.every = 1min});
  ASSERT_TRUE(out->recover(prepared, true));
  EXPECT_EQ(names(), Names{"out/.t.c-00000001.csv"});
  const auto rolled = out->prepare();
  ASSERT_TRUE(rolled);
  EXPECT_EQ(names(), Names{"out/.t.c-00000001.csv"});
  ASSERT_TRUE(out->commit(*rolled));
  EXPECT_EQ(names(), Names{"out/t.c-00000001.csv"});
}

TEST_F(RolledFilesTest, ARunThatEndsShowsWhatIsCommittedAndTheNextOneBeginsAFile) {
  std::string prepared;
  {
    const auto out = files(true);
    ASSERT_TRUE(out->recover({}, true));
    ASSERT_TRUE(out->write("1\n"));
    prepared = *out->prepare();
    ASSERT_TRUE(out->commit(prepared));
    ASSERT_TRUE(out->close());
  }
  EXPECT_EQ(names(), Names{"out/t.c-00000001.csv"});
  ASSERT_TRUE(env_.disk.remove("out/t.c-00000001.csv"));  // its reader was done with it
  const auto out = files(true);
  ASSERT_TRUE(out->recover(prepared, true));
  ASSERT_TRUE(out->write("2\n"));
  ASSERT_TRUE(out->commit(*out->prepare()));
  ASSERT_TRUE(out->close());
  EXPECT_EQ(names(), Names{"out/t.c-00000002.csv"});
}

TEST_F(RolledFilesTest, ARunThatEndsBeforeItsCommitShowsNothing) {
  std::string prepared;
  {
    const auto out = files(true);
    ASSERT_TRUE(out->recover({}, true));
    ASSERT_TRUE(out->write("1\n"));
    prepared = *out->prepare();
    ASSERT_TRUE(out->write("2\n"));
    ASSERT_TRUE(out->close());
  }
  EXPECT_EQ(names(), Names{"out/.t.c-00000001.csv"});
  const auto out = files(true);
  ASSERT_TRUE(out->recover(prepared, true));
  ASSERT_TRUE(out->commit(*out->prepare()));
  ASSERT_TRUE(out->close());
  EXPECT_EQ(env_.disk.content("out/t.c-00000001.csv"), "h\n1\n");
}

TEST_F(RolledFilesTest, WithoutEpochsWhatAKilledRunLeftIsShownByTheNext) {
  {
    const auto out = files(false);
    ASSERT_TRUE(out->write("1\n"));
    env_.disk.kill();
  }
  const auto out = files(false);
  ASSERT_TRUE(out->write("2\n"));
  EXPECT_EQ(names(), (Names{"out/.t.c-00000002.csv", "out/t.c-00000001.csv"}));
}

TEST_F(RolledFilesTest, FilesOfEarlierRunsAndOfOthersStay) {
  env_.disk.put("out/t.c-00000007.csv", "h\n0\n");
  env_.disk.put("out/.t.c-00000008.csv", "h\n0\n");  // its run's state folder is gone
  env_.disk.put("out/.t.c-x.csv", "x");
  env_.disk.put("out/t.c-1-00000009.csv", "x");
  const auto out = files(true);
  ASSERT_TRUE(out->recover({}, true));
  ASSERT_TRUE(out->write("1\n"));
  EXPECT_EQ(names(), (Names{"out/.t.c-00000009.csv", "out/.t.c-x.csv", "out/t.c-00000007.csv",
                            "out/t.c-1-00000009.csv"}));
}

TEST_F(RolledFilesTest, AFileThatLostWhatWasCommittedIsRefused) {
  std::string prepared;
  {
    const auto out = files(true);
    ASSERT_TRUE(out->recover({}, true));
    ASSERT_TRUE(out->write("1\n"));
    prepared = *out->prepare();
  }
  env_.disk.kill();
  env_.disk.put("out/.t.c-00000001.csv", "h\n");
  const Status refused = files(true)->recover(prepared, true);
  EXPECT_EQ(refused.code(), Code::sink_failed);
  EXPECT_NE(refused.message().find("has 2 bytes, and 4 were committed"), std::string::npos)
      << refused.message();
  EXPECT_EQ(files(true)->recover("?", true).code(), Code::state_unreadable);
}

TEST_F(RolledFilesTest, TwoDoNotWriteUnderOneName) {
  const auto out = files(false);
  RolledFiles other(env_.disk, env_.clock, rolled("out"), {"t.c", ".csv", ""}, false);
  const Status refused = other.open();
  EXPECT_EQ(refused.code(), Code::state_in_use);
  EXPECT_NE(refused.message().find("\"out\" gets files named \"t.c\" already"), std::string::npos)
      << refused.message();
}

TEST(SafeFileName, KeepsNamesReadableAndShort) {
  EXPECT_EQ(safe_file_name("edits by page/3"), "edits_by_page_3");
  EXPECT_EQ(safe_file_name("a.b-c_D9"), "a.b-c_D9");
  const std::string one = safe_file_name(std::string(300, 'a') + "1");
  EXPECT_EQ(one.size(), 100u);
  EXPECT_NE(one, safe_file_name(std::string(300, 'a') + "2"));
}

}  // namespace
}  // namespace millrace::detail
