// SpillingJoin: what joins share whose keys may lie on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "operator/join_operator.hpp"
#include "operator/join_spill.hpp"

namespace millrace::detail {

/// A join with a row `V` of its tables for each key; see JoinRow.
template <class V, class L, class LKey, class R, class RKey, class Out, class Maker>
class SpillingJoin : public JoinOperator<L, LKey, R, RKey, Out, Maker>, public Spills {
  using Base = JoinOperator<L, LKey, R, RKey, Out, Maker>;

 public:
  using K = typename LKey::View;
  using Spill = JoinSpill<K, V, L, R>;

  void spill_to(const SpillPlace& place) override { spill_->spill_to(place); }

 protected:
  using Base::Base;

  /// From open() on, before anything else. `keys` outlive this.
  Spill& open_spill(KeyedTables<K, V>& keys, JoinLife<V> life = {}) {
    keys_ = &keys;
    return spill_.emplace(keys, this->template part_side<0>(), this->template part_side<1>(),
                          this->context().state, std::move(life));
  }
  Spill& spill() { return *spill_; }
  const Spill& spill() const { return *spill_; }

  /// As JoinOperator has it, with the keys that are on disk.
  template <class Each>
  void save_keys(StateWriter& writer, Each each) {
    if (!spill().any()) return Base::save_keys(writer, *keys_, std::move(each));
    this->save_waiting(writer);
    spill().save_later(writer, [&](const ImageChain& chain) {
      return std::make_unique<JoinParts<K, V, L, R, Each>>(*keys_, this->template part_side<0>(),
                                                           this->template part_side<1>(),
                                                           std::move(each), chain);
    });
  }
  /// As restore_images(), and makes room as it goes.
  template <class Take>
  void restore_keys(StateReader& reader, const Take& take) {
    this->restore_images(reader, [&](auto side, const K& key, std::uint64_t hash,
                                     const JoinKept& kept) {
      if (++restored_ % kRestoredMax == 0) spill().make_room();
      if (!spill().any()) return take(side, key, hash, kept);
      spill().bring_one(hash);
      // What comes and goes may have moved the record that the key was read from.
      constexpr int kSide = decltype(side)::value;
      this->template side<kSide>().with_key(
          kept.slot, nullptr, [&](const K& own, std::uint64_t) { take(side, own, hash, kept); });
    });
    spill().make_room();
  }
  /// As JoinSides has it: the keys of the turns are in memory.
  template <class Near, class Next, class Use>
  void take_turns(Time until, const Near& near, const Next& next, Use&& use) {
    const auto ready = [this](const auto& hashes) {
      spill().make_room();
      spill().bring(hashes);
    };
    Base::take_turns(until, near, next, ready, use);
  }

 private:
  static constexpr std::size_t kRestoredMax = 1024;  ///< records between two makings of room

  KeyedTables<K, V>* keys_ = nullptr;
  std::optional<Spill> spill_;  ///< from open() on
  std::size_t restored_ = 0;
};

}  // namespace millrace::detail
