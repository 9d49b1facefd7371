// AliasTable: draws from any fixed distribution with one number and two look-ups.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "base/check.hpp"

namespace millrace::apps {

/// The alias method (Walker 1977; built as Vose 1991 does). The number of outcomes is a power of
/// two, at most 2^24.
class AliasTable {
 public:
  /// `weights`: of each outcome, not all 0; they need not sum up to 1.
  explicit AliasTable(const std::vector<double>& weights);

  /// An outcome from 64 random bits: the high ones choose a slot, the 32 low ones its side. O(1).
  std::uint32_t draw(std::uint64_t bits) const {
    const auto slot = static_cast<std::uint32_t>(bits >> shift_);
    const Slot& chosen = slots_[slot];
    return static_cast<std::uint32_t>(bits) < chosen.stay ? slot : chosen.alias;
  }
  std::size_t size() const { return slots_.size(); }

 private:
  struct Slot {
    std::uint32_t stay = 0xffffffff;  // of 2^32
    std::uint32_t alias = 0;
  };
  std::vector<Slot> slots_;
  int shift_;
};

/// Zipf's law: weight 1 / rank^exponent for the ranks 1 to `count`.
std::vector<double> zipf_weights(std::size_t count, double exponent);

}  // namespace millrace::apps
