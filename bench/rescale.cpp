// rescale: a run with a state of a gigabyte whose component gets other numbers of tasks, against a
// plain copy of as many bytes in memory.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "kept_orders.hpp"
#include "millrace/run.hpp"
#include "millrace/topology.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kKeptBytes = 80;  // of a key in an epoch
constexpr double kStopSecondsMax = 2;
constexpr std::uint64_t kAgain = 100'000'000;  // records of known keys: more than it takes
constexpr unsigned kAMillisecond = 100;        // of them, in each partition
constexpr auto kPatience = 600s;

/// Of `text` what stands between `before` and the next character of `end`; empty: nothing.
std::string behind(const std::string& text, const std::string& before, const char* end) {
  const std::size_t at = text.find(before);
  if (at == std::string::npos) return {};
  const std::size_t from = at + before.size();
  return text.substr(from, text.find_first_of(end, from) - from);
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// What a page on this machine answers; empty: nothing.
std::string ask_page(std::uint16_t port, const std::string& method, const std::string& path) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) {
    const std::string request = fmt::format(
        "{} {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nX-Millrace: 1\r\nContent-Length: 0\r\n"
        "Connection: close\r\n\r\n",
        method, path, port);
    (void)!::write(socket, request.data(), request.size());
    char bytes[4096];
    for (ssize_t count = 0; (count = ::read(socket, bytes, sizeof bytes)) > 0;)
      answer.append(bytes, static_cast<std::size_t>(count));
  }
  ::close(socket);
  return answer;
}

/// The topology in a process of its own, which knows every key.
class RunningKept {
 public:
  RunningKept(std::string folder, std::uint64_t keys, unsigned threads) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("rescale: there is no pipe");
    child_ = ::fork();
    if (child_ == 0) run_child(std::move(folder), keys, threads, ends[1]);
    ::close(ends[1]);
    told_ = ends[0];
    const std::string says = wait_for("all keys are known");
    port_ = static_cast<std::uint16_t>(
        std::stoul("0" + behind(says, "the page is at http://127.0.0.1:", "/\n ")));
  }
  RunningKept(const RunningKept&) = delete;
  RunningKept& operator=(const RunningKept&) = delete;
  ~RunningKept() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    ::close(told_);
  }

  /// Why it did not; empty: it did.
  std::string rescale(unsigned tasks) const {
    const std::string begun =
        ask_page(port_, "POST", fmt::format("/api/v1/rescale?component=kept&tasks={}", tasks));
    if (!has(begun, " 202 ")) return "rescale: it is refused: " + begun;
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < until) {
      const std::string told = ask_page(port_, "GET", "/api/v1/rescale");
      if (has(told, "\"under_way\":false"))
        return has(told, "\"failed\":0") ? "" : "rescale: it has failed: " + told;
      std::this_thread::sleep_for(10ms);
    }
    return "rescale: it takes too long";
  }
  double longest_stop_ms() const {
    const std::string told = ask_page(port_, "GET", "/api/v1/rescale");
    return std::stod("0" + behind(told, "\"longest_stop_ms\":", ",}"));
  }
  /// Of the rows that come now, which are made of what was known before.
  bool knows_all() const {
    pollfd more{told_, POLLIN, 0};
    char bytes[4096];  // what was said before
    while (::poll(&more, 1, 0) == 1 && ::read(told_, bytes, sizeof bytes) > 0) {
    }
    const std::string said = wait_for("keys are ");
    return has(said, "keys are right");
  }

 private:
  /// What the run has said up to there.
  std::string wait_for(const std::string& words) const {
    std::string said;
    char byte = 0;
    while (!has(said, words) || byte != '\n') {
      if (::read(told_, &byte, 1) != 1) throw std::runtime_error("rescale: the run ended: " + said);
      said += byte;
    }
    return said;
  }

  /// Tells when the first key has come a second time in each partition, and then, once a second,
  /// whether all rows since were right.
  [[noreturn]] static void run_child(std::string folder, std::uint64_t keys, unsigned threads,
                                     int told) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(told, STDOUT_FILENO);
    ::dup2(told, STDERR_FILENO);
    Topology topology("rescale");
    std::vector<bool> seen(threads);
    bool right = true;
    auto next = std::chrono::steady_clock::time_point::max();
    declare_kept(topology, keys, kAgain, {threads, kAMillisecond}, [&, told](const Row& row) {
      right &= mix(static_cast<std::uint64_t>(row.first) + 1) == row.key;
      seen[static_cast<std::size_t>(row.first) % threads] = true;
      const auto now = std::chrono::steady_clock::now();
      const bool all = std::find(seen.begin(), seen.end(), false) == seen.end();
      if (!all || (next != std::chrono::steady_clock::time_point::max() && now < next)) return;
      const bool first = next == std::chrono::steady_clock::time_point::max();
      next = now + 1s;
      const std::string text = first   ? "all keys are known\n"
                               : right ? "keys are right\n"
                                       : "keys are wrong\n";
      (void)!::write(told, text.data(), text.size());
    });
    const std::string count = std::to_string(threads);
    std::vector<std::string> words = {
        "rescale",     "--state-dir",   folder, "--checkpoint-interval", "10s", "--ui",
        "127.0.0.1:0", "--parallelism", count,  "--executors",           count};
    std::vector<char*> line;
    for (std::string& word : words) line.push_back(word.data());
    line.push_back(nullptr);
    ::_exit(run(topology, static_cast<int>(words.size()), line.data()));
  }

  pid_t child_ = 0;
  int told_ = 0;
  std::uint16_t port_ = 0;
};

