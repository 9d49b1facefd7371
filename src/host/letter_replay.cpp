// Writing records of dead letters to a file or a topic, and marking them.
#include "host/letter_replay.hpp"

#include <unistd.h>

#include <cstdio>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "env/env.hpp"
#include "journal/shared_journal.hpp"

namespace millrace::detail {
namespace {

constexpr std::string_view kJournal = "journal:";
constexpr std::size_t kBytesAtOnce = 4u << 20;

class LineTarget final : public ReplayTarget {
 public:
  explicit LineTarget(std::string path) : path_(std::move(path)) {
    file_ = path_ == "-" ? stdout : std::fopen(path_.c_str(), "a");
  }
  ~LineTarget() override {
    if (file_ != nullptr && file_ != stdout) std::fclose(file_);
  }
  LineTarget(const LineTarget&) = delete;
  LineTarget& operator=(const LineTarget&) = delete;

  Status write(const KeptLetter& letter) override {
    if (file_ == nullptr) return failed("opened");
    const std::string& record = letter.record;
    const bool good = std::fwrite(record.data(), 1, record.size(), file_) == record.size() &&
                      std::fputc('\n', file_) != EOF;
    return good ? Status() : failed("written");
  }
  Status close() override {
    if (file_ == nullptr) return failed("opened");
    if (std::fflush(file_) != 0) return failed("written");
    // A pipe or a terminal cannot be synced, and need not be.
    return file_ == stdout || ::fsync(::fileno(file_)) == 0 ? Status() : failed("synced");
  }

 private:
  Status failed(const char* what) const {
    return {Code::sink_failed,
            fmt::format("\"{}\" could not be {}; no letter was marked as replayed: look at the "
                        "path and the room on its disk",
                        path_, what)};
  }
  const std::string path_;
  std::FILE* file_ = nullptr;
};

class TopicTarget final : public ReplayTarget {
 public:
  static Result<std::unique_ptr<ReplayTarget>> open(const std::string& place) {
    const std::size_t slash = place.rfind('/');
    auto target = std::make_unique<TopicTarget>();
    auto journal = SharedJournal::open(real_disk(), *real_env().clock, place.substr(0, slash), {});
    if (!journal) return journal.error();
    target->journal_ = std::move(*journal);
    const std::string name = place.substr(slash + 1);
    auto topic = target->journal_->topic(name);
    if (!topic) topic = target->journal_->create_topic(name, {});
    if (!topic) return topic.error();
    target->topic_ = *topic;
    return std::unique_ptr<ReplayTarget>(std::move(target));
  }

  Status write(const KeptLetter& letter) override {
    constexpr std::size_t kGathered = 1u << 20;
    gathered_.push_back({letter.at, letter.record});
    bytes_ += letter.bytes();
    return bytes_ < kGathered ? Status() : append();
  }
  Status close() override {
    if (Status status = append(); !status) return status;
    return journal_.close();
  }

 private:
  struct Gathered {
    Time time;
    std::string record;
  };
  /// In turn to the partitions: which key a record has, only its source knows.
  Status append() {
    if (gathered_.empty()) return {};
    std::vector<JournalRecord> records;
    for (const Gathered& one : gathered_) {
      JournalRecord& record = records.emplace_back();
      record.time = one.time;
      record.value = one.record;
    }
    const Status status = topic_->log(turn_++ % topic_->partitions())->append(records).error();
    gathered_.clear();
    bytes_ = 0;
    return status;
  }

  SharedJournal journal_;
  Topic* topic_ = nullptr;
  std::vector<Gathered> gathered_;
  std::size_t bytes_ = 0;
  std::uint32_t turn_ = 0;
};

}  // namespace

Status check_target(const std::string& to, const std::string& flag) {
  if (to.empty()) {
    return {Code::option_invalid,
            fmt::format("say where to: {0} FILE, or {0} journal:DIR/TOPIC", flag)};
  }
  if (!to.starts_with(kJournal)) return {};
  const std::size_t slash = to.rfind('/');
  const bool good = slash != std::string::npos && slash > kJournal.size() && slash + 1 < to.size();
  if (good) return {};
  return {Code::option_invalid, fmt::format("{} {}: give journal:DIR/TOPIC", flag, to)};
}

Result<std::unique_ptr<ReplayTarget>> open_target(const std::string& to, const std::string& flag) {
  if (Status status = check_target(to, flag); !status.ok()) return status;
  if (to.starts_with(kJournal)) return TopicTarget::open(to.substr(kJournal.size()));
  return std::unique_ptr<ReplayTarget>(std::make_unique<LineTarget>(to));
}

std::string to_text(const Replayed& done, const std::string& to) {
  std::string text = fmt::format("{} records replayed to {}", done.records, to);
  const auto also = [&text](std::uint64_t count, const char* what) {
    if (count > 0) text += fmt::format("; {} {}", count, what);
  };
  also(done.before, "were replayed before");
  also(done.cut, "are longer than 1 MiB and were not kept whole");
  also(done.none, "are no records: rows of windows and timers that could not be made");
  return text;
}

Result<std::unique_ptr<LetterReplay>> LetterReplay::open(const std::string& folder,
                                                         LetterFilter filter, const std::string& to,
                                                         const std::string& flag, bool again) {
  Disk& disk = real_disk();
  auto walk = LetterWalk::open(folder, std::move(filter));  // first: makes no target for no letters
  if (!walk) return walk.error();
  std::unique_ptr<LetterReplay> replay(new LetterReplay(folder, std::move(*walk), again));
  auto lock = lock_replays(disk, folder);
  if (!lock) return lock.error();
  replay->lock_ = std::move(*lock);
  auto marks = ReplayMarks::read(disk, folder);
  if (!marks) return marks.error();
  replay->marks_ = std::move(*marks);
  auto target = open_target(to, flag);
  if (!target) return target.error();
  replay->target_ = std::move(*target);
  return replay;
}

Result<bool> LetterReplay::step(std::uint64_t letters) {
  std::optional<PlacedLetter> letter;
  std::size_t bytes = 0;
  for (; letters > 0 && bytes < kBytesAtOnce; --letters) {
    const auto more = walk_.step(letter);
    if (!more || !*more) return more;
    if (!letter) continue;
    bytes += letter->letter.bytes();
    if (Status status = take(*letter); !status.ok()) return status;
  }
  return true;
}

Status LetterReplay::take(const PlacedLetter& placed) {
  const KeptLetter& letter = placed.letter;
  std::uint64_t* const passed_over = !again_ && marks_.has(placed.topic, placed.offset)
                                         ? &done_.before
                                     : !letter.is_record || letter.record.empty() ? &done_.none
                                     : letter.is_cut()                            ? &done_.cut
                                                                                  : nullptr;
  if (passed_over != nullptr) {
    ++*passed_over;
    return {};
  }
  if (Status status = target_->write(letter); !status.ok()) return status;
  marks_.add(placed.topic, placed.offset);
  ++done_.records;
  return {};
}

Status LetterReplay::finish() {
  if (Status status = target_->close(); !status.ok()) return status;
  return done_.records == 0 ? Status() : marks_.write(real_disk(), folder_);
}

}  // namespace millrace::detail
