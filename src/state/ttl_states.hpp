// TtlListState and TtlMapState: lists and maps of a key whose elements each live for their own
// time.
#pragma once

#include <algorithm>
#include <bit>
#include <ranges>
#include <utility>
#include <vector>

#include "state/keyed_state.hpp"

namespace millrace {

namespace detail {

/// An element with the time it was written, by the clock of its time to live.
template <class T>
struct Written {
  T value{};
  Time at = kTimeMin;
};

}  // namespace detail

/// A list of each key, in the order of adding, of which each element is gone `ttl` after it was
/// added, to the microsecond; `renewed` is of no use here. As ListState otherwise.
///
/// Memory: 8 bytes an element more. What is over is given back when the list has doubled, and when
/// its last element is over.
template <class T>
class TtlListState : private ListState<detail::Written<T>> {
  using Base = ListState<detail::Written<T>>;
  using Element = detail::Written<T>;

 public:
  static constexpr const char* kKind = "list";
  using Base::Base;
  using typename Base::Cell;
  using typename Base::Content;

  /// The values that live, as a range. Valid until the next write or the end of the call.
  auto all() {
    return Base::all() | std::views::filter(this->living()) |
           std::views::transform([](const Element& element) -> const T& { return element.value; });
  }
  /// O(elements).
  std::size_t size() { return static_cast<std::size_t>(std::ranges::distance(all())); }
  bool empty() { return size() == 0; }
  /// O(1) amortised.
  void add(T value) {
    if (std::has_single_bit(Base::size())) erase_over();
    Base::add({std::move(value), this->now()});
  }
  /// Removes those for which `gone(const T&)` holds. O(elements).
  template <class F>
  void erase_if(F gone) {
    Base::erase_if([&gone](const Element& element) { return gone(element.value); });
  }
  using Base::clear;

  // Internal.
  using Base::attach;
  using Base::count_restored;
  using Base::drop_if_expired;
  using Base::entries;
  using Base::has_ttl;
  using Base::is_empty;
  using Base::is_expired;
  using Base::keep;
  using Base::options;
  using Base::point;
  using Base::undo;

 private:
  void erase_over() {
    const auto is_over = [this](const Element& element) {
      return this->is_over_for_all(element.at);
    };
    if (std::ranges::any_of(Base::all(), is_over)) Base::erase_if(is_over);
  }
};

/// A map of each key, by K ascending, of which each entry is gone `ttl` after it was written; see
/// TtlListState. As MapState otherwise.
template <class K, class V>
class TtlMapState : private MapState<K, detail::Written<V>> {
  using Base = MapState<K, detail::Written<V>>;
  using Element = detail::Written<V>;
  using Entry = typename Base::Map::value_type;

 public:
  static constexpr const char* kKind = "map";
  using Base::Base;
  using typename Base::Cell;
  using typename Base::Content;

  /// The entries that live, as a range of pairs of references. Valid until the next write or the
  /// end of the call.
  auto all() {
    return Base::all() | std::views::filter([lives = this->living()](const Entry& entry) {
             return lives(entry.second);
           }) |
           std::views::transform([](const Entry& entry) {
             return std::pair<const K&, const V&>(entry.first, entry.second.value);
           });
  }
  /// O(entries).
  std::size_t size() { return static_cast<std::size_t>(std::ranges::distance(all())); }
  bool empty() { return size() == 0; }
  /// The value of `key`, or null. O(log entries), as all that takes a key.
  template <class Q>
  const V* get(const Q& key) {
    const Element* const element = Base::get(key);
    return element && this->living()(*element) ? &element->value : nullptr;
  }
  template <class Q>
  bool contains(const Q& key) {
    return get(key) != nullptr;
  }
  void set(const K& key, V value) {
    update(key, [&value](V& now) { now = std::move(value); });
  }
  /// Changes the value of `key` in place, made as V{} when there is none: change(V&).
  template <class F>
  void update(const K& key, F change) {
    if (std::has_single_bit(Base::size())) erase_over();
    Base::update(key, [&](Element& element) {
      if (!this->living()(element)) element = {};
      change(element.value);
      element.at = std::max(element.at, this->now());
    });
  }
  /// False when it is not there.
  template <class Q>
  bool erase(const Q& key) {
    const bool lives = contains(key);
    (void)Base::erase(key);
    return lives;
  }
  using Base::clear;

  // Internal.
  using Base::attach;
  using Base::count_restored;
  using Base::drop_if_expired;
  using Base::entries;
  using Base::has_ttl;
  using Base::is_empty;
  using Base::is_expired;
  using Base::keep;
  using Base::options;
  using Base::point;
  using Base::undo;

 private:
  void erase_over() {
    std::vector<K> over;
    for (const auto& [key, element] : Base::all()) {
      if (this->is_over_for_all(element.at)) over.push_back(key);
    }
    for (const K& key : over) (void)Base::erase(key);
  }
};

}  // namespace millrace
