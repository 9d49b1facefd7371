// `millrace journal consume`: records become lines.
#include <sysexits.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "env/env.hpp"
#include "host/host.hpp"
#include "host/stop_signals.hpp"
#include "journal/journal.hpp"
#include "journal_command.hpp"
#include "journal_words.hpp"

namespace millrace::apps {
namespace {

using detail::JournalRecord;

constexpr std::size_t kWriteBytes = 64u << 10;

/// Where a partition is read from.
Result<std::uint64_t> first_offset(detail::PartitionView& view, const std::string& from,
                                   detail::Isolation isolation) {
  const auto shape = view.shape();
  if (!shape) return shape.error();
  if (from.empty() || from == "earliest") return shape->begin_offset();
  if (from == "latest")
    return isolation == detail::Isolation::read_committed ? shape->stable_offset()
                                                          : shape->end_offset();
  std::uint64_t offset = 0;
  const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), offset);
  if (error == std::errc() && end == from.data() + from.size()) return offset;
  if (const auto time = detail::parse_iso_time(from)) return view.offset_at(*time);
  return Status(Code::option_invalid,
                fmt::format("--from {}: give earliest, latest, an offset, or a time such as "
                            "2015-09-12T06:00:00Z",
                            from));
}

void append_text(std::string& out, const std::optional<std::string_view>& text) {
  if (text) {
    detail::append_json_string(out, *text);
  } else {
    out += "null";
  }
}

void append_json(std::string& out, std::uint32_t partition, const JournalRecord& record) {
  out += fmt::format(R"({{"partition":{},"offset":{},"time":"{}","key":)", partition, record.offset,
                     detail::format_iso_time(record.time));
  append_text(out, record.key);
  out += R"(,"value":)";
  append_text(out, record.value);
  if (!record.headers.empty()) {
    out += R"(,"headers":[)";
    for (const detail::JournalHeader& header : record.headers) {
      out += out.back() == '[' ? "[" : ",[";
      detail::append_json_string(out, header.name);
      out += ',';
      detail::append_json_string(out, header.value);
      out += ']';
    }
    out += ']';
  }
  out += "}\n";
}

/// Partitions in turn, each as far as it goes.
class Consumer {
 public:
  Consumer(bool json, std::uint64_t limit) : json_(json), left_(limit) {}

  Status add(detail::PartitionView& view, std::uint32_t number, const std::string& from,
             detail::Isolation isolation) {
    const auto offset = first_offset(view, from, isolation);
    if (!offset) return offset.error();
    readers_.push_back({number, detail::LogReader(view, *offset, isolation)});
    return {};
  }

  /// Writes what there is now; `more`: something was there.
  Status write_all(const detail::StopSignals& stop, bool& more) {
    more = false;
    for (Reading& reading : readers_) {
      JournalRecord record;
      while (!done() && !stop.requested()) {
        const auto found = reading.reader.next(record);
        if (!found) {
          flush();
          return found.error();
        }
        if (!*found) break;
        more = true;
        --left_;
        write(reading.number, record);
      }
    }
    flush();
    return {};
  }
  /// The limit is reached, or nobody reads the output any more.
  bool done() const { return left_ == 0 || closed_; }

 private:
  struct Reading {
    std::uint32_t number;
    detail::LogReader reader;
  };

  void write(std::uint32_t number, const JournalRecord& record) {
    if (json_) {
      append_json(out_, number, record);
    } else {
      out_.append(record.value.value_or("")).push_back('\n');
    }
    if (out_.size() >= kWriteBytes) flush();
  }
  void flush() {
    closed_ = closed_ || std::fwrite(out_.data(), 1, out_.size(), stdout) != out_.size() ||
              std::fflush(stdout) != 0;
    out_.clear();
  }

  const bool json_;
  std::uint64_t left_;
  bool closed_ = false;
  std::vector<Reading> readers_;
  std::string out_;
};

Result<detail::Isolation> isolation_of(const JournalWords& words) {
  const std::string given = words.text("--isolation");
  if (!words.has("--isolation") || given == "read_committed")
    return detail::Isolation::read_committed;
  if (given == "read_uncommitted") return detail::Isolation::read_uncommitted;
  return Status(Code::option_invalid,
                fmt::format("--isolation {}: give read_committed or read_uncommitted", given));
}

Status consume(const JournalWords& words) {
  detail::JournalOptions options{.read_only = true};
  std::uint64_t limit = UINT64_MAX;
  std::uint64_t partition = 0;
  if (Status status = first_of({words.options(options), words.number("--limit", 1, limit, limit),
                                words.number("--partition", 0, 4095, partition)});
      !status)
    return status;
  const auto isolation = isolation_of(words);
  if (!isolation) return isolation.error();
  const detail::StopSignals stop;
  const auto journal = detail::Journal::open(detail::real_disk(), *detail::real_env().clock,
                                             words.plain(0), options);
  if (!journal) return journal.error();
  const auto topic = (*journal)->topic(words.plain(1));
  if (!topic) return topic.error();
  if (partition >= (*topic)->partitions()) {
    return {Code::option_invalid, fmt::format("--partition {}: topic \"{}\" has 0 to {}", partition,
                                              words.plain(1), (*topic)->partitions() - 1)};
  }
  Consumer consumer(words.has("--json"), limit);
  for (std::uint32_t number = 0; number < (*topic)->partitions(); ++number) {
    if (words.has("--partition") && number != partition) continue;
    if (Status status =
            consumer.add((*topic)->view(number), number, words.text("--from"), *isolation);
        !status)
      return status;
  }
  for (bool more = true; (more || words.has("--follow")) && !consumer.done();) {
    if (Status status = consumer.write_all(stop, more); !status) return status;
    if (stop.requested()) break;
    if (!more && words.has("--follow")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return {};
}

}  // namespace

int journal_consume(int argc, char** argv) {
  const auto words = JournalWords::read(
      argc, argv,
      {{"--from", "--isolation", "--partition", "--limit", "--unsafe"}, {"--follow", "--json"}},
      {"DIR", "TOPIC"});
  if (!words) return detail::report_error(words.error());
  const Status status = consume(*words);
  return status ? EX_OK : detail::report_error(status);
}

}  // namespace millrace::apps
