// Readers of the partitions of a topic, in turn.
#include "connector/journal_feed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "connector/counted_position.hpp"
#include "connector/partition_turns.hpp"
#include "journal/journal.hpp"

namespace millrace::detail {
namespace {

class TopicFeed final : public JournalFeed {
 public:
  explicit TopicFeed(JournalInput input) : input_(std::move(input)) {}

  Status open(const EndContext& context) override {
    if (Status status = read_range(context.range); !status) return status;
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
    const auto more = next_of(reading);
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
      const Reading& reading = readings_[local];
      to.push_back(
          counted_position(stable_name(local), std::min(reading.reader->offset(), reading.end)));
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

  /// What the run says goes before what the source says.
  Status read_range(const ReplayRange& range) {
    const auto refused = [this](const char* what, const std::string& text, const char* kinds) {
      return Status(Code::parameter_invalid,
                    fmt::format("journal(\"{}\", \"{}\"): {} \"{}\" is no place: give {}latest, an "
                                "offset, or a time such as 2015-09-12T06:00:00Z",
                                input_.folder, input_.topic, what, text, kinds));
    };
    if (!journal_start_is_good(input_.from)) return refused("from", input_.from, "earliest, ");
    if (!journal_end_is_good(input_.until)) return refused("until", input_.until, "");
    from_ = range.from.given() ? range.from : *parse_replay_bound(input_.from);
    until_ = range.until.given() ? range.until
                                 : parse_replay_bound(input_.until).value_or(ReplayBound{});
    return {};
  }

  /// The offset of a bound; of a time that no record has reached, the end offset.
  static Result<std::uint64_t> offset_of(const ReplayBound& bound, PartitionView& view,
                                         const PartitionShape& shape) {
    if (bound.kind == ReplayBound::Kind::latest) return shape.stable_offset();
    if (bound.kind == ReplayBound::Kind::offset) return bound.offset;
    if (bound.kind == ReplayBound::Kind::time) return view.offset_at(bound.time);
    return shape.begin_offset();
  }

  Status add(PartitionView& view) {
    const auto shape = view.shape();
    if (!shape) return shape.error();
    const auto first = offset_of(from_, view, *shape);
    if (!first) return first.error();
    std::uint64_t end = input_.follow ? UINT64_MAX : shape->stable_offset();
    if (until_.given()) {
      const auto bound = offset_of(until_, view, *shape);
      if (!bound) return bound.error();
      const bool to_come = until_.kind == ReplayBound::Kind::time && *bound == shape->end_offset();
      if (!to_come) end = std::min(end, *bound);
    }
    readings_.push_back({std::make_unique<LogReader>(view, *first), end});
    return {};
  }

  /// A record at the bound, or behind it where those before were aborted, ends the partition.
  Result<bool> next_of(Reading& reading) {
    const Time until = until_.kind == ReplayBound::Kind::time ? until_.time : kTimeMax;
    for (;;) {
      const auto more = reading.reader->next(record_);
      if (!more || !*more) return more;
      if (record_.offset >= reading.end || record_.time >= until) {
        reading.end = std::min(reading.end, record_.offset);
        return false;
      }
      if (record_.time >= input_.not_before) return true;
    }
  }

  const JournalInput input_;
  std::unique_ptr<Journal> journal_;
  Topic* topic_ = nullptr;
  PartitionTurns turns_;
  std::vector<Reading> readings_;
  ReplayBound from_;
  ReplayBound until_;
  JournalRecord record_;
};

}  // namespace

std::unique_ptr<JournalFeed> make_journal_feed(JournalInput input) {
  return std::make_unique<TopicFeed>(std::move(input));
}

bool journal_start_is_good(const std::string& from) { return parse_replay_bound(from).has_value(); }

bool journal_end_is_good(const std::string& until) {
  const auto bound = parse_replay_bound(until);
  return until.empty() || (bound && bound->kind != ReplayBound::Kind::earliest);
}

}  // namespace millrace::detail
