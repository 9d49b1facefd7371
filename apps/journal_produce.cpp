// `millrace journal produce`: lines of standard input become records.
#include <sysexits.h>

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "env/env.hpp"
#include "host/host.hpp"
#include "journal/journal.hpp"
#include "journal_command.hpp"
#include "journal_words.hpp"

namespace millrace::apps {
namespace {

using detail::JournalRecord;

constexpr std::size_t kReadBytes = 256u << 10;
constexpr std::chrono::nanoseconds kStepEvery = std::chrono::seconds(1);

/// Appends lines to a topic: those with a key to its partition, the others in turn.
class Producer {
 public:
  /// `transaction` may be null: then each append stands for itself.
  Producer(detail::Journal& journal, detail::Topic& topic, detail::Transaction* transaction,
           std::string separator, bool acks)
      : journal_(journal),
        topic_(topic),
        transaction_(transaction),
        separator_(std::move(separator)),
        acks_(acks),
        records_(topic.partitions()) {}

  /// Takes whole lines, each with its end; on return they are acknowledged.
  Status append(std::string_view lines) {
    const Time now = detail::real_env().clock->wall_us();
    turn_ = (turn_ + 1) % topic_.partitions();
    while (!lines.empty()) {
      const auto end = lines.find('\n');
      add(lines.substr(0, end), now);
      lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    }
    for (std::uint32_t number = 0; number < topic_.partitions(); ++number) {
      if (Status status = append_partition(number); !status) return status;
    }
    if (acks_) std::fflush(stdout);
    return step();
  }
  std::uint64_t appended() const { return appended_; }
  /// Upkeep, once a second.
  Status step() {
    const std::int64_t now = detail::real_env().clock->steady_ns();
    if (now - stepped_ns_ < kStepEvery.count()) return {};
    stepped_ns_ = now;
    return journal_.step();
  }

 private:
  void add(std::string_view line, Time now) {
    JournalRecord record;
    record.time = now;
    const auto at = separator_.empty() ? std::string_view::npos : line.find(separator_);
    if (at != std::string_view::npos) {
      record.key = line.substr(0, at);
      line.remove_prefix(at + separator_.size());
    }
    record.value = line;
    records_[record.key ? topic_.partition_of(*record.key) : turn_].push_back(std::move(record));
  }

  Status append_partition(std::uint32_t number) {
    std::vector<JournalRecord>& records = records_[number];
    if (records.empty()) return {};
    detail::PartitionLog& log = *topic_.log(number);
    const auto appended = transaction_ ? transaction_->append(log, records) : log.append(records);
    if (!appended) return appended.error();
    appended_ += records.size();
    for (std::size_t at = 0; acks_ && at < records.size(); ++at)
      fmt::print("{} {}\n", number, appended->offset + at);
    records.clear();
    return {};
  }

  detail::Journal& journal_;
  detail::Topic& topic_;
  detail::Transaction* const transaction_;
  const std::string separator_;
  const bool acks_;
  std::vector<std::vector<JournalRecord>> records_;  // by partition
  std::uint32_t turn_ = 0;
  std::uint64_t appended_ = 0;
  std::int64_t stepped_ns_ = 0;
};

/// Reads standard input to its end; what has come together is appended together.
Status copy_lines(Producer& producer) {
  constexpr std::chrono::milliseconds kWait(5);
  auto input = detail::real_env().files->open_read("-");
  if (!input) return input.error();
  std::string text;
  for (;;) {
    const std::size_t kept = text.size();
    if (kept > detail::kBatchBytesMax)
      return {Code::option_invalid, "journal produce: a line of standard input is too long"};
    text.resize(kept + kReadBytes);
    const auto count = (*input)->read(text.data() + kept, kReadBytes);
    if (!count) return count.error();
    const bool waits = *count == detail::ByteReader::kNotReady;
    text.resize(kept + (waits ? 0 : *count));
    if (waits) {
      if (Status status = producer.step(); !status) return status;
      std::this_thread::sleep_for(kWait);
      continue;
    }
    const bool ended = *count == 0;
    const auto last = ended ? text.size() : text.rfind('\n') + 1;  // npos + 1 is 0
    if (last > 0) {
      if (Status status = producer.append(std::string_view(text).substr(0, last)); !status)
        return status;
      text.erase(0, last);
    }
    if (ended) return {};
  }
}

class LogToStderr final : public LogSink {
 public:
  void write(LogLevel, std::string_view event, std::string_view text) override {
    fmt::print(stderr, "{} {}\n", event, text);
  }
};

/// --transaction: all lines are one.
Status begin_if_asked(const JournalWords& words, detail::Journal& journal,
                      std::optional<detail::Transaction>& begun) {
  if (!words.has("--transaction")) return {};
  if (words.has("--acks")) {
    return {Code::option_invalid,
            "--acks: with --transaction no record is safe before the last one; leave one of them "
            "away"};
  }
  const auto producer = journal.transactions()->producer("millrace journal produce");
  if (!producer) return producer.error();
  auto transaction = (*producer)->begin();
  if (transaction) begun.emplace(std::move(*transaction));
  return transaction.error();
}

Status produce(const JournalWords& words) {
  LogToStderr sink;
  detail::JournalOptions options{.log = Log(&sink, LogLevel::warn)};
  detail::TopicOptions made;
  std::uint64_t partitions = 1;
  if (Status status =
          first_of({words.options(options), words.number("--partitions", 1, 4096, partitions),
                    words.duration("--retention-time", made.retention.time),
                    words.bytes("--retention-bytes", 1, made.retention.bytes)});
      !status)
    return status;
  made.partitions = static_cast<std::uint32_t>(partitions);
  auto journal = detail::Journal::open(detail::real_disk(), *detail::real_env().clock,
                                       words.plain(0), options);
  if (!journal) return journal.error();
  auto topic = (*journal)->topic(words.plain(1));
  if (!topic) {
    topic = (*journal)->create_topic(words.plain(1), made);
  } else if (words.has("--partitions") && (*topic)->partitions() != partitions) {
    return {Code::option_invalid,
            fmt::format("--partitions {}: topic \"{}\" exists and has {}; leave the flag away",
                        partitions, words.plain(1), (*topic)->partitions())};
  }
  if (!topic) return topic.error();
  std::optional<detail::Transaction> transaction;
  if (Status status = begin_if_asked(words, **journal, transaction); !status) return status;
  Producer producer(**journal, **topic, transaction ? &*transaction : nullptr,
                    words.text("--key-separator"), words.has("--acks"));
  if (Status status = copy_lines(producer); !status) return status;
  if (transaction) {
    if (Status status = transaction->commit(); !status) return status;
  }
  if (Status status = (*journal)->close(); !status) return status;
  fmt::print(stderr, "{} records appended to {}\n", producer.appended(), words.plain(1));
  return {};
}

}  // namespace

int journal_produce(int argc, char** argv) {
  const auto words =
      JournalWords::read(argc, argv,
                         {{"--key-separator", "--mode", "--partitions", "--retention-time",
                           "--retention-bytes", "--segment-bytes", "--unsafe"},
                          {"--acks", "--transaction"}},
                         {"DIR", "TOPIC"});
  if (!words) return detail::report_error(words.error());
  const Status status = produce(*words);
  return status ? EX_OK : detail::report_error(status);
}

}  // namespace millrace::apps
