// TableUpdater: adds records to the accumulators of their keys, whatever the kernel may throw.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/kernels.hpp"
#include "operator/keyed.hpp"
#include "operator/operator.hpp"
#include "record/batch_type.hpp"
#include "state/keyed_tables.hpp"

namespace millrace::detail {

/// Adds one record to tables; a throw of the kernel leaves no trace.
template <class T, class Key, class Kernel>
class RecordAdder {
 public:
  using K = typename Key::View;
  using Acc = typename Kernel::Acc;
  using Tables = KeyedTables<K, Acc>;
  using KeyPtr = std::shared_ptr<const TypedKeyHash<T, Key>>;

  RecordAdder(KeyPtr key, Kernel kernel) : key_(std::move(key)), kernel_(std::move(kernel)) {}

  const KeyPtr& key() const { return key_; }
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

  /// Adds record `at` and passes the key and its accumulator to done(key, acc); on a throw of the
  /// kernel the accumulator is as before, and a key that was not there is not there.
  template <class Done>
  void add_one(Tables& tables, const Batch<T>& batch, std::size_t at, const std::uint64_t* hashes,
               Done&& done) const {
    const T& record = batch.values[at];
    with_key(record, [&](const K& key) {
      const std::uint64_t hash = hashes ? hashes[at] : KeyTraits<K>::hash(key);
      if constexpr (Kernel::kStaged) {
        auto&& taken = kernel_.take(record, stamp_of(batch, at));
        Acc& acc = tables.upsert(key, hash, init());
        kernel_.put(acc, taken);
        done(key, std::as_const(acc));
      } else if constexpr (Kernel::kNothrow) {
        Acc& acc = tables.upsert(key, hash, init());
        kernel_.add(acc, record, stamp_of(batch, at));
        done(key, std::as_const(acc));
      } else if (Acc* const found = tables.find(key, hash)) {
        kernel_.add(*found, record, stamp_of(batch, at));
        done(key, std::as_const(*found));
      } else {
        Acc fresh = kernel_.init();
        kernel_.add(fresh, record, stamp_of(batch, at));
        done(key,
             std::as_const(tables.upsert(key, hash, [&]() -> Acc&& { return std::move(fresh); })));
      }
    });
  }

  /// Adds record `at` to each of the tables, or, when the kernel throws, to none.
  void add_to_each(const std::vector<Tables*>& tables, const Batch<T>& batch, std::size_t at,
                   const K& key, std::uint64_t hash) const {
    const T& record = batch.values[at];
    if constexpr (Kernel::kStaged) {
      auto&& taken = kernel_.take(record, stamp_of(batch, at));
      for (Tables* table : tables) kernel_.put(table->upsert(key, hash, init()), taken);
    } else {
      std::vector<Acc> staged;  // the new values of one record in several windows
      for (Tables* table : tables) {
        Acc* const found = table->find(key, hash);
        staged.push_back(found ? *found : Acc(kernel_.init()));
        kernel_.add(staged.back(), record, stamp_of(batch, at));
      }
      for (std::size_t which = 0; which < tables.size(); ++which) {
        tables[which]->upsert(key, hash, init()) = std::move(staged[which]);
      }
    }
  }

  /// Calls use(add) once what may throw of a staged kernel has run for record `at`; add(Acc&) adds
  /// the record, any number of times, and when it throws the accumulator is as before.
  template <class Use>
  void stage(const Batch<T>& batch, std::size_t at, Use&& use) const {
    const T& record = batch.values[at];
    if constexpr (Kernel::kStaged) {
      auto&& taken = kernel_.take(record, stamp_of(batch, at));
      use([&](Acc& acc) { kernel_.put(acc, taken); });
    } else {
      use([&](Acc& acc) { kernel_.add(acc, record, stamp_of(batch, at)); });
    }
  }

  /// Calls use(key, hash, accumulator) with record `at` alone in its accumulator.
  template <class Use>
  void with_accumulator(const Batch<T>& batch, std::size_t at, Use&& use) const {
    const std::uint64_t* hashes = carried(batch);
    with_key(batch.values[at], [&](const K& key) {
      stage(batch, at, [&](auto&& put) {
        Acc one = kernel_.init();
        put(one);
        use(key, hashes ? hashes[at] : KeyTraits<K>::hash(key), std::move(one));
      });
    });
  }

  /// Records without event time have no place either: for them the order in which they come counts.
  static Stamp stamp_of(const Batch<T>& batch, std::size_t at) {
    if constexpr (Kernel::kOrdered) {
      if (!batch.times.empty()) return {batch.times[at], batch.arrival_of(at)};
    }
    return {};
  }

 private:
  auto init() const {
    return [this]() -> decltype(auto) { return kernel_.init(); };
  }

