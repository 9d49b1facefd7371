// Tests of reading /proc: whole, cut, of old kernels and of containers.
#include "connector/machine_reading.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(CpuTimes, AreOfAllCoresAndOfEach) {
  const auto list = parse_cpu_times(
      "cpu  100 20 30 800 50 1 2 3 7 0\n"
      "cpu0 10 0 5 85 0 0 0 0 0 0\n"
      "cpu1 0 0 0 100 0 0 0 0 0 0\n"
      "intr 12 0 0\nctxt 5\ncpufreq\n");
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].name, "total");
  EXPECT_EQ(list[0].busy, 156u) << "neither idle nor waiting for a disk; guests are users already";
  EXPECT_EQ(list[0].all, 1006u);
  EXPECT_EQ(list[1].name, "0");
  EXPECT_EQ(list[1].busy, 15u);
  EXPECT_EQ(list[2].busy, 0u);
}

TEST(CpuTimes, OfOldKernelsHaveFourColumns) {
  const auto list = parse_cpu_times("cpu 1 2 3 4");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].busy, 6u);
  EXPECT_EQ(list[0].all, 10u);
}

TEST(CpuTimes, LinesThatDoNotFitAreSkipped) {
  EXPECT_THAT(parse_cpu_times(""), IsEmpty());
  EXPECT_THAT(parse_cpu_times("cpu\ncpu0 x y z\ncpu1 1 2 3\ncpu2 -1 0 0 0\n\n"), IsEmpty());
}

TEST(Meminfo, IsInBytes) {
  const auto use = parse_meminfo(
      "MemTotal:       1000 kB\nMemFree: 100 kB\nMemAvailable:    400 kB\nBuffers: 10 kB\n"
      "Cached: 90 kB\nSwapCached: 7 kB\nSwapTotal: 50 kB\nSwapFree: 20 kB\n");
  ASSERT_TRUE(use);
  EXPECT_EQ(use->total, 1000u * 1024);
  EXPECT_EQ(use->available, 400u * 1024);
  EXPECT_EQ(use->swap_total, 50u * 1024);
  EXPECT_EQ(use->swap_free, 20u * 1024);
}

TEST(Meminfo, OfOldKernelsAddsUpWhatCanBeFreed) {
  const auto use =
      parse_meminfo("MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 10 kB\nCached: 90 kB");
  ASSERT_TRUE(use);
  EXPECT_EQ(use->available, 200u * 1024);
  EXPECT_EQ(use->swap_total, 0u);
}

TEST(Meminfo, NothingUsableIsNothing) {
  EXPECT_FALSE(parse_meminfo(""));
  EXPECT_FALSE(parse_meminfo("MemFree: 5 kB\nMemTotal: many kB\n"));
  const auto odd =
      parse_meminfo("MemTotal: 5 kB\nMemAvailable: 9 kB\nSwapTotal: 1 kB\nSwapFree: 3 kB");
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->available, odd->total);
  EXPECT_EQ(odd->swap_free, odd->swap_total);
}

TEST(NetDev, LeavesLoopbackOut) {
  const auto list = parse_net_dev(
      "Inter-|   Receive                   |  Transmit\n"
      " face |bytes packets errs drop fifo frame compressed multicast|bytes packets\n"
      "    lo: 99 1 0 0 0 0 0 0 99 1 0 0 0 0 0 0\n"
      "  eth0: 5000 7 0 0 0 0 0 0 300 4 0 0 0 0 0 0\n"
      "eth0:1:12 7 0 0 0 0 0 0 34 4 0 0 0 0 0 0\n"
      "  cut0: 5000 7 0\n"
      "no colon here\n");
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].name, "eth0");
  EXPECT_EQ(list[0].received, 5000u);
  EXPECT_EQ(list[0].sent, 300u);
  EXPECT_EQ(list[1].name, "eth0:1");
  EXPECT_EQ(list[1].received, 12u);
}

TEST(Pressure, IsTheTenSecondsOfSome) {
  EXPECT_EQ(parse_pressure("some avg10=12.50 avg60=1.00 avg300=0.10 total=5\n"
                           "full avg10=3.00 avg60=0.00 avg300=0.00 total=0\n"),
            12.5);
  EXPECT_EQ(parse_pressure("full avg10=3.00\nsome avg10=0.00 avg60=1"), 0);
  for (const char* text : {"", "full avg10=3.00\n", "some avg60=1.00\n", "some avg10=\n", "some"}) {
    EXPECT_EQ(parse_pressure(text), std::nullopt) << text;
  }
}

TEST(Mounts, AreTheRootAndEachDeviceOnce) {
  EXPECT_THAT(parse_mounts("proc /proc proc rw 0 0\n"
                           "tmpfs /run tmpfs rw 0 0\n"
                           "/dev/sda1 / ext4 rw 0 0\n"
                           "/dev/sda1 /bound ext4 rw 0 0\n"
                           "/dev/sdb1 /my\\040disk xfs rw 0 0\n"
                           "/dev/loop0 /snap/x squashfs ro 0 0\n"
                           "server:/home /home nfs4 rw 0 0\n"),
              ElementsAre("/", "/my disk"));
}

TEST(Mounts, OfAContainerAreItsOverlay) {
  EXPECT_THAT(parse_mounts("rootfs / rootfs rw 0 0\n"
                           "overlay / overlay rw,lowerdir=/a 0 0\n"
                           "/dev/vda /etc/hosts ext4 rw 0 0\n"
                           "/dev/vda /etc/resolv.conf ext4 rw 0 0\n"),
              ElementsAre("/", "/etc/hosts"));
}

TEST(Mounts, AreBoundedAndForgiving) {
  std::string many;
  for (int at = 0; at < 40; ++at) {
    const std::string number = std::to_string(at);
    many += "/dev/sd" + number + " /mnt/" + number + " ext4 rw 0 0\n";
  }
  EXPECT_EQ(parse_mounts(many).size(), 16u);
  EXPECT_THAT(parse_mounts("\n/dev/sda1\n/dev/sda1 /x\n /dev/sda2 \n"), IsEmpty());
}

}  // namespace
}  // namespace millrace::detail
