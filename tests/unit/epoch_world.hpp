// What tests of epochs share: a source that can be replayed, operators that keep sums, a sink whose
// rows are seen when they are committed, and a store of epochs, all in memory that outlives the
// run.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_codec.hpp"
#include "operator/keyed.hpp"
#include "record/batch_type.hpp"
#include "runtime/runtime.hpp"
#include "runtime/simulation.hpp"

namespace millrace::detail {

struct Numbered {
  std::int64_t key = 0;
  std::int64_t number = 0;
};
using NumberedKey = KeyFn<Numbered, std::int64_t Numbered::*>;
/// A key and a number, as a sink shows it.
using Shown = std::pair<std::int64_t, std::int64_t>;

/// Puts each piece behind those of its part before; those of key groups alone come in several.
inline void add_piece(std::vector<StatePart>& parts, const StatePart& piece) {
  const auto part = std::ranges::find_if(parts, [&](const StatePart& one) {
    return piece.owner == PartOwner::key_group && one.name == piece.name &&
           one.owner == piece.owner && one.number == piece.number;
  });
  if (part == parts.end()) {
    parts.push_back(piece);
  } else {
    part->bytes += piece.bytes;
  }
}

/// Keeps epochs beyond a run.
class MemoryStore final : public EpochStore {
 public:
  std::unique_ptr<EpochStream> begin(std::uint64_t) override {
    return std::make_unique<Stream>(*this);
  }
  Status write(const EpochImage& image) {
    const std::lock_guard lock(mutex_);
    if (image.epoch <= last_) ADD_FAILURE() << "epoch " << image.epoch << " was used twice";
    last_ = image.epoch;
    ++writes_;
    if (failing_ > 0) {
      --failing_;
      return {Code::sink_failed, "the disk is full"};
    }
    newest_ = image;
    return {};
  }
  Result<std::optional<EpochImage>> newest() override {
    const std::lock_guard lock(mutex_);
    return newest_;
  }
  std::uint64_t bytes_written() const override { return 7; }
  void fail_next(int writes) {
    const std::lock_guard lock(mutex_);
    failing_ = writes;
  }
  int writes() const {
    const std::lock_guard lock(mutex_);
    return writes_;
  }
  /// What a run goes on from.
  std::shared_ptr<EpochImage> to_restore() {
    auto image = std::move(*newest());
    last_ = image ? image->epoch : 0;  // what failed behind it is forgotten with the process
    return image ? std::make_shared<EpochImage>(std::move(*image)) : nullptr;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<EpochImage> newest_;
  std::uint64_t last_ = 0;
  int failing_ = 0;
  int writes_ = 0;

  class Stream final : public EpochStream {
   public:
    explicit Stream(MemoryStore& store) : store_(store) {}
    Status add(const ImagePiece& piece) override {
      pieces_.push_back(piece);
      return {};
    }
    Status end(const EpochImage& image) override {
      EpochImage whole = image;
      for (StageImage& stage : whole.stages) {
        const std::vector<StatePart> rest = std::exchange(stage.parts, {});
        for (const ImagePiece& piece : pieces_) {
          if (piece.stage == stage.stage && piece.task == stage.task)
            add_piece(stage.parts, piece.part);
        }
        for (const StatePart& part : rest) add_piece(stage.parts, part);
      }
      return store_.write(whole);
    }

   private:
    MemoryStore& store_;
    std::vector<ImagePiece> pieces_;
  };
};

/// Where the sinks of a component write to. A token is a number; what has none can be forgotten.
class Outbox {
 public:
  Result<std::string> prepare(std::vector<Shown> rows) {
    const std::lock_guard lock(mutex_);
    if (std::exchange(failing_, false)) return Status(Code::sink_failed, "the disk is full");
    const std::string token = std::to_string(++tokens_);
    prepared_[token] = std::move(rows);
    return token;
  }
  void fail_next_prepare() {
    const std::lock_guard lock(mutex_);
    failing_ = true;
  }
  void fail_next_commit() {
    const std::lock_guard lock(mutex_);
    failing_commit_ = true;
  }
  Status commit(const std::string& token) {
    const std::lock_guard lock(mutex_);
    const auto found = prepared_.find(token);
    if (found == prepared_.end()) return {};  // it is seen already
    if (std::exchange(failing_commit_, false)) return {Code::sink_failed, "the disk is full"};
    seen_.insert(seen_.end(), found->second.begin(), found->second.end());
    prepared_.erase(found);
    return {};
  }
  void roll_back_all() {
    const std::lock_guard lock(mutex_);
    prepared_.clear();
  }
  /// Sorted.
  std::vector<Shown> seen() const {
    const std::lock_guard lock(mutex_);
    std::vector<Shown> rows = seen_;
    std::ranges::sort(rows);
    return rows;
  }
  /// In the order of their commits.
  std::vector<Shown> as_seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  std::size_t open() const {
    const std::lock_guard lock(mutex_);
    return prepared_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<Shown>> prepared_;
  std::vector<Shown> seen_;
  std::uint64_t tokens_ = 0;
  bool failing_ = false;
  bool failing_commit_ = false;
};

class OutboxSink final : public Sink {
 public:
  explicit OutboxSink(Outbox& outbox) : outbox_(outbox) {}
  Status open(const EndContext&) override { return {}; }
  Status write(const BatchBase& batch) override {
    for (const Numbered& row : static_cast<const Batch<Numbered>&>(batch).values) {
      rows_.emplace_back(row.key, row.number);
    }
    return {};
  }
  bool transactional() const override { return true; }
  Result<std::string> prepare(std::uint64_t) override {
    if (rows_.empty()) return std::string();
    return outbox_.prepare(std::exchange(rows_, {}));
  }
  Status commit(std::uint64_t, std::string_view prepared) override {
    return outbox_.commit(std::string(prepared));
  }
  Status recover(std::span<const std::string> prepared) override {
    Status status;
    for (const std::string& token : prepared) {
      if (status) status = outbox_.commit(token);
    }
    outbox_.roll_back_all();
    return status;
  }

