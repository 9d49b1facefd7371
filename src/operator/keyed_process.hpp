// KeyedProcess: runs a class of the user's with state and timers for each key.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "operator/keyed.hpp"
#include "operator/processor_caller.hpp"
#include "operator/waiting_records.hpp"

namespace millrace::detail {

inline constexpr std::size_t kAhead = 16;  ///< records between prefetch and look-up

/// Whether a record has to wait for an earlier timer of its key. A late one stands at the watermark
/// that it is behind.
template <class Row, class T>
bool must_wait(Row* row, const Batch<T>& in, std::size_t at, Time behind) {
  return row != nullptr && !in.times.empty() && row->first_timer() < std::max(in.times[at], behind);
}

/// `P` is the user's class: process(const T&, KeyedContext<K>&, Output<U>&), perhaps on_timer and
/// on_clock. A record of a key waits while a timer of its key with an earlier time is pending, so
/// that what a timer finds does not depend on how the stream is cut into batches.
///
/// Cost: one look-up a record, ahead of which its slot is prefetched where the tables are wide; one
/// more for the first write of a new key, and for each timer that fires.
template <class T, class Key, class P>
class KeyedProcess final : public Operator, public Inspectable, public Spills {
 public:
  using K = typename Key::View;
  using Caller = ProcessorCaller<K, P>;
  using Row = typename Caller::Row;
  using Traits = typename Caller::Traits;
  using Emitted = typename Traits::Emitted;
  using Due = DueTimers<K, P>;
  using Kind = KeyTimers::Kind;
  using KeyPtr = std::shared_ptr<const TypedKeyHash<T, Key>>;
  static constexpr bool kOnTimer = Caller::kOnTimer;

  KeyedProcess(KeyPtr key, P processor) : key_(std::move(key)), caller_(std::move(processor)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    caller_.open(context);
  }
  void spill_to(const SpillPlace& place) override { spilled().spill_to(place); }

  void process(BatchBase& base, bool, Outputs& outputs) override {
    auto& in = static_cast<Batch<T>&>(base);
    caller_.begin_batch();
    caller_.emission().set_due(in.due_ns);
    newest_ = std::max(newest_, newest_of(in));
    const bool spills = spilled().active();
    const std::uint64_t* const hashes = key_->hashes_of(in, tables().is_wide() || spills, hashes_);
    if (spills) spilled().bring({hashes, in.values.size()});
    std::size_t cursor = 0;
    std::size_t waits = 0;
    const auto one = [&](std::size_t at) {
      caller_.emission().mark();
      if (hashes && at + kAhead < in.values.size()) tables().prefetch(hashes[at + kAhead]);
      const Time behind = behind_at(in, at, cursor);
      key_->key().with(in.values[at], [&](const K& key) {
        const std::uint64_t hash = hashes ? hashes[at] : KeyTraits<K>::hash(key);
        Row* const row = tables().find(key, hash);
        if (must_wait(row, in, at, behind)) {
          waiting_.add(in, at, behind, hash);
          ++waits;
        } else if (caller_.process(in, at, behind, key, hash, row)) {
          waiting_.unblock(hash);
        }
      });
      release_unblocked();
    };
    const std::size_t failed = guarded_loop(0, in.values.size(), in, batch_type<T>(),
                                            *context().dead_letters, one, caller_.undoing());
    waiting_.close_chunk();
    tally().processed += in.values.size() - failed - waits;
    tally().dead_lettered += failed;
    caller_.emission().pin(in);
    end_batch(outputs);
  }

  void advance(Time watermark, Outputs& outputs) override {
    catch_up(watermark, outputs);
    caller_.set_forwarded();
  }
  /// The same for a watermark that readers are not told of.
  void catch_up(Time watermark, Outputs& outputs) {
    caller_.begin_batch();
    caller_.set_watermark(watermark, waiting_.size());
    // All records with the time of a timer are there when the watermark lies beyond it.
    fire(Kind::event, watermark == kTimeMax ? watermark : watermark - 1, outputs);
    end_batch(outputs);
  }
  const KeyHash* key_hash() const { return key_.get(); }
  P& processor() { return caller_.processor(); }
  void inspect(StateQuery& query) override { caller_.inspect(query); }

