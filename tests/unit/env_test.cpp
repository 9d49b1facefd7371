// Tests of the real and the simulated environment.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "env/posix_env.hpp"
#include "env/random.hpp"
#include "env/sim_env.hpp"

namespace millrace::detail {
namespace {

class PosixEnv : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "millrace_env_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ / name; }

  std::filesystem::path folder_;
  PosixFiles files_;
};

TEST_F(PosixEnv, WritesAppendsAndReadsFiles) {
  for (const auto& [append, text] : {std::pair{false, "gone"}, {false, "one\n"}, {true, "two\n"}}) {
    auto writer = files_.open_write(path("f"), append);
    ASSERT_TRUE(writer.has_value()) << writer.error().to_string();
    ASSERT_TRUE((*writer)->write(text));
    ASSERT_TRUE((*writer)->flush());
  }
  auto reader = files_.open_read(path("f"));
  ASSERT_TRUE(reader.has_value());
  std::string buffer(100, '\0');
  EXPECT_EQ(*(*reader)->read(buffer.data(), 3), 3u);
  EXPECT_EQ(*(*reader)->read(buffer.data() + 3, 97), 5u);
  EXPECT_EQ(buffer.substr(0, 8), "one\ntwo\n");
  EXPECT_EQ(*(*reader)->read(buffer.data(), 100), 0u);
}

TEST_F(PosixEnv, ErrorsSayPathReasonAndWhatToDo) {
  const Status missing = files_.open_read(path("none")).error();
  EXPECT_EQ(missing.code(), Code::source_failed);
  EXPECT_EQ(missing.message(),
            "\"" + path("none") + "\" cannot be opened: No such file or directory; check the path");
  const Status folder = files_.open_read(folder_).error();
  EXPECT_EQ(folder.code(), Code::source_failed);
  EXPECT_NE(folder.message().find("it is a directory"), std::string::npos);
  EXPECT_NE(files_.open_write(folder_, false).error().message().find("it is a directory"),
            std::string::npos);
  const Status nowhere = files_.open_write(path("no/such"), false).error();
  EXPECT_EQ(nowhere.code(), Code::sink_failed);
  EXPECT_NE(nowhere.message().find("No such file"), std::string::npos);
  if (::geteuid() != 0) {  // root may read everything
    std::ofstream(path("secret")) << "x";
    std::filesystem::permissions(path("secret"), std::filesystem::perms::none);
    EXPECT_NE(files_.open_read(path("secret")).error().message().find("permissions"),
              std::string::npos);
  }
}

TEST_F(PosixEnv, APipeIsNotReadyUntilSomethingIsThere) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  auto reader = files_.open_read(path("pipe"));
  ASSERT_TRUE(reader.has_value());
  char buffer[16];
  EXPECT_EQ(*(*reader)->read(buffer, 16), ByteReader::kNotReady);  // no writer yet is not the end
  {
    auto writer = files_.open_write(path("pipe"), false);
    ASSERT_TRUE(writer.has_value());
    EXPECT_EQ(*(*reader)->read(buffer, 16), ByteReader::kNotReady);
    ASSERT_TRUE((*writer)->write("abc"));
    EXPECT_EQ(*(*reader)->read(buffer, 16), 3u);
    EXPECT_EQ(*(*reader)->read(buffer, 16), ByteReader::kNotReady);
  }
  EXPECT_EQ(*(*reader)->read(buffer, 16), 0u);
}

TEST_F(PosixEnv, AClosedPipeIsAStatusAndLeavesTheSignalMaskAsItWas) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  auto reader = files_.open_read(path("pipe"));
  auto writer = files_.open_write(path("pipe"), false);
  ASSERT_TRUE(writer.has_value());
  *reader = nullptr;
  for (int time = 0; time < 2; ++time) {
    EXPECT_EQ((*writer)->write("abc").code(), Code::output_closed);
    sigset_t mask;
    sigset_t pending;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    sigpending(&pending);
    EXPECT_EQ(sigismember(&mask, SIGPIPE), 0);
    EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
  }
}

TEST_F(PosixEnv, AFullDeviceIsNamed) {
  auto writer = files_.open_write("/dev/full", false);
  ASSERT_TRUE(writer.has_value());
  const Status status = (*writer)->write("abc");
  EXPECT_EQ(status.code(), Code::sink_failed);
  EXPECT_EQ(status.message(),
            "\"/dev/full\" cannot be written: No space left on device; free some space or choose "
            "another place");
}

TEST(RealEnv, HasClockFilesAndSeed) {
  Env& env = real_env();
  EXPECT_EQ(&env, &real_env());
  const std::int64_t before = env.clock->steady_ns();
  EXPECT_GE(env.clock->steady_ns(), before);
  EXPECT_GT(env.clock->wall_us(), 1'600'000'000'000'000);
  EXPECT_TRUE(env.files->open_read("/dev/null").has_value());
}

TEST(SimEnvTest, ClockMovesOnlyWhenAdvanced) {
  SimEnv sim(7);
  Env& env = sim.env();
  EXPECT_EQ(env.seed, 7u);
  EXPECT_EQ(env.clock->steady_ns(), 0);
  sim.clock.advance(1500us);
  EXPECT_EQ(env.clock->steady_ns(), 1'500'000);
  EXPECT_EQ(env.clock->wall_us(), 1500);
}

TEST(SimEnvTest, FilesKeepContentAndFaultsFollowTheSeed) {
  const auto sizes = [](std::uint64_t seed) {
    SimFiles files({.seed = seed, .short_reads = true});
    files.put("f", std::string(1000, 'x'));
    auto reader = files.open_read("f");
    std::vector<std::size_t> counts;
    char buffer[100];
    for (std::size_t count = 1; count != 0; counts.push_back(count))
      count = *(*reader)->read(buffer, 100);
    return counts;
  };
  EXPECT_EQ(sizes(1), sizes(1));
  EXPECT_NE(sizes(1), sizes(2));
  SimFiles files({.space_bytes = 5});
  auto writer = files.open_write("out", false);
  EXPECT_TRUE((*writer)->write("abc"));
  EXPECT_EQ((*writer)->write("def").code(), Code::sink_failed);
  EXPECT_EQ(files.content("out"), "abcde");
  EXPECT_EQ(files.content("none"), std::nullopt);
  EXPECT_EQ(files.open_read("none").error().code(), Code::source_failed);
  char buffer[10];
  EXPECT_EQ(*(*files.open_read("out").value()).read(buffer, 10), 5u);
}

TEST(RandomTest, FollowsFromItsSeedAndStaysInBounds) {
  Random random(1);
  EXPECT_EQ(random(),
            12966619160104079557ull);  // of the reference implementation, seeded by splitmix64(1)
  EXPECT_EQ(random(), 9600361134598540522ull);
  for (int draw = 0; draw < 1000; ++draw) {
    EXPECT_LT(random.below(10), 10u);
    const std::int64_t value = random.between(-3, 3);
    EXPECT_TRUE(value >= -3 && value <= 3);
    const double unit = random.unit();
    EXPECT_TRUE(unit >= 0 && unit < 1);
  }
  EXPECT_EQ(random.between(5, 5), 5);
  random.between(std::numeric_limits<std::int64_t>::min(),
                 std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace millrace::detail
