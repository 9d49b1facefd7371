// Gathering dead letters into appends, on a thread of its own.
#include "runtime/dead_letter_journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/text.hpp"

namespace millrace::detail {
namespace {

constexpr std::size_t kGroupBytes = 256u << 10;   // so much is appended at once
constexpr std::size_t kWaitingBytes = 16u << 20;  // more lets tasks wait
constexpr auto kGather = std::chrono::milliseconds(100);
constexpr std::int64_t kSyncEveryNs = 1'000'000'000;
constexpr std::int64_t kTryAgainNs = 5'000'000'000;

/// A journal of the letters, and the log of the topic's only partition.
struct Opened {
  std::unique_ptr<Journal> journal;
  PartitionLog* partition = nullptr;
};

Result<Opened> open_journal(const DeadLetterSettings& settings, const std::string& topic_name,
                            Env& env, const Log& log) {
  constexpr std::uint64_t kSegments = 8;  // a file is what goes when there are too many letters
  JournalOptions options;
  options.mode = JournalMode::async;
  options.segment_bytes =
      std::clamp<std::uint64_t>(settings.bytes_max / kSegments, 64u << 10, 64u << 20);
  options.log = log;
  auto journal = Journal::open(*env.disk, *env.clock, settings.folder, options);
  if (!journal) return journal.error();
  auto topic = (*journal)->topic(topic_name);
  if (!topic) topic = (*journal)->create_topic(topic_name, {});
  if (!topic) return topic.error();
  PartitionLog* const partition = (*topic)->log(0);
  return Opened{std::move(*journal), partition};
}

}  // namespace

DeadLetterJournal::DeadLetterJournal(DeadLetterSettings settings, const std::string& topology,
                                     Env& env, Log log)
    : settings_(std::move(settings)), topic_name_(letter_topic(topology)), env_(env), log_(log) {}

Status DeadLetterJournal::open() {
  auto opened = open_journal(settings_, topic_name_, env_, log_);
  if (!opened) {
    return {opened.error().code(), fmt::format("the folder for dead letters, \"{}\": {}",
                                               settings_.folder, opened.error().message())};
  }
  journal_ = std::move(opened->journal);
  partition_ = opened->partition;
  writer_ = std::thread([this] { write_on(); });
  return {};
}

void DeadLetterJournal::add(KeptLetter letter) {
  const std::size_t bytes = letter.bytes();
  std::unique_lock lock(mutex_);
  room_.wait(lock, [this] { return over_ || waiting_bytes_ < kWaitingBytes; });
  waiting_.push_back(std::move(letter));
  waiting_bytes_ += bytes;
  if (waiting_.size() == 1 || waiting_bytes_ >= kGroupBytes) come_.notify_one();
}

void DeadLetterJournal::close() {
  if (!writer_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  come_.notify_one();
  writer_.join();
  if (journal_ == nullptr) return;
  Status status = sync();
  if (status) status = journal_->close();
  if (!status) give_up(status, 0);
}

std::uint64_t DeadLetterJournal::kept() const {
  const std::lock_guard lock(mutex_);
  return kept_;
}

std::uint64_t DeadLetterJournal::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void DeadLetterJournal::write_on() {
  std::unique_lock lock(mutex_);
  const auto some = [this] { return over_ || !waiting_.empty(); };
  const auto enough = [this] { return over_ || waiting_bytes_ >= kGroupBytes; };
  while (!over_ || !waiting_.empty()) {
    if (dirty_) {
      come_.wait_for(lock, std::chrono::nanoseconds(kSyncEveryNs), some);
    } else {
      come_.wait(lock, some);
    }
    if (!waiting_.empty()) come_.wait_for(lock, kGather, enough);
    const Letters letters = std::exchange(waiting_, {});
    waiting_bytes_ = 0;
    lock.unlock();
    room_.notify_all();
    write(letters);
    lock.lock();
  }
}

/// Opens the journal anew when it has failed long enough ago.
bool DeadLetterJournal::may_write() {
  if (journal_ != nullptr) return true;
  if (env_.clock->steady_ns() < try_again_ns_) return false;
  auto opened = open_journal(settings_, topic_name_, env_, log_);
  if (!opened) {
    try_again_ns_ = env_.clock->steady_ns() + kTryAgainNs;
    return false;
  }
  journal_ = std::move(opened->journal);
  partition_ = opened->partition;
  log_(LogLevel::warn, "dead-letters-kept-again",
       fmt::format("folder={} lost={}", settings_.folder, lost()));
  return true;
}

void DeadLetterJournal::write(const Letters& letters) {
  if (!letters.empty()) {
    if (!may_write()) {
      const std::lock_guard lock(mutex_);
      lost_ += letters.size();
      return;
    }
    const std::uint64_t kept_before = kept();
    if (Status status = append(letters); !status) {
      return give_up(status, letters.size() - (kept() - kept_before));
    }
  }
  const bool due = env_.clock->steady_ns() - synced_ns_ >= kSyncEveryNs;
  if (journal_ == nullptr || !dirty_ || !due) return;
  if (Status status = sync(); !status) give_up(status, 0);
}

Status DeadLetterJournal::append(const Letters& letters) {
  std::vector<JournalRecord> records;
  std::deque<std::string> texts;
  std::size_t bytes = 0;
  for (std::size_t at = 0; at < letters.size(); ++at) {
    letters[at].append_to(records, texts);
    bytes += letters[at].bytes();
    if (bytes < kGroupBytes && at + 1 < letters.size()) continue;
    dirty_ = true;
    if (Status status = partition_->append(records).error(); !status) return status;
    {
      const std::lock_guard lock(mutex_);
      kept_ += records.size();
    }
    records.clear();
    texts.clear();
    bytes = 0;
  }
  return {};
}

Status DeadLetterJournal::sync() {
  dirty_ = false;
  synced_ns_ = env_.clock->steady_ns();
  if (Status status = partition_->sync(); !status) return status;
  return partition_->retain({.bytes = settings_.bytes_max});
}

void DeadLetterJournal::give_up(const Status& why, std::size_t letters) {
  std::string text = fmt::format("folder={} reason=", settings_.folder);
  append_json_string(text, why.message());
  log_(LogLevel::warn, "dead-letters-not-kept",
       text + "; the run goes on, and what comes until the disk takes it again is counted as lost");
  journal_.reset();
  partition_ = nullptr;
  dirty_ = false;
  try_again_ns_ = env_.clock->steady_ns() + kTryAgainNs;
  const std::lock_guard lock(mutex_);
  lost_ += letters;
}

}  // namespace millrace::detail
