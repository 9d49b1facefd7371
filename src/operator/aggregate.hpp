// Aggregates by key: running (an update a record) and windowed (panes, in one or in two phases).
#pragma once

#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/kernels.hpp"
#include "operator/keyed.hpp"
#include "operator/stateless.hpp"
#include "window/pane_set.hpp"

namespace millrace::detail {

/// Adds records to keyed tables. Hashes that came along from a shuffle by the same key are used;
/// else they are computed in the loop, or, where the tables are wide, ahead of it with a prefetch.
template <class T, class Key, class Kernel>
class TableUpdater {
 public:
  using K = typename Key::View;
  using Acc = typename Kernel::Acc;
  using Tables = KeyedTables<K, Acc>;
  using KeyPtr = std::shared_ptr<const TypedKeyHash<T, Key>>;

  TableUpdater(KeyPtr key, Kernel kernel) : key_(std::move(key)), kernel_(std::move(kernel)) {}

  const Kernel& kernel() const { return kernel_; }

  /// Calls use(key view) while the key is alive.
  template <class Use>
  decltype(auto) with_key(const T& record, Use&& use) const {
    return key_->key().with(record, std::forward<Use>(use));
  }

  /// The carried hashes of a batch, or null.
  const std::uint64_t* carried(const Batch<T>& batch) const {
    const bool ours = batch.hashed_by == key_.get() && batch.hashes.size() == batch.values.size();
    return ours ? batch.hashes.data() : nullptr;
  }

  /// Adds one record and passes the key and its accumulator to done(key, acc); on a throw of the
  /// kernel the accumulator is as before, and a key that was not there is not there.
  template <class Done>
  void add_one(Tables& tables, const T& record, const std::uint64_t* hash, Done&& done) const {
    with_key(record, [&](const K& key) {
      const std::uint64_t key_hash = hash ? *hash : KeyTraits<K>::hash(key);
      if constexpr (Kernel::kNothrow) {
        Acc& acc = tables.upsert(key, key_hash, init());
        kernel_.add(acc, record);
        done(key, std::as_const(acc));
      } else {
        Acc* const found = tables.find(key, key_hash);
        Acc copy = found ? *found : Acc(kernel_.init());
        kernel_.add(copy, record);
        const auto moved = [&]() -> Acc&& { return std::move(copy); };
        Acc& acc = found ? * found = std::move(copy) : tables.upsert(key, key_hash, moved);
        done(key, std::as_const(acc));
      }
    });
  }

  /// Adds records [begin, end); returns how many threw.
  std::size_t add_run(Tables& tables, const Batch<T>& batch, std::size_t begin, std::size_t end,
                      DeadLetters& dead_letters) {
    const std::uint64_t* hashes = carried(batch);
    const auto add = [&](std::size_t at, const std::uint64_t* hash) {
      add_one(tables, batch.values[at], hash, [](const K&, const Acc&) {});
    };
    if constexpr (Kernel::kNothrow) {
      if (tables.is_wide()) {
        add_wide(tables, batch, begin, end);
      } else if (hashes) {
        for (std::size_t at = begin; at < end; ++at) add(at, hashes + at);
      } else if constexpr (kCheapToCopy<Key> && kCheapToCopy<Kernel>) {
        add_near(tables, batch.values.data(), begin, end);
      } else {
        for (std::size_t at = begin; at < end; ++at) add(at, nullptr);
      }
      return 0;
    } else {
      return guarded_loop(
          begin, end, batch, batch_type<T>(), dead_letters,
          [&](std::size_t at) { add(at, hashes ? hashes + at : nullptr); }, [](std::size_t) {});
    }
  }

