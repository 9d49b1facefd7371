// Gathering records of batches into appends.
#include "connector/journal_sink.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "journal/journal.hpp"

namespace millrace::detail {
namespace {

constexpr std::size_t kGatheredBytes = 256u << 10;
constexpr std::int64_t kStepEveryNs = 1'000'000'000;

class JournalSink final : public Sink {
 public:
  JournalSink(JournalOutput output, JournalFormatter format)
      : output_(std::move(output)), format_(std::move(format)) {}

  Status open(const EndContext& context) override {
    clock_ = context.env->clock;
    JournalOptions options;
    options.mode = output_.durable ? JournalMode::sync : JournalMode::async;
    options.log = context.log;
    auto journal = Journal::open(*context.env->disk, *clock_, output_.folder, options);
    if (!journal) return journal.error();
    journal_ = std::move(*journal);
    auto topic = journal_->topic(output_.topic);
    if (!topic) topic = journal_->create_topic(output_.topic, {.partitions = output_.partitions});
    if (!topic) return topic.error();
    topic_ = *topic;
    gathered_.resize(topic_->partitions());
    return {};
  }

  Status write(const BatchBase& batch) override {
    const Time now = batch.has_times() ? 0 : clock_->wall_us();
    for (std::size_t index = 0; index < batch.size(); ++index) {
      value_.clear();
      key_.clear();
      const bool keyed = format_(value_, key_, batch, index);
      const std::uint32_t number =
          keyed ? topic_->partition_of(key_) : (turn_ = (turn_ + 1) % topic_->partitions());
      gathered_[number].add(batch.has_times() ? batch.times[index] : now, keyed, key_, value_);
      bytes_ += key_.size() + value_.size();
      if (bytes_ < kGatheredBytes) continue;
      if (Status status = append_all(); !status) return status;
    }
    return {};
  }
  Status flush() override {
    if (Status status = append_all(); !status) return status;
    const std::int64_t now = clock_->steady_ns();
    if (now - stepped_ns_ < kStepEveryNs) return {};
    stepped_ns_ = now;
    return journal_->step();
  }
  Status close() override {
    if (!journal_) return {};
    const Status appended = append_all();
    const Status closed = journal_->close();
    return appended ? closed : appended;
  }

 private:
  /// Records of one partition, their bytes in one string.
  class Gathered {
   public:
    void add(Time time, bool keyed, const std::string& key, const std::string& value) {
      parts_.push_back({time, keyed, key.size(), value.size()});
      bytes_.append(key).append(value);
    }
    bool empty() const { return parts_.empty(); }
    Status append_to(PartitionLog& log) {
      std::vector<JournalRecord> records(parts_.size());
      std::string_view left = bytes_;
      for (std::size_t at = 0; at < parts_.size(); ++at) {
        const Part& part = parts_[at];
        records[at].time = part.time;
        if (part.keyed) records[at].key = left.substr(0, part.key_bytes);
        records[at].value = left.substr(part.key_bytes, part.value_bytes);
        left.remove_prefix(part.key_bytes + part.value_bytes);
      }
      const Status status = log.append(records).error();
      parts_.clear();
      bytes_.clear();
      return status;
    }

   private:
    struct Part {
      Time time;
      bool keyed;
      std::size_t key_bytes;
      std::size_t value_bytes;
    };
    std::vector<Part> parts_;
    std::string bytes_;
  };

  Status append_all() {
    bytes_ = 0;
    for (std::uint32_t number = 0; number < gathered_.size(); ++number) {
      if (gathered_[number].empty()) continue;
      if (Status status = gathered_[number].append_to(*topic_->log(number)); !status) return status;
    }
    return {};
  }

  const JournalOutput output_;
  const JournalFormatter format_;
  Clock* clock_ = nullptr;
  std::unique_ptr<Journal> journal_;
  Topic* topic_ = nullptr;
  std::vector<Gathered> gathered_;  // by partition
  std::size_t bytes_ = 0;
  std::uint32_t turn_ = 0;
  std::int64_t stepped_ns_ = 0;
  std::string value_;
  std::string key_;
};

}  // namespace

std::unique_ptr<Sink> make_journal_sink(JournalOutput output, JournalFormatter format) {
  return std::make_unique<JournalSink>(std::move(output), std::move(format));
}

}  // namespace millrace::detail
