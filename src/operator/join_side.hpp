// JoinSide: one input of a join: its key, its records, and those that came too late.
#pragma once

#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "operator/joined_records.hpp"
#include "operator/keyed.hpp"
#include "operator/stateless.hpp"
#include "operator/too_late.hpp"

namespace millrace::detail {

/// One thread.
template <class T, class Key>
class JoinSide {
 public:
  using Record = T;
  using K = typename Key::View;
  using KeyPtr = std::shared_ptr<const TypedKeyHash<T, Key>>;

  explicit JoinSide(KeyPtr key) : key_(std::move(key)) {}

  JoinedRecords<T>& records() { return records_; }

  static constexpr std::uint32_t kNowhere = ~std::uint32_t{0};
  /// Keeps the records of a batch for which is_late(time, behind) does not hold, and calls
  /// handle(slot of the first, number) if there are any; the others leave by `late_port`, or
  /// kNowhere.
  template <class IsLate, class Handle>
  void take(Batch<T>& in, std::uint32_t late_port, const OperatorContext& context, Outputs& outputs,
            IsLate&& is_late, Handle&& handle) {
    sort_out(in, is_late);
    context.tally->late += too_late_.size();
    if (late_port != kNowhere) too_late_.hand_on(in, outputs, late_port);
    if (picks_.empty()) return;
    take_hashes(in);
    const std::uint64_t first = records_.keep(in, picks_);
    handle(first, picks_.size());
  }
  /// Calls use(key, hash) for a record; `hash`: of its key, null where that is not known.
  template <class Use>
  void with_key(std::uint64_t slot, const std::uint64_t* hash, Use&& use) {
    key_->key().with(records_.record(slot), [&](const K& key) {
      use(key, hash != nullptr ? *hash : KeyTraits<K>::hash(key));
    });
  }
  /// The hash of a record's key; nullopt: it throws.
  std::optional<std::uint64_t> hash_of(std::uint64_t slot) {
    try {
      std::uint64_t made = 0;
      with_key(slot, nullptr, [&](const K&, std::uint64_t hash) { made = hash; });
      return made;
    } catch (...) {
      return std::nullopt;  // who handles the record meets it again
    }
  }
  /// Of a record that take() kept: its time, and the watermark that it came behind (kTimeMin:
  /// none).
  Time time_of(const Batch<T>& in, std::size_t place) const { return in.times[picks_[place]]; }
  Time behind_of(std::size_t place) const { return behind_.empty() ? kTimeMin : behind_[place]; }
  /// Of the keys of the `count` records from `first` on, those that take() kept, in their order;
  /// none: one of the keys throws.
  const std::vector<std::uint64_t>& hashes(std::uint64_t first, std::size_t count) {
    while (hashes_.size() < count) {
      const auto hash = hash_of(first + hashes_.size());
      if (!hash) {
        hashes_.clear();
        break;
      }
      hashes_.push_back(*hash);
    }
    return hashes_;
  }

 private:
  template <class IsLate>
  void sort_out(const Batch<T>& in, IsLate&& is_late) {
    too_late_.clear();
    picks_.clear();
    behind_.clear();
    if (in.behind.empty()) {
      picks_.resize(in.values.size());
      return std::iota(picks_.begin(), picks_.end(), 0u);
    }
    std::size_t cursor = 0;
    for (std::size_t at = 0; at < in.values.size(); ++at) {
      const Time behind = behind_at(in, at, cursor);
      if (behind != kTimeMin && is_late(in.times[at], behind)) {
        too_late_.note(at);
        continue;
      }
      picks_.push_back(static_cast<std::uint32_t>(at));
      behind_.push_back(behind);
    }
  }
  void take_hashes(const Batch<T>& in) {
    hashes_.clear();
    if (in.hashed_by != key_.get() || in.hashes.size() != in.values.size()) return;
    for (const std::uint32_t pick : picks_) hashes_.push_back(in.hashes[pick]);
  }

  KeyPtr key_;
  JoinedRecords<T> records_;
  TooLate<T> too_late_;
  std::vector<std::uint32_t> picks_;   ///< of the batch at hand those that are kept
  std::vector<Time> behind_;           ///< of these the watermark that each came behind, if any
  std::vector<std::uint64_t> hashes_;  ///< and their keys' hashes, if they came with them
};

}  // namespace millrace::detail
