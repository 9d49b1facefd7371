// KeyedCalls: calls a class of the user's with state and timers for each key, for the records of
// one or several inputs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <tuple>
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

/// One input: its records and how their keys are taken.
template <class T, class Key>
struct KeyedInput {
  using Record = T;
  using K = typename Key::View;
  using KeyPtr = std::shared_ptr<const TypedKeyHash<T, Key>>;
};

/// The records of all inputs `In`, whose keys are of one type, that wait for timers of their keys,
/// and the class that `Caller` holds, which they go to. One thread.
template <class Caller, class... In>
class KeyedWaiters {
 public:
  using P = typename Caller::Processor;
  using K = typename std::tuple_element_t<0, std::tuple<In...>>::K;
  using Row = typename Caller::Row;
  using Keys = std::tuple<typename In::KeyPtr...>;
  using Waiting = WaitingRecords<typename In::Record...>;
  template <std::size_t kAt>
  using RecordOf = typename std::tuple_element_t<kAt, std::tuple<In...>>::Record;

  KeyedWaiters(Keys keys, P processor) : keys_(std::move(keys)), caller_(std::move(processor)) {}

  /// The context outlives it.
  void open(const OperatorContext& context) {
    context_ = &context;
    caller_.open(context);
  }
  Caller& caller() { return caller_; }
  const Caller& caller() const { return caller_; }
  auto& spilled() { return caller_.rows().spilled(); }
  template <std::size_t kAt>
  const auto& key() const {
    return std::get<kAt>(keys_);
  }
  Waiting& waiting() { return waiting_; }
  const Waiting& waiting() const { return waiting_; }
  /// Calls use(number of the input as a constant).
  template <class Use>
  static void each_input(Use&& use) {
    [&]<std::size_t... kAt>(std::index_sequence<kAt...>) {
      (use(std::integral_constant<std::size_t, kAt>()), ...);
    }(std::index_sequence_for<In...>{});
  }
  /// Handles all records that wait for timers, as they came.
  void let_all_go() {
    for (const std::uint64_t hash : waiting_.keys()) release_waiting(hash, true);
  }

 protected:
  auto& tables() { return caller_.rows().tables(); }
  void release_waiting(std::uint64_t hash, bool drain) {
    if (drain && spilled().active()) caller_.rows().bring({&hash, 1});
    waiting_.release(hash, [&](const auto& entry) { return release_one(entry, hash, drain); });
  }
  void release_unblocked() {
    while (const auto hash = waiting_.next_unblocked()) release_waiting(*hash, false);
  }

  const OperatorContext* context_ = nullptr;
  Keys keys_;
  Caller caller_;
  Waiting waiting_;

 private:
  using Waiter = typename Waiting::Entry;

  /// False when it has to wait on.
  bool release_one(const Waiter& entry, std::uint64_t hash, bool drain) {
    bool goes = false;
    each_input([&](auto at) {
      if (at == entry.input) goes = release_from<decltype(at)::value>(entry, hash, drain);
    });
    return goes;
  }
  template <std::size_t kAt>
  bool release_from(const Waiter& entry, std::uint64_t hash, bool drain) {
    const auto& chunk = entry.template batch<kAt>();
    bool waits = false;
    const auto one = [&](std::size_t at) {
      caller_.emission().mark();
      key<kAt>()->key().with(record_at(chunk, at), [&](const K& key) {
        Row* const row = tables().find(key, hash);
        waits = !drain && must_wait(row, chunk, at, entry.behind);
        if (!waits && caller_.process(chunk, at, entry.behind, key, hash, row))
          waiting_.unblock(hash);
      });
    };
    const std::size_t failed =
        guarded_loop(entry.index, entry.index + 1, chunk, batch_type<RecordOf<kAt>>(),
                     *context_->dead_letters, one, caller_.undoing());
    context_->tally->dead_lettered += failed;
    if (waits) return false;
    context_->tally->processed += 1 - failed;
    caller_.emission().pin(chunk);
    return true;
  }
};

/// Calls the class that `Caller` holds for the records of all inputs `In`, whose keys are of one
/// type, and for the timers of a key, which has one set of states and timers for all of them. A
/// record of a key waits while a timer of its key with an earlier time is pending, so that what a
/// timer finds does not depend on how the streams are cut into batches.
///
/// All but open() and images stands between begin() and end(). One thread. Cost: one look-up a
/// record, ahead of which its slot is prefetched where the tables are wide; one more for the first
/// write of a new key, and for each timer that fires.
template <class Caller, class... In>
class KeyedCalls : public KeyedWaiters<Caller, In...> {
  using Base = KeyedWaiters<Caller, In...>;

