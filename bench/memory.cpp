// memory: peak memory of W1 and of an idle demo, and how long the program takes to say its version.
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "workloads.hpp"

namespace millrace::bench {
namespace {

struct Ended {
  bool good = false;
  double seconds = 0;
  std::uint64_t peak_rss_bytes = 0;
};

/// Runs this very program with other arguments, silently, to its end.
Ended run_self(std::vector<std::string> words) {
  words.insert(words.begin(), "millrace");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  Ended ended;
  const auto before = std::chrono::steady_clock::now();
  pid_t child = 0;
  if (posix_spawn(&child, "/proc/self/exe", &actions, nullptr, arguments.data(), environ) == 0) {
    int status = 0;
    rusage usage{};
    ended.good =
        wait4(child, &status, 0, &usage) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    ended.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  }
  ended.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
  posix_spawn_file_actions_destroy(&actions);
  return ended;
}

double median_version_ms() {
  constexpr int kRuns = 21;
  std::vector<double> milliseconds;
  for (int run = 0; run < kRuns; ++run) {
    const Ended ended = run_self({"version"});
    milliseconds.push_back(ended.good ? ended.seconds * 1e3 : 1e9);
  }
  std::nth_element(milliseconds.begin(), milliseconds.begin() + kRuns / 2, milliseconds.end());
  return milliseconds[kRuns / 2];
}

/// The demo with its page, replayed so slowly that it has nearly nothing to do.
double idle_demo_mb() {
  const Ended ended =
      run_self({"demo", "--speed", "1", "--ui", "127.0.0.1:0", "--duration", "3s", "--json"});
  return ended.good ? static_cast<double>(ended.peak_rss_bytes) / 1e6 : 1e9;
}

}  // namespace

Workload memory_workload(const Settings& settings) {
  Workload workload = hashtags_workload(settings);
  workload.name = "memory";
  workload.bound = nullptr;
  workload.figures = [](const Outcome& outcome) {
    return std::vector<Figure>{
        {"w1_peak_mb", static_cast<double>(outcome.engine.peak_rss_bytes) / 1e6, 0, 128},
        {"idle_demo_mb", idle_demo_mb(), 0, 60},
        {"version_ms", median_version_ms(), 0, 50},
    };
  };
  return workload;
}

}  // namespace millrace::bench
