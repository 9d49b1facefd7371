// LookupCache: what was found outside for keys, the most recently used ones, for a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/memory_meter.hpp"
#include "operator/operator.hpp"
#include "record/heap_bytes.hpp"

namespace millrace::detail {

/// `K` has std::hash and ==. One thread. Cost: O(1). Memory is counted by `meter`; what it refuses
/// is not kept.
template <class K, class V>
class LookupCache {
 public:
  /// `expire_ns`: how long an entry holds from when it came; 0: for ever.
  LookupCache(std::size_t entries_max, std::int64_t expire_ns)
      : entries_max_(entries_max), expire_ns_(expire_ns) {}
  LookupCache(const LookupCache&) = delete;
  LookupCache& operator=(const LookupCache&) = delete;
  ~LookupCache() { clear(); }

  void count_with(MemoryMeter* meter) { meter_ = meter; }
  /// What is known of `key`, which may be that it is missing; null: nothing. Until the next call.
  const std::optional<V>* find(const K& key, std::int64_t now_ns) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    if (found->second->until_ns <= now_ns) {
      drop(found->second);
      return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->value;
  }
  void put(const K& key, std::optional<V> value, std::int64_t now_ns) {
    if (entries_max_ == 0) return;
    if (const auto found = by_key_.find(key); found != by_key_.end()) drop(found->second);
    while (entries_.size() >= entries_max_) drop(std::prev(entries_.end()));
    std::size_t bytes = kEntryBytes + 2 * heap_bytes_of(key);
    if (value) bytes += heap_bytes_of(*value);
    try {
      if (meter_) meter_->grow(bytes);
    } catch (const MemoryRefused&) {
      return;
    }
    entries_.push_front(
        {key, std::move(value), expire_ns_ == 0 ? kNeverDue : now_ns + expire_ns_, bytes});
    by_key_.emplace(key, entries_.begin());
  }
  std::size_t size() const { return entries_.size(); }
  void clear() {
    while (!entries_.empty()) drop(entries_.begin());
  }

 private:
  struct Entry {
    K key;
    std::optional<V> value;
    std::int64_t until_ns;
    std::size_t bytes;
  };
  using Place = typename std::list<Entry>::iterator;
  /// With the pointers of list and table, about.
  static constexpr std::size_t kEntryBytes = sizeof(Entry) + sizeof(K) + 64;

  void drop(Place place) {
    if (meter_) meter_->shrink(place->bytes);
    by_key_.erase(place->key);
    entries_.erase(place);
  }

  std::size_t entries_max_;
  std::int64_t expire_ns_;
  MemoryMeter* meter_ = nullptr;  ///< null: nobody counts
  std::list<Entry> entries_;      ///< the most recently used first
  std::unordered_map<K, Place> by_key_;
};

}  // namespace millrace::detail
