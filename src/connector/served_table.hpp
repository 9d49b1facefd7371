// ServedTable: a table at the end of a stream that anybody may ask while the topology runs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "connector/served_shard.hpp"
#include "operator/stateful_sink.hpp"

namespace millrace::detail {

/// Which of a record's columns, in the order in which it shows them, make the key.
struct ServedColumns {
  std::vector<std::size_t> key;  ///< by place in the key
  bool signs = false;            ///< rows of changes: the first column is the sign
  bool windowed = false;
};
/// Makes the columns called `names` the key, of which `parts` tells all; what is wrong with them
/// (2010).
Status settle_key(const std::vector<KeyPart>& parts, const std::vector<std::string>& names,
                  ServedShape& shape, ServedColumns& columns);

/// What a table says to a question: rows by ascending key.
struct ServedAnswer {
  std::vector<ServedRow> rows = {};
  /// Ask again behind this key for what is left; nullopt: that was all.
  std::optional<std::string> next = {};
  Time watermark = kTimeMin;  ///< the least of the shards
};

/// What lists tell of it.
struct ServedFigures {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  Time watermark = kTimeMin;
};

/// A table with a shard for each task of its component. Any thread.
class ServedTable {
 public:
  ServedTable(std::string name, ServedShape shape)
      : name_(std::move(name)), shape_(std::move(shape)) {}

  const std::string& name() const { return name_; }
  const ServedShape& shape() const { return shape_; }

  /// Each shard says what it has at one moment between two batches; the moments of two may differ.
  /// nullopt: it is being restored, or has not started. Cost: O(log rows) and the rows of the page,
  /// of each shard.
  std::optional<ServedAnswer> ask(const ServedQuestion& question) const;
  /// The same for nullopt.
  std::optional<ServedFigures> figures() const;

  /// The shard of a task that begins; those of an earlier run go. `meter` outlives its counting.
  std::shared_ptr<ServedShard> begin(std::uint32_t task, std::uint32_t tasks, MemoryMeter* meter);
  /// One more shard of begin() has all that it begins with.
  void ready();

 private:
  using Shards = std::vector<std::shared_ptr<ServedShard>>;
  /// Empty: not all are ready.
  Shards shards() const;

  const std::string name_;
  const ServedShape shape_;
  mutable std::mutex mutex_;  // guards those below; never held while a shard is asked
  Shards shards_;
  std::size_t ready_ = 0;
};

/// Those of a topology.
using ServedTables = std::vector<std::shared_ptr<ServedTable>>;

/// The sink of a task, but for what knows the type of its records.
class ServedSink : public StatefulSink {
 public:
  explicit ServedSink(std::shared_ptr<ServedTable> table) : table_(std::move(table)) {}
  ~ServedSink() override { leave(); }

  const std::shared_ptr<ServedTable>& table() const { return table_; }

  Status open(const EndContext& context) override;
  void open_state(MemoryMeter& state, bool restores) override;
  void marked_up_to(Time watermark) override { marks_ = watermark; }
  void advance(Time watermark) override;
  void save_state(StateWriter& writer) override;
  void restore_state(StateReader* reader) override;
  /// Its rows can still be asked; nobody counts them.
  Status close() override {
    leave();
    return {};
  }

 protected:
  const EndContext& context() const { return *context_; }
  ServedShard& shard() { return *shard_; }
  /// The watermark behind which what was emitted with the record at hand has come.
  Time behind_marks(Time time) const { return std::max(time, marks_); }

 private:
  void leave();

  std::shared_ptr<ServedTable> table_;
  const EndContext* context_ = nullptr;
  Time marks_ = kTimeMin;
  std::shared_ptr<ServedShard> shard_;  ///< from open_state() on
};

}  // namespace millrace::detail
