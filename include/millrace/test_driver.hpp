// TestDriver: runs a topology in a test: no threads, no files of the machine, time as you say.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "connector/fed_rows.hpp"
#include "connector/fed_source.hpp"
#include "connector/kept_sink.hpp"
#include "metrics/insights.hpp"
#include "millrace/tested_state.hpp"
#include "millrace/topology.hpp"
#include "runtime/driven_topology.hpp"

namespace millrace {

/// How a test driver runs.
struct TestDriverOptions {
  int parallelism = 1;             ///< tasks of keyed components and bolts, 1 to 128
  Timestamp start = {};            ///< the wall clock at the beginning
  double speed = 0;                ///< replay by event time, over the driver's clock; 0: unpaced
  std::uint64_t limit = 0;         ///< records each source task reads at most; 0: all
  std::uint64_t memory_bytes = 0;  ///< budget, as --memory; 0: none
};

/// A record with its event time; nullopt: it has none.
template <class T>
struct TimedRecord {
  T record;
  std::optional<Timestamp> time;
};

/// What became of the records that a component received: received = processed + filtered + late +
/// dead_lettered + failed + in_flight.
struct TestCounts {
  std::uint64_t received = 0;
  std::uint64_t processed = 0;
  std::uint64_t filtered = 0;
  std::uint64_t late = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t emitted = 0;
  std::uint64_t failed = 0;                 ///< at least once: their messages are played again
  std::optional<Timestamp> watermark = {};  ///< nullopt: event time has not begun there
};

/// The feeding end of a source that the driver stands in for. Cheap to copy; valid as long as its
/// driver. Each call returns when the topology has come to rest; it throws what TestDriver throws.
template <class T>
class TestInput {
  static constexpr bool kRows = std::is_same_v<T, RowRef>;

 public:
  TestInput(detail::DrivenTopology& driven, std::shared_ptr<detail::Feed<T>> feed,
            std::uint32_t partition, std::shared_ptr<detail::FedRows> rows = nullptr)
      : driven_(&driven), feed_(std::move(feed)), partition_(partition), rows_(std::move(rows)) {}

  /// Records in this order. What they borrow (std::string_view) is the caller's to keep.
  void pipe(T record)
    requires(!kRows)
  {
    put({.records = {std::move(record)}});
  }
  void pipe(std::initializer_list<T> records)
    requires(!kRows)
  {
    put({.records = records});
  }
  void pipe(std::vector<T> records)
    requires(!kRows)
  {
    put({.records = std::move(records)});
  }
  /// Of RowRef: rows, each a JSON object with the fields of the source, times as texts such as
  /// "2024-01-01T10:00:00Z". Throws Error (2010), with nothing piped, for a text that is none.
  void pipe(std::string_view row)
    requires kRows
  {
    put_rows(std::span<const std::string_view>(&row, 1));
  }
  void pipe(std::initializer_list<std::string_view> rows)
    requires kRows
  {
    put_rows(std::span<const std::string_view>(rows.begin(), rows.size()));
  }
  void pipe(const std::vector<std::string>& rows)
    requires kRows
  {
    put_rows(std::span<const std::string>(rows));
  }
  /// No record before `at` follows: as a source that knows says it. Watermarks never go back.
  void advance_watermark(Timestamp at) { put({.records = {}, .watermark = at.micros}); }
  /// No record follows. When all partitions of all sources have ended, every window fires.
  void end() { put({.records = {}, .end = true}); }
  /// Another partition of the same source: one watermark each. Throws Error (2010) when there is
  /// none of that number.
  TestInput partition(std::uint32_t number) const {
    if (number >= feed_->waiting.size()) {
      throw Error({Code::parameter_invalid, "test driver: there is no partition " +
                                                std::to_string(number) + ": input<Record>(name, " +
                                                std::to_string(number + 1) + ") makes as many"});
    }
    return TestInput(*driven_, feed_, number, rows_);
  }
  /// Records that the source has not read yet, because something holds it back.
  std::size_t waiting() const {
    std::size_t records = 0;
    for (const auto& item : feed_->waiting[partition_]) records += item.records.size();
    return records;
  }