  /// Adds record `at` to each of the tables, or, when the kernel throws for one of them, to none.
  /// Returns how many threw: 0 or 1.
  std::size_t add_to_all(const std::vector<Tables*>& tables, const Batch<T>& batch, std::size_t at,
                         DeadLetters& dead_letters) {
    if (Kernel::kNothrow || tables.size() == 1) {
      std::size_t failed = 0;
      for (Tables* table : tables) failed += add_run(*table, batch, at, at + 1, dead_letters);
      return failed;
    }
    const auto add = [&](std::size_t index) {
      with_key(batch.values[index], [&](const K& key) {
        const std::uint64_t hash = KeyTraits<K>::hash(key);
        staged_.clear();
        for (Tables* table : tables) {
          Acc* const found = table->find(key, hash);
          staged_.push_back(found ? *found : Acc(kernel_.init()));
          kernel_.add(staged_.back(), batch.values[index]);
        }
        for (std::size_t which = 0; which < tables.size(); ++which) {
          tables[which]->upsert(key, hash, init()) = std::move(staged_[which]);
        }
      });
    };
    return guarded_loop(at, at + 1, batch, batch_type<T>(), dead_letters, add, [](std::size_t) {});
  }

 private:
  /// How many records ahead of the update their slots are prefetched.
  static constexpr std::size_t kAhead = 16;

  /// Not is_trivially_copyable: libstdc++'s tuple has an assignment of its own.
  template <class F>
  static constexpr bool kCheapToCopy = std::is_trivially_copy_constructible_v<F> &&
                                       std::is_trivially_destructible_v<F> && sizeof(F) <= 64;

  auto init() const {
    return [this]() -> decltype(auto) { return kernel_.init(); };
  }

  /// Key and kernel as locals, which no store into the tables can change: they stay in registers.
  void add_near(Tables& tables, const T* values, std::size_t begin, std::size_t end) const {
    const Key key_fn = key_->key();
    const Kernel kernel = kernel_;
    for (const T* record = values + begin; record != values + end; ++record) {
      key_fn.with(*record, [&](const K& key) {
        kernel.add(tables.upsert(key, KeyTraits<K>::hash(key), [&] { return kernel.init(); }),
                   *record);
      });
    }
  }

  void add_wide(Tables& tables, const Batch<T>& batch, std::size_t begin, std::size_t end) {
    const std::uint64_t* hashes = carried(batch);
    if (!hashes) {
      key_->hash(batch, scratch_);
      hashes = scratch_.data();
    }
    for (std::size_t at = begin; at < std::min(end, begin + kAhead); ++at)
      tables.prefetch(hashes[at]);
    for (std::size_t at = begin; at < end; ++at) {
      if (at + kAhead < end) tables.prefetch(hashes[at + kAhead]);
      add_one(tables, batch.values[at], hashes + at, [](const K&, const Acc&) {});
    }
  }

  KeyPtr key_;
  Kernel kernel_;
  std::vector<std::uint64_t> scratch_;
  std::vector<Acc> staged_;  ///< the new values of one record in several windows
};

/// Without a window: emits the new value for every record.
template <class T, class Key, class Kernel>
class RunningAggregate final : public Operator {
 public:
  using K = typename Key::View;
  using Acc = typename Kernel::Acc;
  using Row = millrace::Aggregate<K, typename Kernel::Value>;
  using Updater = TableUpdater<T, Key, Kernel>;

  RunningAggregate(typename Updater::KeyPtr key, Kernel kernel)
      : updater_(std::move(key), std::move(kernel)) {}

  void process(BatchBase& base, bool, Outputs& outputs) override {
    auto& in = static_cast<Batch<T>&>(base);
    const std::size_t count = in.values.size();
    const std::uint64_t* hashes = updater_.carried(in);
    out_.clear();
    carry_marks(in, out_);
    out_.values.reserve(count);
    arena_ = {};
    std::size_t cursor = 0;
    const auto add = [&](std::size_t at) {
      updater_.add_one(tables_, in.values[at], hashes ? hashes + at : nullptr,
                       [&](const K& key, const Acc& acc) {
                         out_.values.push_back(
                             Row{keep(key), updater_.kernel().result(acc), kTimeMin, kTimeMax});
                       });
      inherit_time(in, at, out_, out_.values.size() - 1, out_.values.size(), cursor);
    };
    const std::size_t failed = guarded_loop(0, count, in, batch_type<T>(), *context().dead_letters,
                                            add, [](std::size_t) {});
    tally().processed += count - failed;
    tally().dead_lettered += failed;
    if (out_.values.empty()) return;
    if constexpr (Key::kBorrowsArena) out_.pin_all(in);
    outputs.push(0, out_);
  }

