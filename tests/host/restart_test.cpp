// A topology that fails starts again in its process, from its last epoch.
#include <gtest/gtest.h>

#include <atomic>
#include <charconv>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/folder_harness.hpp"
#include "host/host.hpp"

namespace millrace {
namespace {

/// Counts to `last`; throws so often, each time behind another hundred.
struct Counting : Spout<int> {
  Counting(int to, std::shared_ptr<std::atomic<int>> failures)
      : last(to), left(std::move(failures)) {}
  bool next(Output<int>& out) override {
    if (at > 0 && at % 100 == 0 && *left > 0 && at >= begun + 100) {
      --*left;
      throw std::runtime_error("it went away");
    }
    if (at == last) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    out.emit(++at);
    return true;
  }
  bool replayable() const override { return true; }
  std::string position() const override { return std::to_string(at); }
  void resume(std::string_view position) override {
    std::from_chars(position.data(), position.data() + position.size(), at);
    begun = at;
  }
  int last;
  std::shared_ptr<std::atomic<int>> left;
  int at = 0;
  int begun = 0;
};

struct Outcome {
  int code;
  std::vector<std::string> lines;
};

/// A run of 1,000 numbers whose spout throws `failures` times.
Outcome run_failing(int failures, const std::string& policy) {
  const detail::FolderHarness folder;
  const std::string path = folder.path("sums.jsonl");
  auto left = std::make_shared<std::atomic<int>>(failures);
  Topology topology("failing");
  topology.spout("numbers", Counting(1000, left))
      .key_by([](int) { return 0; })
      .sum([](int value) { return std::int64_t{value}; })
      .named("sums")
      .to(log(path));
  detail::HostOptions options;
  options.ui = "off";
  options.state_dir = folder.path("state");
  options.checkpoint_interval = std::chrono::milliseconds(10);
  options.restart = policy;
  options.log_level = LogLevel::off;
  Outcome outcome{detail::run_with(topology, options, {}), {}};
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) outcome.lines.push_back(line);
  return outcome;
}

void expect_all_sums(const std::vector<std::string>& lines, std::size_t count) {
  ASSERT_EQ(lines.size(), count);
  for (std::size_t at = 0; at < lines.size(); ++at) {
    const std::size_t sum = (at + 1) * (at + 2) / 2;
    EXPECT_NE(lines[at].find(":" + std::to_string(sum) + "}"), std::string::npos) << lines[at];
  }
}

TEST(Restart, WhatWasDoneOnceStaysDoneOnce) {
  const Outcome outcome = run_failing(3, "fixed:5,0s");
  EXPECT_EQ(outcome.code, 0);
  expect_all_sums(outcome.lines, 1000);
}

TEST(Restart, TheLastFailureEndsTheRun) {
  EXPECT_EQ(run_failing(3, "fixed:2,0s").code, 70);
  EXPECT_EQ(run_failing(1, "none").code, 70);
}

}  // namespace
}  // namespace millrace
