// The states that a class behind key_by declares as members: each holds what belongs to the
// present key.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "state/state_cell.hpp"

namespace millrace {

namespace detail {

/// The content of a state that is one value.
template <class Derived, class T>
class OptionalState : public StateHandle<Derived, std::optional<T>> {
 public:
  using StateHandle<Derived, std::optional<T>>::StateHandle;
  using Content = std::optional<T>;

  static bool is_empty(const Content& content) { return !content; }
  static void make_empty(Content& content) { content.reset(); }
  const Content& before_parts() { return this->content(); }
  void undo_parts() {}
  void forget_parts() {}
};

}  // namespace detail

/// One value of each key.
///
/// A member of a class given to `key_by(...).process(...)`; used in its methods only, always for
/// the key of the record or timer at hand. All calls O(1).
template <class T>
class ValueState : public detail::OptionalState<ValueState<T>, T> {
 public:
  static constexpr const char* kKind = "value";
  using detail::OptionalState<ValueState<T>, T>::OptionalState;

  /// The value, or null when the key has none. Valid until the next write or the end of the call.
  const T* get() {
    const auto* content = this->read();
    return content ? &**content : nullptr;
  }
  explicit operator bool() { return get() != nullptr; }
  /// Only where there is one.
  const T& operator*() { return *get(); }
  const T* operator->() { return get(); }
  /// The value, or `other` when there is none.
  T value_or(T other) {
    const T* value = get();
    return value ? *value : std::move(other);
  }
  void set(T value) {
    std::optional<T>& content = this->replace();
    content.emplace(std::move(value));
    this->count_heap(static_cast<std::int64_t>(this->heap_of(content)));
  }
  /// Changes it in place, made as T{} when there is none: change(T&). Costs a copy of the value
  /// unless process is noexcept.
  template <class F>
  void update(F change) {
    std::optional<T>& content = this->edit();
    this->count_heap(-static_cast<std::int64_t>(this->heap_of(content)));
    if (!content) content.emplace();
    change(*content);
    this->count_heap(static_cast<std::int64_t>(this->heap_of(content)));
  }
  void clear() { this->replace(); }

 private:
  static constexpr bool kChecked = (detail::check_state_type<T>(), true);
};

/// A list of each key, in the order of adding.
template <class T>
class ListState : public detail::StateHandle<ListState<T>, std::vector<T>> {
  using Base = detail::StateHandle<ListState<T>, std::vector<T>>;

 public:
  static constexpr const char* kKind = "list";
  using Base::Base;

  /// Valid until the next write or the end of the call.
  std::span<const T> all() {
    const auto* content = this->read();
    return content ? std::span<const T>(*content) : std::span<const T>();
  }
  std::size_t size() { return all().size(); }
  bool empty() { return all().empty(); }
  auto begin() { return all().begin(); }
  auto end() { return all().end(); }

  /// O(1), also to undo.
  void add(T value) {
    this->begin_edit();
    std::vector<T>& list = this->content();
    if (this->logs_parts() && !grown_) {
      grown_ = true;
      kept_ = list.size();
    }
    const auto capacity = list.capacity();
    list.push_back(std::move(value));
    this->count_heap(static_cast<std::int64_t>((list.capacity() - capacity) * sizeof(T) +
                                               detail::heap_bytes_of(list.back())));
  }
  void set(std::vector<T> values) {
    save_before_replacing();
    std::vector<T>& list = this->replace();
    list = std::move(values);
    this->count_heap(static_cast<std::int64_t>(this->heap_of(list)));
  }
  /// Removes the first `count`, or all. O(size).
  void erase_first(std::size_t count) {
    change([count](std::vector<T>& list) {
      const auto gone = static_cast<std::ptrdiff_t>(std::min(count, list.size()));
      list.erase(list.begin(), list.begin() + gone);
    });
  }
  /// Removes those for which `gone(const T&)` holds. O(size).
  template <class F>
  void erase_if(F gone) {
    change([&gone](std::vector<T>& list) { std::erase_if(list, gone); });
  }
  void clear() {
    save_before_replacing();
    this->replace();
  }

  // Internal.
  static bool is_empty(const std::vector<T>& list) { return list.empty(); }
  static void make_empty(std::vector<T>& list) { std::vector<T>().swap(list); }
  std::vector<T> before_parts() {
    const std::vector<T>& list = this->content();
    const auto kept = static_cast<std::ptrdiff_t>(grown_ ? kept_ : list.size());
    grown_ = false;
    return {list.begin(), list.begin() + kept};
  }
  void undo_parts() {
    std::vector<T>& list = this->content();
    if (grown_) list.erase(list.begin() + static_cast<std::ptrdiff_t>(kept_), list.end());
  }
  void forget_parts() { grown_ = false; }

 private:
  static constexpr bool kChecked = (detail::check_state_type<T>(), true);

  template <class F>
  void change(F&& f) {
    std::vector<T>& list = this->edit();
    this->count_heap(-static_cast<std::int64_t>(this->heap_of(list)));
    f(list);
    this->count_heap(static_cast<std::int64_t>(this->heap_of(list)));
  }
  /// What is moved out must be as it was before the call; grown_ then says nothing any more.
  void save_before_replacing() {
    if (grown_) this->edit();
  }

