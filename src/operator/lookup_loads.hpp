// LookupLoads: keys that are asked for in an outside store, several at once and none twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::detail {

/// Keys that are asked for together, and the records that wait for each.
template <class K>
struct LookupLoad {
  std::vector<K> keys;
  std::vector<std::vector<std::uint32_t>> places;
};

/// The loads of a task, by number, and which keys they ask for. One thread.
template <class K>
class LookupLoads {
 public:
  /// The record waits for a key that is asked for already; false: it is not.
  bool join(const K& key, std::uint32_t place) {
    const auto asked = asked_.find(key);
    if (asked == asked_.end()) return false;
    loads_[asked->second.first].places[asked->second.second].push_back(place);
    return true;
  }
  /// It is one of the keys to ask for next.
  void add(K key, std::uint32_t place) {
    if (!open_) open_ = free_number();
    LookupLoad<K>& load = loads_[*open_];
    asked_.emplace(key, std::pair(*open_, load.keys.size()));
    load.keys.push_back(std::move(key));
    load.places.push_back({place});
  }
  /// The load of those, if they are so many; nothing is added to it any more.
  std::optional<std::uint32_t> close(std::size_t keys) {
    if (!open_ || loads_[*open_].keys.size() < keys) return std::nullopt;
    return std::exchange(open_, std::nullopt);
  }
  const std::vector<K>& keys(std::uint32_t number) const { return loads_[number].keys; }
  /// It is over; its number may be used again.
  LookupLoad<K> finish(std::uint32_t number) {
    LookupLoad<K> load = std::exchange(loads_[number], {});
    for (const K& key : load.keys) asked_.erase(key);
    free_.push_back(number);
    return load;
  }

 private:
  std::uint32_t free_number() {
    if (free_.empty()) {
      loads_.emplace_back();
      return static_cast<std::uint32_t>(loads_.size() - 1);
    }
    const std::uint32_t number = free_.back();
    free_.pop_back();
    return number;
  }

  std::vector<LookupLoad<K>> loads_;
  std::vector<std::uint32_t> free_;
  std::optional<std::uint32_t> open_;  ///< that takes more keys
  /// By key: the load, and its place there.
  std::unordered_map<K, std::pair<std::uint32_t, std::size_t>> asked_;
};

}  // namespace millrace::detail