 private:
  template <class Text>
  void put_rows(std::span<const Text> rows) {
    Result<detail::RowColumns> read = rows_->read(rows);
    if (!read) throw Error(read.error());
    put({.records = *std::move(read)});
  }
  void put(typename detail::Feed<T>::Item item) {
    if (feed_->ended[partition_]) {
      throw Error({Code::parameter_invalid,
                   "test driver: this input has ended: nothing can follow its end()"});
    }
    feed_->ended[partition_] = item.end;
    feed_->waiting[partition_].push_back(std::move(item));
    driven_->settle();
  }

  detail::DrivenTopology* driven_;
  std::shared_ptr<detail::Feed<T>> feed_;
  std::uint32_t partition_;
  std::shared_ptr<detail::FedRows> rows_;  ///< of rows alone
};

/// The reading end of a stream. What is read is gone from it. Cheap to copy, and copies read from
/// one place; records may borrow texts, which live as long as any of them.
template <class T>
class TestOutput {
 public:
  explicit TestOutput(std::shared_ptr<detail::Kept<T>> kept) : kept_(std::move(kept)) {}

  /// The next record with its time; nullopt: none has come yet.
  std::optional<TimedRecord<T>> read_timed() {
    detail::Kept<T>& kept = *kept_;
    while (kept.batch < kept.batches.size()) {
      const detail::Batch<T>& batch = *kept.batches[kept.batch];
      if (kept.row < batch.values.size()) {
        const std::size_t row = kept.row++;
        std::optional<Timestamp> time;
        if (batch.has_times()) time = Timestamp{batch.times[row]};
        return TimedRecord<T>{batch.values[row], time};
      }
      ++kept.batch;
      kept.row = 0;
    }
    return std::nullopt;
  }
  std::optional<T> read() {
    auto next = read_timed();
    if (!next) return std::nullopt;
    return std::move(next->record);
  }
  /// All that have come and were not read.
  std::vector<T> read_all() {
    std::vector<T> all;
    while (auto next = read_timed()) all.push_back(std::move(next->record));
    return all;
  }
  /// Of RowRef: the same, each as a JSON object, nulls included.
  std::vector<std::string> read_all_json()
    requires std::is_same_v<T, RowRef>
  {
    std::vector<std::string> all;
    while (auto next = read()) detail::append_row_json(all.emplace_back(), *next);
    return all;
  }
  /// How many read_all() would give.
  std::size_t size() const {
    std::size_t records = 0;
    for (std::size_t at = kept_->batch; at < kept_->batches.size(); ++at)
      records += kept_->batches[at]->values.size();
    return records - kept_->row;
  }
  bool empty() const { return size() == 0; }

 private:
  std::shared_ptr<detail::Kept<T>> kept_;
};

/// Runs a topology in the caller's thread, with the plan and operators of run(). The test feeds
/// its sources, moves the clock and reads its streams; between two calls nothing happens. Sources
/// that the driver does not stand in for run as declared, but files are the driver's own
/// (put_file), and there are no sockets or commands.
///
/// Everything that goes wrong is thrown as Error with a sentence and, in status(), its code: wrong
/// use (2002, 2010), a problem of the declaration (2xxx), a run that fails (3xxx, 4xxx). Inputs and
/// outputs are asked for before the first record, clock or watermark. See
/// docs/guides/how-to-test-a-topology.md.
class TestDriver : public TestedState {
 public:
  /// The topology may be used again; of it, only its views are shared with the driver.
  explicit TestDriver(const Topology& topology, const TestDriverOptions& options = {})
      : TestedState(std::make_unique<detail::DrivenTopology>(
            topology.declaration().graph,
            detail::PlanOptions{.parallelism = static_cast<std::uint32_t>(options.parallelism)},
            run_options(options), options.start.micros)),
        declaration_(&topology.declaration()) {}