 private:
  Outbox& outbox_;
  std::vector<Shown> rows_;
};

/// Partition p gives the numbers 1 to `count`, each with the key p; task t of n reads the
/// partitions p with p % n == t.
class Numbers final : public Source {
 public:
  /// `open_end`: it never ends.
  Numbers(std::uint32_t partitions, std::int64_t count, bool open_end = false)
      : partitions_(partitions), count_(count), open_end_(open_end) {}
  Status open(const EndContext& context) override {
    for (std::uint32_t at = context.task; at < partitions_; at += context.tasks) {
      own_.push_back(at);
    }
    next_.assign(own_.size(), 1);
    batch_max_ = context.batch_records_max;
    return {};
  }
  std::uint32_t partitions() const override { return static_cast<std::uint32_t>(own_.size()); }
  Result<Poll> poll(BatchBase& base) override {
    auto& batch = static_cast<Batch<Numbered>&>(base);
    for (std::size_t looked = 0; looked < own_.size(); ++looked) {
      const std::size_t at = turn_++ % own_.size();
      if (next_[at] > count_) continue;
      batch.partition = static_cast<std::uint32_t>(at);
      const std::size_t take = std::min<std::size_t>(3, batch_max_);
      while (batch.values.size() < take && next_[at] <= count_) {
        batch.values.push_back({own_[at], next_[at]++});
        ++read_;
      }
      return Poll::ready;
    }
    return open_end_ ? Poll::idle : Poll::ended;
  }
  std::uint64_t records_read() const override { return read_; }
  bool replayable() const override { return true; }
  void save_positions(std::vector<SourcePosition>& to) const override {
    for (std::size_t at = 0; at < own_.size(); ++at) {
      SourcePosition& position = to.emplace_back();
      position.partition = std::to_string(own_[at]);
      put_number(position.bytes, next_[at]);
    }
  }
  Status resume(std::span<const SourcePosition> positions) override {
    for (const SourcePosition& position : positions) {
      for (std::size_t at = 0; at < own_.size(); ++at) {
        if (position.partition != std::to_string(own_[at])) continue;
        next_[at] = BytesCursor(position.bytes).number<std::int64_t>();
      }
    }
    return {};
  }

 private:
  std::uint32_t partitions_;
  std::int64_t count_;
  bool open_end_;
  std::vector<std::uint32_t> own_;
  std::vector<std::int64_t> next_;
  std::size_t batch_max_ = 1;
  std::size_t turn_ = 0;
  std::uint64_t read_ = 0;
};

/// Sums by key, kept by key group.
class KeptSums : public Operator {
 public:
  void save_state(StateWriter& to) override {
    std::map<std::uint32_t, std::string*> groups;
    for (const auto& [key, sum] : sums_) {
      const std::uint32_t group = key_group(hash_of(key));
      std::string*& bytes = groups[group];
      if (!bytes) bytes = &scratch_[group];
      put_number(*bytes, key);
      put_number(*bytes, sum);
    }
    for (auto& [group, bytes] : scratch_) to.group_part("sums", group) = bytes;
    scratch_.clear();
  }
  void restore_state(StateReader& from) override {
    from.each("sums", [&](const StatePart& part) {
      BytesCursor cursor(part.bytes);
      while (!cursor.rest().empty()) {
        const auto key = cursor.number<std::int64_t>();
        sums_[key] += cursor.number<std::int64_t>();
      }
      if (!cursor.ok()) from.refuse(part, "it is cut");
    });
  }