 private:
  /// The key in bytes that live as long as the emitted batch.
  K keep(const K& key) {
    if constexpr (Key::kBorrowsArena || std::is_arithmetic_v<K> || std::is_enum_v<K>) {
      return key;
    } else {
      if (!arena_) {
        arena_ = pool_.take();
        out_.pin(arena_);
      }
      return KeyTraits<K>::intern(key, *arena_);
    }
  }

  Updater updater_;
  KeyedTables<K, Acc> tables_;
  Batch<Row> out_;
  ArenaPool pool_{16u << 10};
  ArenaRef arena_;
};

/// Emits the windows of a PaneSet as rows; keys are copied into the emitted batch.
template <class K, class Kernel>
class WindowEmitter {
 public:
  using Acc = typename Kernel::Acc;
  using Row = millrace::Aggregate<K, typename Kernel::Value>;

  void fire(Time start, Time end, const std::vector<KeyedTables<K, Acc>*>& panes,
            const Kernel& kernel, std::size_t batch_records_max, Outputs& outputs) {
    const auto emit = [&](const K& key, const Acc& acc) {
      if (out_.values.empty()) begin();
      out_.values.push_back(
          Row{KeyTraits<K>::intern(key, *arena_), kernel.result(acc), start, end});
      if (end != kTimeMax) out_.times.push_back(end - 1);
      if (out_.values.size() >= batch_records_max) flush(outputs);
    };
    if (panes.size() == 1) {
      panes.front()->for_each(emit);
    } else {
      merge(panes, kernel);
      merged_.for_each(emit);
    }
    flush(outputs);
  }

 private:
  void begin() {
    out_.clear();
    arena_ = pool_.take();
    out_.pin(arena_);
  }
  void flush(Outputs& outputs) {
    if (out_.values.empty()) return;
    outputs.push(0, out_);
    out_.clear();
  }
  void merge(const std::vector<KeyedTables<K, Acc>*>& panes, const Kernel& kernel) {
    merged_.clear();
    for (auto* pane : panes) {
      pane->for_each([&](const K& key, const Acc& acc) {
        kernel.merge(merged_.upsert(key, KeyTraits<K>::hash(key),
                                    [&]() -> decltype(auto) { return kernel.init(); }),
                     acc);
      });
    }
  }

  KeyedTables<K, Acc> merged_;
  Batch<Row> out_;
  ArenaPool pool_{16u << 10};
  ArenaRef arena_;
};

/// Adds the records of batches to the panes they belong to; judges lateness by each record's own
/// mark.
template <class T, class Key, class Kernel>
class PaneFiller {
 public:
  using K = typename Key::View;
  using Acc = typename Kernel::Acc;
  using Panes = PaneSet<K, Acc>;

  using KeyPtr = typename TableUpdater<T, Key, Kernel>::KeyPtr;

  PaneFiller(KeyPtr key, Kernel kernel) : updater_(std::move(key), std::move(kernel)) {}

  const Kernel& kernel() const { return updater_.kernel(); }
  /// The remembered pane is gone after windows closed.
  void forget_pane() { slot_ = {nullptr, kTimeMax, kTimeMin}; }
  /// Keys in the pane used last.
  std::size_t keys_in_pane() const { return slot_.tables ? slot_.tables->size() : 0; }

