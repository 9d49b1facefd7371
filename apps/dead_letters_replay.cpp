// `millrace dead-letters replay`: hands records to where a topology reads them.
#include <sysexits.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "dead_letters_command.hpp"
#include "dead_letters_marks.hpp"
#include "dead_letters_reader.hpp"
#include "env/env.hpp"
#include "host/host.hpp"

namespace millrace::apps {
namespace {

/// Where records go.
class ReplayTarget {
 public:
  virtual ~ReplayTarget() = default;
  virtual Status write(const detail::KeptLetter& letter) = 0;
  /// Makes all of it durable.
  virtual Status close() = 0;
};

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

  Status write(const detail::KeptLetter& letter) override {
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
    if (slash == std::string::npos || slash == 0 || slash + 1 == place.size()) {
      return Status(Code::option_invalid,
                    fmt::format("--to journal:{}: give journal:DIR/TOPIC", place));
    }
    auto target = std::make_unique<TopicTarget>();
    auto journal = detail::Journal::open(detail::real_disk(), *detail::real_env().clock,
                                         place.substr(0, slash), {});
    if (!journal) return journal.error();
    target->journal_ = std::move(*journal);
    const std::string name = place.substr(slash + 1);
    auto topic = target->journal_->topic(name);
    if (!topic) topic = target->journal_->create_topic(name, {});
    if (!topic) return topic.error();
    target->topic_ = *topic;
    return std::unique_ptr<ReplayTarget>(std::move(target));
  }

  Status write(const detail::KeptLetter& letter) override {
    constexpr std::size_t kGathered = 1u << 20;
    gathered_.push_back({letter.at, letter.record});
    bytes_ += letter.bytes();
    return bytes_ < kGathered ? Status() : append();
  }
  Status close() override {
    if (Status status = append(); !status) return status;
    return journal_->close();
  }

 private:
  struct Gathered {
    Time time;
    std::string record;
  };
  /// In turn to the partitions: which key a record has, only its source knows.
  Status append() {
    if (gathered_.empty()) return {};
    std::vector<detail::JournalRecord> records;
    for (const Gathered& one : gathered_) {
      detail::JournalRecord& record = records.emplace_back();
      record.time = one.time;
      record.value = one.record;
    }
    const Status status = topic_->log(turn_++ % topic_->partitions())->append(records).error();
    gathered_.clear();
    bytes_ = 0;
    return status;
  }

  std::unique_ptr<detail::Journal> journal_;
  detail::Topic* topic_ = nullptr;
  std::vector<Gathered> gathered_;
  std::size_t bytes_ = 0;
  std::uint32_t turn_ = 0;
};

Result<std::unique_ptr<ReplayTarget>> open_target(const std::string& to) {
  constexpr std::string_view kJournal = "journal:";
  if (to.empty()) {
    return Status(Code::option_invalid,
                  "dead-letters replay: say where to: --to FILE, or --to journal:DIR/TOPIC");
  }
  if (to.starts_with(kJournal)) return TopicTarget::open(to.substr(kJournal.size()));
  return std::unique_ptr<ReplayTarget>(std::make_unique<LineTarget>(to));
}

/// What became of the letters that were asked for.
struct Replayed {
  std::uint64_t records = 0;
  std::uint64_t before = 0;  // replayed before
  std::uint64_t cut = 0;
  std::uint64_t none = 0;  // no records
};

/// Writes records first and marks after: who is killed between replays some twice.
Status replay(const JournalWords& words, Replayed& done) {
  const std::string& folder = words.plain(0);
  detail::Disk& disk = detail::real_disk();
  // To look first makes no target where there are no letters.
  if (Status status = read_letters(folder, LetterFilter(words), [](auto&&) { return false; });
      !status) {
    return status;
  }
  const auto lock = lock_replays(disk, folder);
  if (!lock) return lock.error();
  auto marks = ReplayMarks::read(disk, folder);
  if (!marks) return marks.error();
  const auto target = open_target(words.text("--to"));
  if (!target) return target.error();
  Status written;
  const bool again = words.has("--again");
  const Status read = read_letters(folder, LetterFilter(words), [&](const PlacedLetter& placed) {
    const detail::KeptLetter& letter = placed.letter;
    std::uint64_t* const passed_over = !again && marks->has(placed.topic, placed.offset)
                                           ? &done.before
                                       : !letter.is_record || letter.record.empty() ? &done.none
                                       : letter.is_cut()                            ? &done.cut
                                                                                    : nullptr;
    if (passed_over != nullptr) return ++*passed_over > 0;
    written = (*target)->write(letter);
    marks->add(placed.topic, placed.offset);
    ++done.records;
    return written.ok();
  });
  if (Status status = first_of({read, written, (*target)->close()}); !status) return status;
  return done.records == 0 ? Status() : marks->write(disk, folder);
}

void print(const Replayed& done, const std::string& to) {
  std::string text = fmt::format("{} records replayed to {}", done.records, to);
  const auto also = [&text](std::uint64_t count, const char* what) {
    if (count > 0) text += fmt::format("; {} {}", count, what);
  };
  also(done.before, "were replayed before (--again takes them too)");
  also(done.cut, "are longer than 1 MiB and were not kept whole");
  also(done.none, "are no records: rows of windows and timers that could not be made");
  fmt::print(stderr, "{}\n", text);
}

}  // namespace

int dead_letters_replay(int argc, char** argv) {
  const auto words = JournalWords::read(
      argc, argv, {{"--topology", "--component", "--reason", "--to"}, {"--again"}}, {"DIR"},
      "dead-letters");
  if (!words) return detail::report_error(words.error());
  Replayed done;
  const Status status = replay(*words, done);
  if (!status) return detail::report_error(status);
  print(done, words->text("--to"));
  return EX_OK;
}

}  // namespace millrace::apps
