// Readers of the partitions of a topic, in turn.
#include "connector/journal_feed.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>
#include <vector>

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
    turns_ = PartitionTurns(topic_->partitions(), context.task, context.tasks);
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
    const auto more = reading.reader.next(record_);
    if (more && *more) out = {record_.offset, record_.time, record_.value.value_or("")};
    return more;
  }

  Poll pass(bool gave) override {
    if (!readings_[turns_.current()].is_over()) return turns_.passed(gave);
    turns_.end_current();
    return turns_.all_ended() ? Poll::ended : Poll::partition_ended;
  }

 private:
  struct Reading {
    LogReader reader;
    std::uint64_t end;  // where it ends
    bool is_over() const { return reader.offset() >= end; }
  };

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
    readings_.push_back(
        {LogReader(view, first), input_.follow ? UINT64_MAX : shape->stable_offset()});
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