  void add(Batch<T>& in, Panes& panes, const OperatorContext& context) {
    const std::size_t count = in.values.size();
    std::size_t failed = 0;
    std::size_t late = 0;
    if (panes.windows().is_global()) {
      slot_ = panes.pane_of(0);
      failed = updater_.add_run(*slot_.tables, in, 0, count, *context.dead_letters);
    } else if (panes.shared()) {
      add_by_runs(in, panes, context, failed, late);
    } else {
      for (std::size_t at = 0, cursor = 0; at < count; ++at)
        add_single(in, at, cursor, panes, context, failed, late);
    }
    context.tally->processed += count - failed - late;
    context.tally->dead_lettered += failed;
    context.tally->late += late;
  }

 private:
  /// Neighbours mostly share a pane: one look-up a run of records, not a record.
  void add_by_runs(Batch<T>& in, Panes& panes, const OperatorContext& context, std::size_t& failed,
                   std::size_t& late) {
    const std::size_t count = in.values.size();
    const Time* times = in.times.data();
    std::size_t cursor = 0;
    std::size_t at = 0;
    while (at < count) {
      const std::size_t stop = cursor < in.behind.size() ? in.behind[cursor].index : count;
      if (at == stop) {
        add_single(in, at, cursor, panes, context, failed, late);
        ++cursor;
        ++at;
        continue;
      }
      if (times[at] < slot_.from || times[at] >= slot_.to) slot_ = panes.pane_of(times[at]);
      const std::size_t end = run_end(times, at + 1, stop, slot_.from, slot_.to);
      failed += updater_.add_run(*slot_.tables, in, at, end, *context.dead_letters);
      at = end;
    }
  }

  /// First index in [at, stop) whose time lies outside [from, to): blocks of 16 are compared
  /// without branches.
  static std::size_t run_end(const Time* times, std::size_t at, std::size_t stop, Time from,
                             Time to) {
    const auto width = static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
    const auto outside = [&](std::size_t index) {
      return static_cast<std::uint64_t>(times[index]) - static_cast<std::uint64_t>(from) >= width;
    };
    while (at + 16 <= stop) {
      unsigned any = 0;
      for (std::size_t next = at; next < at + 16; ++next)
        any |= static_cast<unsigned>(outside(next));
      if (any) break;
      at += 16;
    }
    while (at < stop && !outside(at)) ++at;
    return at;
  }

  void add_single(Batch<T>& in, std::size_t at, std::size_t& cursor, Panes& panes,
                  const OperatorContext& context, std::size_t& failed, std::size_t& late) {
    const Time behind = behind_at(in, at, cursor);
    targets_.clear();
    if (!panes.add_slow(in.times[at], behind,
                        [this](auto& tables) { targets_.push_back(&tables); })) {
      ++late;
    } else {
      failed += updater_.add_to_all(targets_, in, at, *context.dead_letters);
    }
  }

  TableUpdater<T, Key, Kernel> updater_;
  typename Panes::Slot slot_{nullptr, kTimeMax, kTimeMin};
  std::vector<typename Panes::Tables*> targets_;
};

/// One phase: records in, windows out.
template <class T, class Key, class Kernel>
class WindowAggregate final : public Operator {
 public:
  using K = typename Key::View;

  WindowAggregate(Windows windows, typename PaneFiller<T, Key, Kernel>::KeyPtr key, Kernel kernel)
      : panes_(windows, Kernel::kMerges), filler_(std::move(key), std::move(kernel)) {}

  void process(BatchBase& base, bool, Outputs&) override {
    filler_.add(static_cast<Batch<T>&>(base), panes_, context());
  }
  void advance(Time watermark, Outputs& outputs) override {
    panes_.close(watermark, [&](Time start, Time end, const auto& covered) {
      emitter_.fire(start, end, covered, filler_.kernel(), context().batch_records_max, outputs);
    });
    filler_.forget_pane();
  }
  Standing standing() const override { return {kTimeMin, {}, panes_.closes_at()}; }

 private:
  PaneSet<K, typename Kernel::Acc> panes_;
  PaneFiller<T, Key, Kernel> filler_;
  WindowEmitter<K, Kernel> emitter_;
};

}  // namespace millrace::detail
