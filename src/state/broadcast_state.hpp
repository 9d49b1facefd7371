// BroadcastState: what every task of a component knows alike: rules, prices, settings by their
// keys.
#pragma once

#include <stdexcept>
#include <type_traits>
#include <utility>

#include "state/keyed_state.hpp"

namespace millrace {

/// A map that belongs to no key of the stream: each task holds all of it, written by the records of
/// a broadcast stream alone, so that it is the same everywhere.
///
/// A member of a class given to `connect(rules.broadcast()).process(...)`. Any method may read it;
/// only on_broadcast may write: elsewhere writing throws std::logic_error. What an on_broadcast
/// that throws has written is undone. By K ascending; O(log size) for all that takes a key. Memory:
/// once a task, counted as state.
template <class K, class V>
class BroadcastState {
 public:
  using Map = typename MapState<K, V>::Map;

  /// All entries, ascending. Valid until the next write or the end of the call.
  const Map& all() { return map_.all(); }
  std::size_t size() { return map_.size(); }
  bool empty() { return map_.empty(); }
  auto begin() { return map_.begin(); }
  auto end() { return map_.end(); }
  /// The value of `key`, or null.
  template <class Q>
  const V* get(const Q& key) {
    return map_.get(key);
  }
  template <class Q>
  bool contains(const Q& key) {
    return map_.contains(key);
  }

  void set(const K& key, V value) { writable().set(key, std::move(value)); }
  /// Changes the value of `key` in place, made as V{} when there is none: change(V&).
  template <class F>
  void update(const K& key, F change) {
    writable().update(key, std::move(change));
  }
  /// False when it is not there.
  template <class Q>
  bool erase(const Q& key) {
    return writable().erase(key);
  }
  void clear() { writable().clear(); }

  // Internal, as all below.
  /// `may_write` says whether on_broadcast runs. Both outlive it, and it stays where it is.
  void attach(detail::StateCall& call, const bool& may_write) {
    map_.attach(call);
    map_.point(cell_);
    may_write_ = &may_write;
  }
  /// Takes what an image holds.
  void restore(Map content, detail::StateCall& call) {
    cell_.content = std::move(content);
    if (!cell_.content.empty()) map_.count_restored(cell_.content, call);
  }
  void keep() { map_.keep(); }
  void undo() { map_.undo(); }

 private:
  MapState<K, V>& writable() {
    if (may_write_ == nullptr || !*may_write_) {
      throw std::logic_error(
          "a broadcast state is written by on_broadcast alone: written for one record or timer, it "
          "would no longer be the same in all tasks");
    }
    return map_;
  }

  MapState<K, V> map_;
  detail::StateCell<Map> cell_;
  const bool* may_write_ = nullptr;
};

namespace detail {

template <class M>
inline constexpr bool kIsBroadcastState = false;
template <class K, class V>
inline constexpr bool kIsBroadcastState<BroadcastState<K, V>> = true;

}  // namespace detail
}  // namespace millrace
