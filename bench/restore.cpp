// restore: a run that goes on from an epoch with a state of a gigabyte, against a plain read of it.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "kept_orders.hpp"
#include "millrace/run.hpp"
#include "millrace/topology.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

constexpr double kGigabyte = 1e9;
constexpr double kSecondsPerGigabyteMax = 3;
constexpr std::uint64_t kReadAgain = 16'384;  // keys of a partition that come a second time

/// Runs until every key is known, in a process of its own: its memory is not that of a restore.
[[noreturn]] void make_state(std::string folder, std::uint64_t keys, unsigned threads) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody else ends it where the bench is killed
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(nowhere, STDERR_FILENO);
  Topology topology("restore");
  std::vector<bool> told(threads);
  declare_kept(topology, keys, kReadAgain, {threads, 1}, [&told, threads](const Row& row) {
    const auto partition = static_cast<std::size_t>(row.first) % threads;
    if (told[partition]) return;
    told[partition] = true;
    if (std::find(told.begin(), told.end(), false) == told.end()) ::kill(::getpid(), SIGTERM);
  });
  const std::string count = std::to_string(threads);
  std::vector<std::string> words = {"restore", "--state-dir",   folder, "--checkpoint-interval",
                                    "1h",      "--parallelism", count,  "--executors",
                                    count,     "--headless"};
  std::vector<char*> line;
  for (std::string& word : words) line.push_back(word.data());
  line.push_back(nullptr);
  ::_exit(run(topology, static_cast<int>(words.size()), line.data()));
}

/// A folder in the working directory with the state, as folders for temporary files are often not
/// on a disk.
class Stored {
 public:
  Stored(std::uint64_t keys, unsigned threads) : keys_(keys), threads_(threads) {
    std::string name = std::filesystem::current_path() / "millrace_bench_restore_XXXXXX";
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("restore: a folder cannot be made where the program runs");
    folder_ = name;
    const pid_t child = ::fork();
    if (child == 0) make_state(folder_, keys, threads);
    int status = -1;
    if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0)
      throw std::runtime_error("restore: the state cannot be made: is the disk full?");
  }
  Stored(const Stored&) = delete;
  Stored& operator=(const Stored&) = delete;
  ~Stored() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  /// Goes on from it and reads some records, of keys that are known.
  Answer restore(unsigned threads) const {
    Answer answer;
    answer.records = keys_;
    Topology topology("restore");
    bool knows_all = true;
    std::uint64_t rows = 0;
    declare_kept(topology, keys_, kReadAgain, {threads_}, [&](const Row& row) {
      ++rows;
      knows_all &= mix(static_cast<std::uint64_t>(row.first) + 1) == row.key;
    });
    RunSettings settings;
    settings.executors = static_cast<int>(threads);
    settings.parallelism = static_cast<int>(threads);
    settings.from = folder_;
    const Status status = run_to_end(topology, settings);
    if (!status.ok()) answer.failure = status.to_string();
    answer.checksum = rows > 0 && knows_all ? 1 : 0;
    return answer;
  }
  /// A word of each eight bytes is added, as a checksum would be made.
  Answer read() const {
    std::vector<char> buffer(1u << 20);
    std::uint64_t sum = 0;
    const int file = ::open(newest().c_str(), O_RDONLY | O_CLOEXEC);
    for (;;) {
      const ssize_t count = ::read(file, buffer.data(), buffer.size());
      if (count <= 0) break;
      for (std::size_t at = 0; at + 8 <= static_cast<std::size_t>(count); at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, buffer.data() + at, sizeof word);
        sum += word;
      }
    }
    ::close(file);
    Answer answer;
    answer.records = keys_;
    answer.checksum = 1;
    if (sum == 0) answer.failure = "the plain loop has read nothing";
    return answer;
  }
  std::uint64_t bytes() const { return std::filesystem::file_size(newest()); }

 private:
  std::filesystem::path newest() const {
    std::filesystem::path path;
    for (const auto& file : std::filesystem::directory_iterator(folder_)) {
      if (file.path().extension() == ".ckpt") path = std::max(path, file.path());
    }
    return path;
  }

  const std::uint64_t keys_;
  const unsigned threads_;
  std::string folder_;
};

}  // namespace

Workload restore_workload(const Settings& settings) {
  const std::uint64_t keys = kept_keys(settings);
  Workload workload;
  workload.name = "restore";
  workload.unit = "keys";
  const auto stored = std::make_shared<Stored>(keys, settings.threads);
  workload.engine = [stored](unsigned threads) { return stored->restore(threads); };
  workload.limit = [stored] { return stored->read(); };
  workload.figures = [stored, keys](const Outcome& outcome) {
    const double gigabytes = static_cast<double>(stored->bytes()) / kGigabyte;
    const double seconds = static_cast<double>(keys) / outcome.engine.rate;
    const double plain = static_cast<double>(keys) / outcome.limit.rate;
    const double most = std::max(kSecondsPerGigabyteMax, plain / gigabytes);
    return std::vector<Figure>{{"gigabytes", gigabytes, 0, 0},
                               {"seconds_per_gigabyte", seconds / gigabytes, 0, most},
                               {"of_a_plain_read", seconds / plain, 0, 0}};
  };
  return workload;
}

}  // namespace millrace::bench
