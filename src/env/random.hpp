// Random: a small generator whose numbers follow from its seed alone, equal on every machine.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace millrace::detail {

/// One step of splitmix64 (Steele, Lea, Flood 2014): turns neighbouring seeds into unrelated ones.
constexpr std::uint64_t splitmix64(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15ull;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
  return mixed ^ (mixed >> 31);
}

/// xoshiro256** (Blackman, Vigna 2018). One thread; not for secrets. Usable with the <random>
/// distributions, whose results differ between standard libraries: prefer the members here where
/// runs are to be repeated.
class Random {
 public:
  using result_type = std::uint64_t;

  explicit constexpr Random(std::uint64_t seed) {
    for (std::uint64_t& word : state_) word = splitmix64(seed);
  }

  static constexpr std::uint64_t min() { return 0; }
  static constexpr std::uint64_t max() { return ~std::uint64_t{0}; }

  constexpr std::uint64_t operator()() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Evenly spread over [0, bound) for bound > 0 (Lemire 2019, without the last correction: the
  /// bias is below bound / 2^64).
  constexpr std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<Wide>((*this)()) * bound) >> 64);
  }
  /// Evenly spread over [low, high], both included.
  constexpr std::int64_t between(std::int64_t low, std::int64_t high) {
    const auto width = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
    const std::uint64_t step = width == 0 ? (*this)() : below(width);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + step);
  }
  /// In [0, 1), 53 bits.
  constexpr double unit() { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }
  /// True with this probability.
  constexpr bool chance(double probability) { return unit() < probability; }
  /// A generator whose numbers are unrelated to this one's further ones.
  constexpr Random fork() { return Random((*this)()); }

 private:
  __extension__ using Wide = unsigned __int128;

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace millrace::detail