  KeyPtr key_;
  Kernel kernel_;
};

/// Adds runs of records to keyed tables. Hashes that came along from a shuffle by the same key are
/// used; else they are computed in the loop, or, where the tables are wide, ahead of it with a
/// prefetch.
template <class T, class Key, class Kernel>
class TableUpdater : public RecordAdder<T, Key, Kernel> {
 public:
  using Base = RecordAdder<T, Key, Kernel>;
  using Base::Base;
  using typename Base::Acc;
  using typename Base::K;
  using typename Base::Tables;

  /// Adds records [begin, end); returns how many threw.
  std::size_t add_run(Tables& tables, const Batch<T>& batch, std::size_t begin, std::size_t end,
                      DeadLetters& dead_letters) {
    const std::uint64_t* hashes = this->carried(batch);
    const auto add = [&](std::size_t at) {
      this->add_one(tables, batch, at, hashes, [](const K&, const Acc&) {});
    };
    if constexpr (Kernel::kNothrow) {
      if (tables.is_wide()) {
        add_wide(tables, batch, begin, end);
      } else if (hashes) {
        for (std::size_t at = begin; at < end; ++at) add(at);
      } else if constexpr (kCheapToCopy<Key> && kCheapToCopy<Kernel>) {
        add_near(tables, batch, begin, end);
      } else {
        for (std::size_t at = begin; at < end; ++at) add(at);
      }
      return 0;
    } else {
      return guarded_loop(begin, end, batch, batch_type<T>(), dead_letters, add,
                          [](std::size_t) {});
    }
  }

  /// Adds records from `begin` on, each to tables of its own: what each of them touches is brought
  /// near for all before the first is added. Returns how many threw.
  std::size_t add_scattered(std::span<Tables* const> tables, const Batch<T>& batch,
                            std::size_t begin, DeadLetters& dead_letters) {
    const std::size_t end = begin + tables.size();
    const std::uint64_t* hashes = hashes_of(batch, begin, end);
    for (std::size_t at = begin; at < end; ++at) tables[at - begin]->prefetch_group(hashes[at]);
    for (std::size_t at = begin; at < end; ++at) tables[at - begin]->prefetch(hashes[at]);
    const auto add = [&](std::size_t at) {
      this->add_one(*tables[at - begin], batch, at, hashes, [](const K&, const Acc&) {});
    };
    if constexpr (Kernel::kNothrow) {
      for (std::size_t at = begin; at < end; ++at) add(at);
      return 0;
    } else {
      return guarded_loop(begin, end, batch, batch_type<T>(), dead_letters, add,
                          [](std::size_t) {});
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
      this->with_key(batch.values[index], [&](const K& key) {
        this->add_to_each(tables, batch, index, key, KeyTraits<K>::hash(key));
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

  /// Key and kernel as locals, which no store into the tables can change: they stay in registers.
  void add_near(Tables& tables, const Batch<T>& batch, std::size_t begin, std::size_t end) const {
    const Key key_fn = this->key()->key();
    const Kernel kernel = this->kernel();
    const auto values = batch.values.data();
    for (std::size_t at = begin; at != end; ++at) {
      key_fn.with(values[at], [&](const K& key) {
        Acc& acc = tables.upsert(key, KeyTraits<K>::hash(key), [&] { return kernel.init(); });
        if constexpr (Kernel::kStaged) {
          kernel.put(acc, kernel.take(values[at], this->stamp_of(batch, at)));
        } else {
          kernel.add(acc, values[at], this->stamp_of(batch, at));
        }
      });
    }
  }

  void add_wide(Tables& tables, const Batch<T>& batch, std::size_t begin, std::size_t end) {
    const std::uint64_t* hashes = hashes_of(batch, begin, end);
    for (std::size_t at = begin; at < std::min(end, begin + kAhead); ++at)
      tables.prefetch(hashes[at]);
    for (std::size_t at = begin; at < end; ++at) {
      if (at + kAhead < end) tables.prefetch(hashes[at + kAhead]);
      this->add_one(tables, batch, at, hashes, [](const K&, const Acc&) {});
    }
  }

  /// By place in the batch, of [begin, end) alone.
  const std::uint64_t* hashes_of(const Batch<T>& batch, std::size_t begin, std::size_t end) {
    if (const std::uint64_t* carried = this->carried(batch)) return carried;
    if (scratch_.size() < end) scratch_.resize(end);
    for (std::size_t at = begin; at < end; ++at) {
      this->with_key(batch.values[at],
                     [&](const K& key) { scratch_[at] = KeyTraits<K>::hash(key); });
    }
    return scratch_.data();
  }

  std::vector<std::uint64_t> scratch_;
};

}  // namespace millrace::detail