  /// Stands in for the source or spout of that name, which is not made. Of RowRef, in a topology
  /// in YAML, its rows have the fields that the text says.
  template <class T>
  TestInput<T> input(const std::string& name, std::uint32_t partitions = 1) {
    auto feed = std::make_shared<detail::Feed<T>>(partitions);
    driven_->stand_in(name, detail::batch_type<T>(),
                      [feed] { return std::make_unique<detail::FedSource<T>>(feed); });
    std::shared_ptr<detail::FedRows> rows;
    if constexpr (std::is_same_v<T, RowRef>) {
      rows = std::make_shared<detail::FedRows>(driven_->row_schema(name));
    }
    return TestInput<T>(*driven_, std::move(feed), 0, std::move(rows));
  }

  /// What the sink, view or component of that name receives or emits; `stream` names one of
  /// several streams, or "errors".
  template <class T>
  TestOutput<T> output(const std::string& name, const std::string& stream = "") {
    auto kept = std::make_shared<detail::Kept<T>>();
    driven_->keep(name, stream, detail::batch_type<T>(), keeper(kept));
    return TestOutput<T>(std::move(kept));
  }
  /// What comes over a stream.
  template <class T>
  TestOutput<T> output(const Stream<T>& stream) {
    auto kept = std::make_shared<detail::Kept<T>>();
    driven_->keep(stream.inputs({}), keeper(kept));
    return TestOutput<T>(std::move(kept));
  }

  /// A file for sources that read one; "-" is standard input.
  void put_file(const std::string& path, std::string content) {
    driven_->env().files.put(path, std::move(content));
  }
  /// What a sink has written ("-": to standard output), or nullopt.
  std::optional<std::string> file(const std::string& path) {
    return driven_->env().files.content(path);
  }

  /// Runs until only input or time can help: for topologies whose sources need no input.
  void run() { driven_->settle(); }
  /// Lets time pass: ticks, idleness, paced records and timers come at their moments.
  void advance_clock(Duration by) { driven_->advance(by); }
  Timestamp now() { return {driven_->env().clock.wall_us()}; }
  /// Sources rest and are not read, until resume().
  void pause() { driven_->set_active(false); }
  void resume() { driven_->set_active(true); }
  /// As Ctrl-C: what is in flight is drained, no window fires.
  void stop() { driven_->stop(); }
  /// All sources have ended and everything was processed.
  bool ended() const { return driven_->ended(); }

  TestCounts counts(const std::string& component) {
    const detail::Report report = driven_->report();
    const detail::ComponentReport& its = driven_->component(report, component);
    TestCounts counts{its.received,      its.processed, its.filtered, its.late,
                      its.dead_lettered, its.in_flight, its.emitted,  its.failed};
    if (its.watermark) counts.watermark = Timestamp{*its.watermark};
    return counts;
  }
  /// Records that came too late for the component.
  std::uint64_t late(const std::string& component) { return counts(component).late; }
  /// Of all components, oldest first, the last 50.
  std::vector<DeadLetter> dead_letters() {
    std::vector<DeadLetter> letters;
    for (const auto& letter : driven_->report().recent_dead_letters)
      letters.insert(letters.begin(),
                     {letter.component, letter.reason, letter.where, letter.record});
    return letters;
  }
  /// Why the view has had no row, as its page says it; empty once it had one.
  std::string why_empty(const std::string& view) {
    detail::Report report = driven_->report();
    for (const auto& shown : declaration_->views) {
      if (shown->name() == view) return detail::why_empty(report, shown->snapshot());
    }
    throw Error({Code::name_invalid, "test driver: there is no view \"" + view + "\""});
  }

 private:
  static detail::RunOptions run_options(const TestDriverOptions& options) {
    detail::RunOptions run;
    run.speed = options.speed;
    run.limit = options.limit;
    run.memory_bytes = options.memory_bytes;
    return run;
  }
  template <class T>
  static detail::DrivenTopology::MakeKeeper keeper(std::shared_ptr<detail::Kept<T>> kept) {
    return [kept](std::unique_ptr<detail::Sink> next) {
      return std::make_unique<detail::KeptSink<T>>(kept, std::move(next));
    };
  }

  detail::Declaration* declaration_;
};

}  // namespace millrace
