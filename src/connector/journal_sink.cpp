// Gathering records of batches into appends.
#include "connector/journal_sink.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/byte_codec.hpp"
#include "base/hash.hpp"
#include "journal/shared_journal.hpp"
#include "operator/task_context.hpp"

namespace millrace::detail {
namespace {

constexpr std::size_t kGatheredBytes = 256u << 10;
constexpr std::int64_t kStepEveryNs = 1'000'000'000;
constexpr std::size_t kProducerBytesMax = 200;  // as the journal has it

/// Under which a component's tasks write transactions; theirs end with the task's number.
std::string producers_of(const EndContext& context, const std::string& topic) {
  std::string name = topic;
  if (context.user != nullptr) {
    name = context.user->topology().name + "/" + context.user->component();
  }
  if (name.size() > kProducerBytesMax - 16) {  // told apart by what no longer fits
    const std::string whole = std::to_string(hash_bytes(name));
    name = name.substr(0, kProducerBytesMax - 16 - whole.size()) + whole;
  }
  return name + "/";
}

/// The numbers that prepare() returned. Errors: 3003.
Result<std::vector<TransactionNumber>> numbers_in(std::string_view prepared) {
  std::vector<TransactionNumber> numbers;
  BytesCursor cursor(prepared);
  while (!cursor.rest().empty() && cursor.ok()) numbers.push_back(cursor.varint());
  if (cursor.ok()) return numbers;
  return Status(Code::state_unreadable,
                "what a journal was to commit cannot be read: the state folder is damaged");
}

/// Records of one partition, their bytes in one string.
class Gathered {
 public:
  void add(Time time, bool keyed, const std::string& key, const std::string& value) {
    parts_.push_back({time, keyed, key.size(), value.size()});
    bytes_.append(key).append(value);
  }
  bool empty() const { return parts_.empty(); }
  /// In a transaction, unless that is null.
  Status append_to(PartitionLog& log, Transaction* transaction) {
    std::vector<JournalRecord> records(parts_.size());
    std::string_view left = bytes_;
    for (std::size_t at = 0; at < parts_.size(); ++at) {
      const Part& part = parts_[at];
      records[at].time = part.time;
      if (part.keyed) records[at].key = left.substr(0, part.key_bytes);
      records[at].value = left.substr(part.key_bytes, part.value_bytes);
      left.remove_prefix(part.key_bytes + part.value_bytes);
    }
    const Status status = transaction != nullptr ? transaction->append(log, records).error()
                                                 : log.append(records).error();
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

class JournalSink final : public Sink {
 public:
  JournalSink(JournalOutput output, JournalFormatter format)
      : output_(std::move(output)), format_(std::move(format)) {}

  Status open(const EndContext& context) override {
    clock_ = context.env->clock;
    JournalOptions options;
    options.mode = output_.durable ? JournalMode::sync : JournalMode::async;
    options.log = context.log;
    // A checkpoint that takes long must not lose its records to a time-out.
    if (context.epochs) options.transaction_time_max = std::chrono::hours(24 * 365);
    auto journal = SharedJournal::open(*context.env->disk, *clock_, output_.folder, options);
    if (!journal) return journal.error();
    journal_ = std::move(*journal);
    auto topic = journal_->topic(output_.topic);
    if (!topic) topic = journal_->create_topic(output_.topic, {.partitions = output_.partitions});
    if (!topic) return topic.error();
    topic_ = *topic;
    gathered_.resize(topic_->partitions());
    return context.epochs ? begin_transactions(context) : Status();
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
    // In a transaction nobody could see it yet.
    if (Status status = producer_ ? Status() : append_all(); !status) return status;
    const std::int64_t now = clock_->steady_ns();
    if (now - stepped_ns_ < kStepEveryNs) return {};
    stepped_ns_ = now;
    return journal_->step();
  }
  Status close() override {
    if (!journal_) return {};
    open_.reset();  // aborts it: no epoch holds its records, which are read again
    const Status appended = producer_ ? Status() : append_all();
    producer_.reset();
    const Status closed = journal_.close();
    return appended ? closed : appended;
  }

  bool transactional() const override { return true; }
  Result<std::string> prepare(std::uint64_t epoch) override {
    if (Status status = append_all(); !status) return status;
    if (open_) {
      const TransactionNumber number = open_->number();
      const Status status = open_->prepare(fmt::format("epoch {}", epoch));
      open_.reset();
      if (!status) return status;
      prepared_.push_back(number);
    }
    std::string numbers;
    for (const TransactionNumber number : prepared_) put_varint(numbers, number);
    return numbers;
  }
  Status commit(std::uint64_t, std::string_view prepared) override {
    const auto numbers = numbers_in(prepared);
    if (!numbers) return numbers.error();
    if (Status status = journal_->transactions()->commit(*numbers); !status) return status;
    std::erase_if(prepared_, [&](TransactionNumber number) {
      return std::find(numbers->begin(), numbers->end(), number) != numbers->end();
    });
    return {};
  }
  Status recover(std::span<const std::string> prepared) override {
    std::vector<TransactionNumber> named;
    for (const std::string& of_task : prepared) {
      const auto numbers = numbers_in(of_task);
      if (!numbers) return numbers.error();
      named.insert(named.end(), numbers->begin(), numbers->end());
    }
    Transactions& transactions = *journal_->transactions();
    if (Status status = transactions.commit(named); !status) return status;
    const auto left = transactions.prepared();
    if (!left) return left.error();
    std::vector<TransactionNumber> others;
    for (const PreparedTransaction& transaction : *left) {
      if (is_ours(transaction.producer)) others.push_back(transaction.number);
    }
    return transactions.roll_back(others);
  }

 private:
  Status begin_transactions(const EndContext& context) {
    producers_ = producers_of(context, output_.topic);
    auto producer = journal_->transactions()->producer(producers_ + std::to_string(context.task));
    if (!producer) return producer.error();
    producer_ = std::move(*producer);
    return {};
  }

  /// Whether some task of the component, of however many, wrote under that name.
  bool is_ours(std::string_view producer) const {
    if (!producer.starts_with(producers_)) return false;
    producer.remove_prefix(producers_.size());
    return producer.find_first_not_of("0123456789") == std::string_view::npos;
  }

  Status append_all() {
    if (bytes_ > 0 && producer_ && !open_) {
      auto begun = producer_->begin();
      if (!begun) return begun.error();
      open_.emplace(std::move(*begun));
    }
    bytes_ = 0;
    for (std::uint32_t number = 0; number < gathered_.size(); ++number) {
      if (gathered_[number].empty()) continue;
      if (Status status =
              gathered_[number].append_to(*topic_->log(number), open_ ? &*open_ : nullptr);
          !status)
        return status;
    }
    return {};
  }

  const JournalOutput output_;
  const JournalFormatter format_;
  Clock* clock_ = nullptr;
  SharedJournal journal_;  // other sinks of the topology may write to other topics of it
  Topic* topic_ = nullptr;
  std::string producers_;                            // all begin so that write for the component
  std::unique_ptr<TransactionalProducer> producer_;  // null: the run makes no epochs
  std::optional<Transaction> open_;                  // since the first record behind a barrier
  std::vector<TransactionNumber> prepared_;          // and not known to be committed
  std::vector<Gathered> gathered_;                   // by partition
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