  void save_state(StateWriter& writer) override {
    caller_.save(writer, newest_);
    waiting_.save(writer, *key_);
  }
  void restore_state(StateReader& reader) override {
    newest_ = caller_.restore(reader);
    waiting_.restore(reader, *key_);
  }
  Waiting waiting() const override { return {waiting_.size(), caller_.clock_due_ns()}; }
  Standing standing() const override { return holding(waiting_.size() > 0, caller_.watermark()); }
  /// With `drain` nothing fires any more: the waiting records are handled as they came.
  void release(std::int64_t, bool drain, Outputs& outputs) override {
    caller_.begin_batch();
    if (drain) {
      for (const std::uint64_t hash : waiting_.keys()) release_waiting(hash, true);
    } else {
      fire(Kind::clock, caller_.user().now().micros, outputs);
    }
    end_batch(outputs);
  }

 private:
  auto& tables() { return caller_.rows().tables(); }
  auto& spilled() { return caller_.rows().spilled(); }
  void end_batch(Outputs& outputs) {
    caller_.rows().upkeep(caller_.user().watermark());
    caller_.emission().push(nullptr, outputs);
  }
  /// Fires the timers up to `until`, by time and then by key, and handles what waited for them.
  void fire(Kind kind, Time until, Outputs& outputs) {
    while (const auto time = caller_.rows().timers().queue(kind).pop(until, due_hashes_)) {
      caller_.rows().due().find(kind, *time, due_hashes_, due_);
      for (std::size_t at = 0; at < due_.size(); ++at) {
        const auto& due = due_[at];
        if (spilled().active()) caller_.rows().bring(Due::to_bring(due_, at));
        if (caller_.fire(kind, *time, K(due.key), due.hash, newest_)) waiting_.unblock(due.hash);
        release_waiting(due.hash, false);
        release_unblocked();
        caller_.emission().flush_full(context().batch_records_max, outputs);
      }
    }
  }

  void release_waiting(std::uint64_t hash, bool drain) {
    if (drain && spilled().active()) caller_.rows().bring({&hash, 1});
    waiting_.release(hash, [&](const auto& entry) { return release_one(entry, hash, drain); });
  }
  /// False when it has to wait on.
  bool release_one(const typename WaitingRecords<T>::Entry& entry, std::uint64_t hash, bool drain) {
    bool waits = false;
    const auto one = [&](std::size_t at) {
      caller_.emission().mark();
      key_->key().with(entry.record(), [&](const K& key) {
        Row* const row = tables().find(key, hash);
        waits = !drain && must_wait(row, *entry.chunk, at, entry.behind);
        if (!waits && caller_.process(*entry.chunk, at, entry.behind, key, hash, row))
          waiting_.unblock(hash);
      });
    };
    const std::size_t failed =
        guarded_loop(entry.index, entry.index + 1, *entry.chunk, batch_type<T>(),
                     *context().dead_letters, one, caller_.undoing());
    tally().dead_lettered += failed;
    if (waits) return false;
    tally().processed += 1 - failed;
    caller_.emission().pin(*entry.chunk);
    return true;
  }
  void release_unblocked() {
    while (const auto hash = waiting_.next_unblocked()) release_waiting(*hash, false);
  }

  KeyPtr key_;
  Caller caller_;
  WaitingRecords<T> waiting_;
  std::vector<std::uint64_t> due_hashes_;
  std::vector<typename Due::Due> due_;
  std::vector<std::uint64_t> hashes_;
  Time newest_ = kTimeMin;  ///< of the records
};

}  // namespace millrace::detail