 public:
  using typename Base::K, typename Base::P, typename Base::Row;
  using Due = DueTimers<K, P>;
  using Kind = KeyTimers::Kind;
  template <std::size_t kAt>
  using RecordOf = typename Base::template RecordOf<kAt>;

  using Base::Base;
  /// The newest event time of the records so far; kTimeMin: none.
  Time newest() const { return newest_; }
  void set_newest(Time newest) { newest_ = std::max(newest_, newest); }

  void begin() { caller_.begin_batch(); }
  void end(Outputs& outputs) {
    caller_.rows().upkeep(caller_.user().watermark());
    caller_.emission().push(nullptr, outputs);
  }
  /// All records of a batch of input `kAt`.
  template <std::size_t kAt>
  void take(Batch<RecordOf<kAt>>& in) {
    caller_.emission().set_due(in.due_ns);
    const bool spills = this->spilled().active();
    const std::uint64_t* const hashes =
        this->template key<kAt>()->hashes_of(in, tables().is_wide() || spills, hashes_);
    if (spills) this->spilled().bring({hashes, in.values.size()});
    std::size_t cursor = 0;
    handle<kAt>(in, 0, in.values.size(), hashes,
                [&](std::size_t at) { return behind_at(in, at, cursor); });
  }
  /// One of them.
  template <std::size_t kAt>
  void take_one(Batch<RecordOf<kAt>>& in, std::size_t at, Outputs& outputs) {
    caller_.emission().set_due(in.due_ns);
    std::size_t cursor = 0;
    const Time behind = behind_at(in, at, cursor);
    if (this->spilled().active()) {
      this->template key<kAt>()->key().with(in.values[at], [&](const K& key) {
        const std::uint64_t hash = KeyTraits<K>::hash(key);
        caller_.rows().bring({&hash, 1});
      });
    }
    handle<kAt>(in, at, at + 1, nullptr, [behind](std::size_t) { return behind; });
    caller_.emission().flush_full(context_->batch_records_max, outputs);
  }
  /// No record of an earlier time will come: what is due before it fires.
  void reach(Time watermark, Outputs& outputs) {
    caller_.set_watermark(watermark, waiting_.size());
    // All records with the time of a timer are there when the watermark lies beyond it.
    fire(Kind::event, watermark == kTimeMax ? watermark : watermark - 1, outputs);
  }
  /// Fires the timers up to `until`, by time and then by key, and handles what waited for them.
  void fire(Kind kind, Time until, Outputs& outputs) {
    while (const auto time = caller_.rows().timers().queue(kind).pop(until, due_hashes_)) {
      caller_.rows().due().find(kind, *time, due_hashes_, due_);
      for (std::size_t at = 0; at < due_.size(); ++at) {
        const auto& due = due_[at];
        if (this->spilled().active()) caller_.rows().bring(Due::to_bring(due_, at));
        if (caller_.fire(kind, *time, K(due.key), due.hash, newest_)) waiting_.unblock(due.hash);
        release_waiting(due.hash, false);
        release_unblocked();
        caller_.emission().flush_full(context_->batch_records_max, outputs);
      }
    }
  }

 private:
  using Base::caller_, Base::context_, Base::waiting_, Base::tables;
  using Base::release_waiting, Base::release_unblocked;

  /// The records [begin, end) of a batch; behind_of(place) is the watermark that one came behind.
  template <std::size_t kAt, class BehindOf>
  void handle(Batch<RecordOf<kAt>>& in, std::size_t begin, std::size_t end,
              const std::uint64_t* hashes, BehindOf&& behind_of) {
    std::size_t waits = 0;
    const auto one = [&](std::size_t at) {
      caller_.emission().mark();
      if (hashes && at + kAhead < end) tables().prefetch(hashes[at + kAhead]);
      const Time behind = behind_of(at);
      this->template key<kAt>()->key().with(in.values[at], [&](const K& key) {
        const std::uint64_t hash = hashes ? hashes[at] : KeyTraits<K>::hash(key);
        Row* const row = tables().find(key, hash);
        if (must_wait(row, in, at, behind)) {
          waiting_.template add<kAt>(in, at, behind, hash);
          ++waits;
        } else if (caller_.process(in, at, behind, key, hash, row)) {
          waiting_.unblock(hash);
        }
      });
      release_unblocked();
    };
    const std::size_t failed = guarded_loop(begin, end, in, batch_type<RecordOf<kAt>>(),
                                            *context_->dead_letters, one, caller_.undoing());
    waiting_.template close_chunk<kAt>();
    context_->tally->processed += end - begin - failed - waits;
    context_->tally->dead_lettered += failed;
    caller_.emission().pin(in);
  }
  std::vector<std::uint64_t> due_hashes_;
  std::vector<typename Due::Due> due_;
  std::vector<std::uint64_t> hashes_;
  Time newest_ = kTimeMin;
};

}  // namespace millrace::detail
