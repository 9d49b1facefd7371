// FlatMap: the hash map of the hand-written loops: open addressing, linear probing, grows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::bench {

inline std::uint64_t hash_of(std::uint32_t key) {
  const std::uint64_t product = key * 0x9e3779b97f4a7c15ull;
  return product ^ (product >> 32);
}

/// After wyhash (Wang Yi 2019); reads only inside the text.
inline std::uint64_t hash_of(std::string_view text) {
  __extension__ using Wide = unsigned __int128;
  const auto fold = [](std::uint64_t a, std::uint64_t b) {
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  const auto load = [](const char* at, std::size_t bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, bytes);
    return word;
  };
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t state = 0x9e3779b97f4a7c15ull ^ left;
  for (; left > 16; at += 16, left -= 16) {
    state = fold(load(at, 8) ^ 0xa0761d6478bd642full, load(at + 8, 8) ^ state);
  }
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  if (left >= 8) {
    low = load(at, 8);
    high = load(at + left - 8, 8);
  } else if (left >= 4) {
    low = load(at, 4);
    high = load(at + left - 4, 4);
  } else if (left > 0) {
    const auto byte = [at](std::size_t index) {
      return static_cast<std::uint64_t>(static_cast<unsigned char>(at[index]));
    };
    low = byte(0) << 16 | byte(left >> 1) << 8 | byte(left - 1);
  }
  return fold(low ^ 0xe7037ed1a0b428dbull ^ state, high ^ 0xa0761d6478bd642full);
}

inline bool same(std::uint32_t a, std::uint32_t b) { return a == b; }
inline bool same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a.size() < 8) {
    for (std::size_t at = 0; at < a.size(); ++at) {
      if (a[at] != b[at]) return false;
    }
    return true;
  }
  if (a.size() > 16) return std::memcmp(a.data(), b.data(), a.size()) == 0;
  std::uint64_t words[4];
  std::memcpy(&words[0], a.data(), 8);
  std::memcpy(&words[1], b.data(), 8);
  std::memcpy(&words[2], a.data() + a.size() - 8, 8);
  std::memcpy(&words[3], b.data() + b.size() - 8, 8);
  return ((words[0] ^ words[1]) | (words[2] ^ words[3])) == 0;
}

/// Values by key, at most 1/kSparse full. `keep` says how a new key is stored: views are copied to
/// where they last.
template <class K, class V, std::size_t kSparse>
class FlatMap {
 public:
  struct Slot {
    K key{};
    std::uint32_t tag = 0;  ///< 0: empty
    V value{};
  };

  explicit FlatMap(std::size_t slots = 1024) : slots_(slots) {}

  /// Brings the slot of a hash near.
  void prefetch(std::uint64_t hash) const {
    __builtin_prefetch(&slots_[hash & (slots_.size() - 1)], 1);
  }
  template <class Keep>
  V& find_or_add(const K& key, std::uint64_t hash, Keep&& keep) {
    const std::uint32_t tag = static_cast<std::uint32_t>(hash >> 32) | 1;
    const std::size_t mask = slots_.size() - 1;
    Slot* const slots = slots_.data();
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      Slot& slot = slots[at];
      if (slot.tag == tag && same(slot.key, key)) [[likely]]
        return slot.value;
      if (slot.tag == 0) break;
    }
    return add(keep(key), hash);
  }
  V& operator[](const K& key) {
    return find_or_add(key, hash_of(key), [](const K& same_key) { return same_key; });
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Slot& slot : slots_) {
      if (slot.tag != 0) visit(slot.key, slot.value);
    }
  }
  void clear() {
    slots_.assign(slots_.size(), Slot{});
    size_ = 0;
  }

 private:
  [[gnu::noinline]] V& add(K key, std::uint64_t hash) {
    if ((size_ + 1) * kSparse > slots_.size()) grow();
    ++size_;
    Slot& slot = free_slot(hash);
    slot = {std::move(key), static_cast<std::uint32_t>(hash >> 32) | 1, V{}};
    return slot.value;
  }
  Slot& free_slot(std::uint64_t hash) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (slots_[at].tag != 0) at = (at + 1) & mask;
    return slots_[at];
  }
  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (Slot& slot : old) {
      if (slot.tag != 0) free_slot(hash_of(slot.key)) = std::move(slot);
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace millrace::bench