/// A folder in the working directory, as folders for temporary files are often not on a disk.
class StateFolder {
 public:
  StateFolder() {
    std::string name = std::filesystem::current_path() / "millrace_bench_rescale_XXXXXX";
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("rescale: a folder cannot be made where the program runs");
    path_ = name;
  }
  StateFolder(const StateFolder&) = delete;
  StateFolder& operator=(const StateFolder&) = delete;
  ~StateFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// To more tasks and back.
Answer rescale_twice(std::uint64_t keys, unsigned threads, double& longest_ms) {
  const StateFolder folder;
  const RunningKept running(folder.path(), keys, threads);
  Answer answer;
  answer.records = keys;
  for (const unsigned tasks : {2 * threads, threads}) {
    if (answer.failure.empty()) answer.failure = running.rescale(tasks);
  }
  longest_ms = std::max(longest_ms, running.longest_stop_ms());
  answer.checksum = answer.failure.empty() && running.knows_all() ? 1 : 0;
  return answer;
}

Answer copy(std::uint64_t keys) {
  const std::vector<char> from(keys * kKeptBytes, 'k');
  std::vector<char> to(from.size());
  std::memcpy(to.data(), from.data(), from.size());
  Answer answer;
  answer.records = keys;
  answer.checksum = to.back() == 'k' ? 1 : 0;
  return answer;
}

}  // namespace

Workload rescale_workload(const Settings& settings) {
  const std::uint64_t keys = kept_keys(settings);
  Workload workload;
  workload.name = "rescale";
  workload.unit = "keys";
  const auto longest_ms = std::make_shared<double>(0);
  workload.engine = [=](unsigned threads) { return rescale_twice(keys, threads, *longest_ms); };
  workload.limit = [keys] { return copy(keys); };
  workload.figures = [=](const Outcome&) {
    const double gigabytes = static_cast<double>(keys * kKeptBytes) / 1e9;
    const double seconds = *longest_ms / 1e3;
    return std::vector<Figure>{{"gigabytes", gigabytes, 0, 0},
                               {"longest_stop_seconds", seconds, 0, kStopSecondsMax},
                               {"stop_seconds_per_gigabyte", seconds / gigabytes, 0, 0}};
  };
  return workload;
}

}  // namespace millrace::bench
