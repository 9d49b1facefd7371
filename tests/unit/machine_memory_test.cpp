// Tests of how much memory the process may use: the machine's, or its control group's.
#include "env/machine_memory.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace millrace::detail {
namespace {

namespace fs = std::filesystem;

/// A /proc and /sys of one's own.
class Root : public testing::Test {
 protected:
  void SetUp() override {
    path_ =
        fs::temp_directory_path() / ("millrace-root-" + std::to_string(::getpid()) + "-" +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(path_);
    put("/proc/meminfo", "MemTotal:       16384000 kB\nMemFree: 1 kB\n");
  }
  void TearDown() override { fs::remove_all(path_); }
  void put(const std::string& name, const std::string& text) {
    fs::create_directories((path_.string() + name).substr(0, (path_.string() + name).rfind('/')));
    std::ofstream(path_.string() + name) << text;
  }
  std::uint64_t bytes() const { return machine_memory_bytes(path_.string()); }

 private:
  fs::path path_;
};

using MachineMemory = Root;

TEST_F(MachineMemory, IsThatOfTheMachineWithoutLimits) {
  EXPECT_EQ(bytes(), std::uint64_t{16384000} * 1024);
  put("/proc/self/cgroup", "0::/\n");
  EXPECT_EQ(bytes(), std::uint64_t{16384000} * 1024);
}

TEST_F(MachineMemory, IsTheLeastLimitOfTheGroupAndThoseAroundIt) {
  put("/proc/self/cgroup", "0::/a/b\n");
  put("/sys/fs/cgroup/a/b/memory.max", "max\n");
  put("/sys/fs/cgroup/a/memory.max", "536870912\n");
  EXPECT_EQ(bytes(), 512u << 20);
}

TEST_F(MachineMemory, KnowsTheOlderGroups) {
  put("/proc/self/cgroup", "5:cpu,cpuacct:/\n4:memory:/box\n");
  put("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "268435456\n");
  EXPECT_EQ(bytes(), 256u << 20);
}

TEST_F(MachineMemory, AGroupMayAllowMoreThanThereIs) {
  put("/proc/self/cgroup", "4:memory:/box\n");
  put("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(bytes(), std::uint64_t{16384000} * 1024);
}

TEST(MachineMemoryHere, IsKnown) {
  EXPECT_GT(machine_memory_bytes(), 64u << 20);
  EXPECT_GE(default_memory_bytes(), 256u << 20);
}

}  // namespace
}  // namespace millrace::detail