 protected:
  static std::uint64_t hash_of(std::int64_t key) { return KeyTraits<std::int64_t>::hash(key); }
  void emit_and_forget(Outputs& out) {
    for (const auto& [key, sum] : sums_) rows_.values.push_back({key, sum});
    sums_.clear();
    if (rows_.size() > 0) out.push(0, rows_);
    rows_.clear();
  }

  std::map<std::int64_t, std::int64_t> sums_;
  Batch<Numbered> rows_;

 private:
  std::map<std::uint32_t, std::string> scratch_;
};

/// Emits the sum so far for each record.
class EachSum final : public KeptSums {
 public:
  void process(BatchBase& base, bool, Outputs& out) override {
    for (const Numbered& record : static_cast<Batch<Numbered>&>(base).values) {
      rows_.values.push_back({record.key, sums_[record.key] += record.number});
      ++tally().processed;
    }
    out.push(0, rows_);
    rows_.clear();
  }
};

/// Sums that are emitted at the end of input; partial ones already at a barrier.
class TotalSums final : public KeptSums {
 public:
  explicit TotalSums(bool partial) : partial_(partial) {}
  void process(BatchBase& base, bool, Outputs&) override {
    for (const Numbered& record : static_cast<Batch<Numbered>&>(base).values) {
      sums_[record.key] += record.number;
      ++tally().processed;
    }
  }
  void advance(Time watermark, Outputs& out) override {
    if (watermark == kTimeMax) emit_and_forget(out);
  }
  void before_barrier(Outputs& out) override {
    if (partial_) emit_and_forget(out);
  }

 private:
  bool partial_;
};

/// numbers -> running -> out; numbers -> partial -> totals -> out, each as wide as asked for.
struct EpochWorld {
  std::uint32_t partitions = 5;
  std::int64_t count = 40;
  bool open_end = false;
  MemoryStore store = {};
  Outbox running = {};
  Outbox totals = {};

  struct Tasks {
    std::uint32_t sources = 1, sums = 1, sinks = 1;
    bool alone = false;  ///< nothing is fused
  };
  Graph graph(const Tasks& tasks) {
    Graph graph("world");
    const auto hash =
        std::make_shared<const TypedKeyHash<Numbered, NumberedKey>>(NumberedKey(&Numbered::key));
    const auto add = [&](std::string name, std::uint32_t wide, std::vector<NodeInput> inputs) {
      Node node;
      node.name = node.kind = std::move(name);
      node.tasks = wide;
      node.inputs = std::move(inputs);
      node.output = &batch_type<Numbered>();
      node.alone = tasks.alone;
      return node;
    };
    Node numbers = add("numbers", tasks.sources, {});
    numbers.make_source = [this] { return std::make_unique<Numbers>(partitions, count, open_end); };
    const NodeId from = graph.add(std::move(numbers));
    Node sums = add("running", tasks.sums, {{from, 0, {GroupingKind::fields, hash}}});
    sums.make_operator = [] { return std::make_unique<EachSum>(); };
    add_sink(graph, add("rows", tasks.sinks, {{graph.add(std::move(sums)), 0, {}}}), running);
    Node partial = add("partial", tasks.sources, {{from, 0, {}}});
    partial.make_operator = [] { return std::make_unique<TotalSums>(true); };
    const NodeId parts = graph.add(std::move(partial));
    Node merge = add("merge", tasks.sums, {{parts, 0, {GroupingKind::fields, hash}}});
    merge.make_operator = [] { return std::make_unique<TotalSums>(false); };
    add_sink(graph, add("sums", tasks.sinks, {{graph.add(std::move(merge)), 0, {}}}), totals);
    return graph;
  }
  RunOptions options() {
    RunOptions options;
    options.epochs = &store;
    options.restore = store.to_restore();
    options.epoch_options.failures_max = 100;
    options.epoch_options.image_slots = 1;
    return options;
  }
  std::vector<Shown> all_running() const {
    std::vector<Shown> rows;
    for (std::int64_t key = 0; key < partitions; ++key) {
      for (std::int64_t at = 1; at <= count; ++at) rows.emplace_back(key, at * (at + 1) / 2);
    }
    return rows;
  }
  std::vector<Shown> all_totals() const {
    std::vector<Shown> rows;
    for (std::int64_t key = 0; key < partitions; ++key) {
      rows.emplace_back(key, count * (count + 1) / 2);
    }
    return rows;
  }

 private:
  static void add_sink(Graph& graph, Node node, Outbox& outbox) {
    node.output = nullptr;
    node.make_sink = [&outbox] { return std::make_unique<OutboxSink>(outbox); };
    (void)graph.add(std::move(node));
  }
};

}  // namespace millrace::detail