  bool grown_ = false;    ///< in this call
  std::size_t kept_ = 0;  ///< size before
};

/// A map of each key, by K ascending.
template <class K, class V>
class MapState : public detail::StateHandle<MapState<K, V>, std::map<K, V, std::less<>>> {
  using Base = detail::StateHandle<MapState<K, V>, std::map<K, V, std::less<>>>;

 public:
  static constexpr const char* kKind = "map";
  using Map = std::map<K, V, std::less<>>;
  using Base::Base;

  /// All entries, ascending. Valid until the next write or the end of the call.
  const Map& all() {
    static const Map kNone;
    const Map* map = this->read();
    return map ? *map : kNone;
  }
  std::size_t size() { return all().size(); }
  bool empty() { return all().empty(); }
  auto begin() { return all().begin(); }
  auto end() { return all().end(); }
  /// The value of `key`, or null. O(log size), as all that takes a key.
  template <class Q>
  const V* get(const Q& key) {
    const Map& map = all();
    const auto at = map.find(key);
    return at == map.end() ? nullptr : &at->second;
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
    this->begin_edit();
    Map& map = this->content();
    const auto [at, added] = map.try_emplace(key);
    if (this->logs_parts()) log_.emplace_back(key, added ? std::optional<V>() : at->second);
    if (!added) this->count_heap(-entry_bytes(*at));
    change(at->second);
    this->count_heap(entry_bytes(*at));
  }
  /// False when it is not there.
  template <class Q>
  bool erase(const Q& key) {
    this->begin_edit();
    Map& map = this->content();
    const auto at = map.find(key);
    if (at == map.end()) return false;
    this->count_heap(-entry_bytes(*at));
    if (this->logs_parts()) log_.emplace_back(at->first, std::move(at->second));
    map.erase(at);
    return true;
  }
  void clear() { this->replace(); }

  // Internal.
  static bool is_empty(const Map& map) { return map.empty(); }
  static void make_empty(Map& map) { Map().swap(map); }
  const Map& before_parts() { return this->content(); }
  /// Single changes were logged before anything was saved whole, so they are undone last.
  void undo_parts() {
    Map& map = this->content();
    for (; !log_.empty(); log_.pop_back()) {
      auto& [key, before] = log_.back();
      if (before) {
        map.insert_or_assign(key, std::move(*before));
      } else {
        map.erase(key);
      }
    }
  }
  void forget_parts() { log_.clear(); }

 private:
  static constexpr bool kChecked =
      (detail::check_state_type<K>(), detail::check_state_type<V>(), true);
  static std::int64_t entry_bytes(const typename Map::value_type& entry) {
    constexpr std::size_t kNodeBytes = sizeof(entry) + 4 * sizeof(void*);
    return static_cast<std::int64_t>(kNodeBytes + detail::heap_bytes_of(entry.first) +
                                     detail::heap_bytes_of(entry.second));
  }

  std::vector<std::pair<K, std::optional<V>>> log_;  ///< of this call: what a key had before
};

/// One value of each key, made of all that was added: f(T, const T&) -> T, associative.
template <class T, class F = std::plus<>>
class ReducingState : public detail::OptionalState<ReducingState<T, F>, T> {
 public:
  static constexpr const char* kKind = "reducing";
  using detail::OptionalState<ReducingState<T, F>, T>::OptionalState;

  /// The value so far, or null.
  const T* get() {
    const auto* content = this->read();
    return content ? &**content : nullptr;
  }
  T value_or(T other) {
    const T* value = get();
    return value ? *value : std::move(other);
  }
  void add(T value) {
    if (const T* before = get()) value = F{}(*before, value);
    std::optional<T>& content = this->replace();
    content.emplace(std::move(value));
    this->count_heap(static_cast<std::int64_t>(this->heap_of(content)));
  }
  void clear() { this->replace(); }

 private:
  static constexpr bool kChecked = (detail::check_state_type<T>(), true);
};

/// The accumulator of an aggregate of one's own: a class with init(), add(Acc&, const In&) and
/// result(const Acc&), as for windows.
template <class Aggregate>
class AggregatingState : public detail::OptionalState<
                             AggregatingState<Aggregate>,
                             std::decay_t<decltype(std::declval<const Aggregate&>().init())>> {
  using Acc = std::decay_t<decltype(std::declval<const Aggregate&>().init())>;

 public:
  static constexpr const char* kKind = "aggregating";
  using detail::OptionalState<AggregatingState<Aggregate>, Acc>::OptionalState;

  /// Costs a copy of the accumulator unless process is noexcept.
  template <class In>
  void add(const In& record) {
    std::optional<Acc>& content = this->edit();
    this->count_heap(-static_cast<std::int64_t>(this->heap_of(content)));
    if (!content) content.emplace(Aggregate{}.init());
    Aggregate{}.add(*content, record);
    this->count_heap(static_cast<std::int64_t>(this->heap_of(content)));
  }
  /// The result so far; of the empty aggregate when nothing was added.
  auto result() {
    const auto* content = this->read();
    return content ? Aggregate{}.result(**content) : Aggregate{}.result(Aggregate{}.init());
  }
  explicit operator bool() { return this->read() != nullptr; }
  void clear() { this->replace(); }

 private:
  static constexpr bool kChecked = (detail::check_state_type<Acc>(), true);
};

}  // namespace millrace
