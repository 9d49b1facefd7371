// A journal on a simulated disk beside a model of it: what was acknowledged, served, attempted.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "env/random.hpp"
#include "env/sim_disk.hpp"
#include "env/sim_env.hpp"
#include "journal/journal.hpp"

namespace millrace::detail {

/// Lines of the log, by thread-safe means.
class LinesOfLog final : public LogSink {
 public:
  void write(LogLevel level, std::string_view event, std::string_view text) override {
    const std::lock_guard lock(mutex_);
    lines_.push_back(fmt::format("{} {}", event, text));
    errors_ += level >= LogLevel::error ? 1 : 0;
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  std::size_t errors() const {
    const std::lock_guard lock(mutex_);
    return errors_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  std::size_t errors_ = 0;
};

/// One journal with a topic "t" of two partitions; every record has a text of its own.
class JournalModel {
 public:
  static constexpr std::uint32_t kPartitions = 2;

  explicit JournalModel(std::uint64_t seed, JournalOptions options = {.segment_bytes = 4096})
      : disk(seed), random_(seed ^ 0x6a6f75726e616cull), options_(options) {
    options_.log = Log(&log, LogLevel::info);
  }

  /// Opens, and makes the topic where it is not there.
  Status open() {
    auto journal = Journal::open(disk, clock_, "j", options_);
    if (!journal) return journal.error();
    auto topic = (*journal)->topic("t");
    if (!topic) topic = (*journal)->create_topic("t", {.partitions = kPartitions});
    if (!topic) return topic.error();
    journal_ = std::move(*journal);
    topic_ = *topic;
    return {};
  }

  /// Appends one to five records to a partition, and notes what came of it.
  Status append(std::uint32_t partition) {
    std::vector<std::string> texts;
    for (std::uint64_t count = 1 + random_.below(5); count > 0; --count) {
      texts.push_back(
          fmt::format("{}-{}-{}", partition, ++made_,
                      std::string(random_.below(random_.chance(0.1) ? 3000 : 90), 'x')));
    }
    std::vector<JournalRecord> records;
    for (const std::string& text : texts) {
      JournalRecord& record = records.emplace_back();
      record.time = static_cast<Time>(made_);
      record.value = text;
    }
    const auto appended = topic_->log(partition)->append(records);
    std::uint64_t offset = appended ? appended->offset : 0;
    for (std::string& text : texts)
      attempts_[partition].push_back({std::move(text), appended.has_value(), offset++});
    return appended.error();
  }

  /// Ends the process or the machine; the journal's destructor can do nothing any more.
  void end(bool with_power) {
    disk.set_faults({DiskFault::power_cut, 0, false});
    journal_.reset();
    if (with_power) {
      disk.lose_power();
    } else {
      disk.kill();
    }
  }
  Status close() {
    const Status status = journal_->close();
    journal_.reset();
    return status;
  }
  void pass(std::chrono::nanoseconds time) { clock_.advance(time); }
  Journal& journal() { return *journal_; }
  Random& random() { return random_; }

  /// Opens without faults, reads all and compares; what is wrong is said by name. What was served
  /// must stay.
  std::vector<std::string> check() {
    std::vector<std::string> wrong;
    if (const Status status = open(); !status) return {"cannot-open: " + status.to_string()};
    for (std::uint32_t partition = 0; partition < kPartitions; ++partition)
      check_partition(partition, wrong);
    const auto verdict = verify_journal(disk, clock_, "j");
    if (!verdict) wrong.push_back("verify-fails: " + verdict.error().to_string());
    if (verdict && !verdict->damage.empty())
      wrong.push_back("verify-finds-damage: " + verdict->damage.front().to_string());
    if (log.errors() > 0) wrong.push_back("error-line");
    return wrong;
  }

  /// Of all that was served last.
  std::uint64_t fingerprint() const {
    std::uint64_t sum = 0;
    for (const auto& served : served_)
      for (const std::string& text : served) sum = hash_combine(sum, hash_bytes(text));
    return sum;
  }
  std::size_t acknowledged() const {
    std::size_t sum = 0;
    for (const auto& attempts : attempts_)
      for (const Attempt& attempt : attempts) sum += attempt.acknowledged ? 1 : 0;
    return sum;
  }

  SimDisk disk;
  LinesOfLog log;

 private:
  struct Attempt {
    std::string text;
    bool acknowledged = false;
    std::uint64_t offset = 0;
  };

  void check_partition(std::uint32_t partition, std::vector<std::string>& wrong) {
    std::vector<std::string> served;
    LogReader reader(topic_->view(partition), 0);
    JournalRecord record;
    for (;;) {
      const auto more = reader.next(record);
      if (!more) return wrong.push_back("cannot-read: " + more.error().to_string());
      if (!*more) break;
      served.emplace_back(record.value.value_or(""));
    }
    std::size_t next = 0;
    for (const Attempt& attempt : attempts_[partition]) {
      if (next < served.size() && served[next] == attempt.text) {
        if (attempt.acknowledged && attempt.offset != next) wrong.push_back("offset-moved");
        ++next;
      } else if (attempt.acknowledged) {
        wrong.push_back(
            fmt::format("lost-write: partition {} offset {}", partition, attempt.offset));
      }
    }
    if (next != served.size())
      wrong.push_back(fmt::format("invented: partition {} offset {}", partition, next));
    const auto& before = served_[partition];
    const bool kept =
        before.size() <= served.size() && std::equal(before.begin(), before.end(), served.begin());
    if (!kept) wrong.push_back(fmt::format("served-then-lost: partition {}", partition));
    served_[partition] = std::move(served);
  }

  SimClock clock_;
  Random random_;
  JournalOptions options_;
  std::unique_ptr<Journal> journal_;
  Topic* topic_ = nullptr;
  std::uint64_t made_ = 0;
  std::vector<Attempt> attempts_[kPartitions];
  std::vector<std::string> served_[kPartitions];
};

}  // namespace millrace::detail
