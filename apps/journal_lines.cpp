// Reading lines, placing them in partitions, passing over what is stored already.
#include "journal_lines.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <thread>
#include <utility>

namespace millrace::apps {
namespace {

using detail::JournalRecord;

constexpr std::size_t kReadBytes = 256u << 10;
constexpr std::chrono::nanoseconds kStepEvery = std::chrono::seconds(1);
constexpr std::chrono::milliseconds kWait(5);

/// The id of a producer in the journal: FNV-1a (Fowler, Noll, Vo) of its name and its input's.
std::uint64_t producer_id(const std::string& producer, const std::string& input) {
  if (producer.empty()) return 0;
  std::uint64_t hash = 14'695'981'039'346'656'037u;
  for (const char c : producer + '\n' + input) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1'099'511'628'211u;
  }
  return hash == 0 ? 1 : hash;
}

}  // namespace

JournalLines::JournalLines(detail::Journal& journal, detail::Topic& topic,
                           const LineOptions& options, std::string name)
    : journal_(journal),
      topic_(topic),
      options_(options),
      name_(std::move(name)),
      producer_(producer_id(options.producer, name_)),
      parts_(topic.partitions()) {
  if (producer_ == 0) return;
  for (std::uint32_t number = 0; number < topic_.partitions(); ++number)
    parts_[number].stored = topic_.log(number)->next_sequence(producer_);
}

Status JournalLines::open() {
  auto input = detail::real_env().files->open_read(name_.empty() ? "-" : name_);
  if (input) input_ = std::move(*input);
  return input.error();
}

Status JournalLines::copy() {
  std::string text;
  for (;;) {
    const std::size_t kept = text.size();
    if (kept > detail::kBatchBytesMax) {
      return {Code::option_invalid, fmt::format("journal produce: a line of {} is too long",
                                                name_.empty() ? "standard input" : name_)};
    }
    text.resize(kept + kReadBytes);
    const auto count = input_->read(text.data() + kept, kReadBytes);
    if (!count) return count.error();
    const bool waits = *count == detail::ByteReader::kNotReady;
    text.resize(kept + (waits ? 0 : *count));
    if (waits) {
      if (Status status = step(); !status) return status;
      std::this_thread::sleep_for(kWait);
      continue;
    }
    const bool ended = *count == 0;
    const auto last = ended ? text.size() : text.rfind('\n') + 1;  // npos + 1 is 0
    if (last > 0) {
      if (Status status = append(std::string_view(text).substr(0, last)); !status) return status;
      text.erase(0, last);
    }
    if (ended) return {};
  }
}

/// Takes whole lines, each with its end; on return they are acknowledged.
Status JournalLines::append(std::string_view lines) {
  const Time now = detail::real_env().clock->wall_us();
  if (producer_ == 0) ++turn_;  // one partition for all: larger batches
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    add(lines.substr(0, end), now);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
  }
  for (std::uint32_t number = 0; number < topic_.partitions(); ++number) {
    if (Status status = append_part(number); !status) return status;
  }
  return step();
}

void JournalLines::add(std::string_view line, Time now) {
  JournalRecord record;
  record.time = now;
  const std::string& separator = options_.separator;
  const auto at = separator.empty() ? std::string_view::npos : line.find(separator);
  if (at != std::string_view::npos) {
    record.key = line.substr(0, at);
    line.remove_prefix(at + separator.size());
  } else if (producer_ != 0) {
    ++turn_;  // by the line alone, so that the next run places it there too
  }
  record.value = line;
  Part& part = parts_[record.key ? topic_.partition_of(*record.key) : turn_ % parts_.size()];
  if (part.lines++ < part.stored) {
    ++passed_over_;
  } else {
    part.records.push_back(std::move(record));
  }
}

Status JournalLines::append_part(std::uint32_t number) {
  Part& part = parts_[number];
  if (part.records.empty()) return {};
  detail::PartitionLog& log = *topic_.log(number);
  const std::size_t count = part.records.size();
  const auto appended =
      options_.transaction != nullptr
          ? options_.transaction->append(log, part.records)
          : log.append(part.records, {producer_, producer_ == 0 ? 0 : part.lines - count});
  if (!appended) return appended.error();
  appended_ += count;
  if (options_.acks) acknowledge(number, appended->offset, count);
  part.records.clear();
  return {};
}

/// In one write, so that lines of several inputs stay whole.
void JournalLines::acknowledge(std::uint32_t number, std::uint64_t first, std::size_t count) {
  std::string out;
  for (std::uint64_t offset = first; offset < first + count; ++offset) {
    out += fmt::format("{} {}", number, offset);
    out += name_.empty() ? "\n" : " " + name_ + "\n";
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  std::fflush(stdout);
}

/// Upkeep, once a second.
Status JournalLines::step() {
  const std::int64_t now = detail::real_env().clock->steady_ns();
  if (now - stepped_ns_ < kStepEvery.count()) return {};
  stepped_ns_ = now;
  return journal_.step();
}

}  // namespace millrace::apps
