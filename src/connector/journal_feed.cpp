// Readers of the partitions of a topic, in turn.
#include "connector/journal_feed.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>
#include <vector>

#include "connector/counted_position.hpp"
#include "connector/partition_turns.hpp"
#include "journal/journal.hpp"

namespace millrace::detail {
namespace {

std::optional<std::uint64_t> as_offset(const std::string& from) {
  std::uint64_t offset = 0;
  const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), offset);
  if (error != std::errc() || end != from.data() + from.size()) return std::nullopt;
  return offset;
}

class TopicFeed final : public JournalFeed {
 public:
  explicit TopicFeed(JournalInput input) : input_(std::move(input)) {}

  Status open(const EndContext& context) override {
    if (!journal_start_is_good(input_.from)) {
      return {Code::parameter_invalid,
              fmt::format("journal(\"{}\", \"{}\"): from \"{}\" is no beginning: give earliest, "
                          "latest, an offset, or a time such as 2015-09-12T06:00:00Z",
                          input_.folder, input_.topic, input_.from)};
    }
    auto journal =
        Journal::open(*context.env->disk, *context.env->clock, input_.folder, {.read_only = true});
    if (!journal) return journal.error();
    journal_ = std::move(*journal);
    const auto topic = journal_->topic(input_.topic);
    if (!topic) return topic.error();
    topic_ = *topic;
    turns_ = PartitionTurns(topic_->partitions(), context);
    for (std::uint32_t local = 0; local < turns_.count(); ++local) {
      if (Status status = add(topic_->view(turns_.global(local))); !status) return status;
    }
    return {};
  }

  std::uint32_t partitions() const override { return turns_.count(); }
  std::string partition_name(std::uint32_t partition) const override {
    return fmt::format("{}/{}/{}", input_.folder, input_.topic, turns_.global(partition));
  }
  std::uint32_t current() const override { return turns_.current(); }
  bool ended() const override { return turns_.all_ended(); }

  Result<bool> next(FedRecord& out) override {
    Reading& reading = readings_[turns_.current()];
    if (reading.is_over()) return false;
    const auto more = reading.reader->next(record_);
    if (more && *more) out = {record_.offset, record_.time, record_.value.value_or("")};
    return more;
  }

  Poll pass(bool gave) override {
    if (!readings_[turns_.current()].is_over()) return turns_.passed(gave);
    turns_.end_current();
    return turns_.all_ended() ? Poll::ended : Poll::partition_ended;
  }

  void save_positions(std::vector<SourcePosition>& to) const override {
    for (std::uint32_t local = 0; local < turns_.count(); ++local) {
      to.push_back(counted_position(stable_name(local), readings_[local].reader->offset()));
    }
  }

  Status resume(std::span<const SourcePosition> positions) override {
    for (std::uint32_t local = 0; local < turns_.count(); ++local) {
      const auto offset = counted_in(positions, stable_name(local));
      if (!offset) return offset.error();
      if (!*offset) continue;
      if (Status status = go_to(local, **offset); !status) return status;
    }
    return {};
  }

 private:
  struct Reading {
    std::unique_ptr<LogReader> reader;
    std::uint64_t end;  // where it ends
    bool is_over() const { return reader->offset() >= end; }
  };

  /// Of a partition: the same wherever the folder is mounted.
  std::string stable_name(std::uint32_t local) const {
    return fmt::format("{}/{}", input_.topic, turns_.global(local));
  }

  Status go_to(std::uint32_t local, std::uint64_t offset) {
    PartitionView& view = topic_->view(turns_.global(local));
    const auto shape = view.shape();
    if (!shape) return shape.error();
    if (offset < shape->begin_offset() || offset > shape->end_offset()) {
      return {Code::source_failed,
              fmt::format("\"{}\" holds the offsets {} to {}, and reading was to go on at {}: {}; "
                          "begin anew with another state folder",
                          partition_name(local), shape->begin_offset(), shape->end_offset(), offset,
                          offset < shape->begin_offset() ? "retention took what was not read yet"
                                                         : "it is another journal than before")};
    }
    readings_[local].reader = std::make_unique<LogReader>(view, offset);
    return {};
  }

  Status add(PartitionView& view) {
    const auto shape = view.shape();
    if (!shape) return shape.error();
    std::uint64_t first = shape->begin_offset();
    if (input_.from == "latest") {
      first = shape->stable_offset();
    } else if (const auto offset = as_offset(input_.from)) {
      first = *offset;
    } else if (const auto time = parse_iso_time(input_.from)) {
      const auto found = view.offset_at(*time);
      if (!found) return found.error();
      first = *found;
    }
    readings_.push_back({std::make_unique<LogReader>(view, first),
                         input_.follow ? UINT64_MAX : shape->stable_offset()});
    return {};
  }

  const JournalInput input_;
  std::unique_ptr<Journal> journal_;
  Topic* topic_ = nullptr;
  PartitionTurns turns_;
  std::vector<Reading> readings_;
  JournalRecord record_;
};

}  // namespace

std::unique_ptr<JournalFeed> make_journal_feed(JournalInput input) {
  return std::make_unique<TopicFeed>(std::move(input));
}

bool journal_start_is_good(const std::string& from) {
  return from == "earliest" || from == "latest" || as_offset(from) || parse_iso_time(from);
}

}  // namespace millrace::detail
