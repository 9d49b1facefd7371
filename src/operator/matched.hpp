// Matched and Match: what conditions and rows see of the records that a pattern has matched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/time.hpp"

namespace millrace {

/// One record of a match.
template <class T>
struct MatchedRecord {
  std::string_view stage;  ///< that took it
  const T& record;
  Timestamp time;  ///< its event time
};

/// The records matched so far, in their order. Valid during the call it is given to. A stage that
/// the pattern does not have is a std::invalid_argument.
template <class T>
class Matched {
 public:
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  /// In their order; 0 is the first.
  MatchedRecord<T> at(std::size_t index) const {
    const Entry& entry = entries_.at(index);
    return {stages_[entry.stage], *entry.record, Timestamp{entry.time}};
  }
  /// The first or last record of a stage; null: it has taken none. O(size).
  const T* first(std::string_view stage) const {
    const std::uint32_t wanted = number(stage);
    for (const Entry& entry : entries_) {
      if (entry.stage == wanted) return entry.record;
    }
    return nullptr;
  }
  const T* last(std::string_view stage) const {
    const T* found = nullptr;
    for_each(stage, [&found](const T& record) { found = &record; });
    return found;
  }
  /// The first record of a stage that has taken one; else a std::invalid_argument.
  const T& operator[](std::string_view stage) const {
    if (const T* record = first(stage)) return *record;
    throw std::invalid_argument("stage \"" + std::string(stage) +
                                "\" of the pattern has no record");
  }
  std::size_t count(std::string_view stage) const {
    std::size_t count = 0;
    for_each(stage, [&count](const T&) { ++count; });
    return count;
  }
  /// All records of a stage, in their order.
  std::vector<const T*> all(std::string_view stage) const {
    std::vector<const T*> records;
    for_each(stage, [&records](const T& record) { records.push_back(&record); });
    return records;
  }

  // Internal.
  struct Entry {
    std::uint32_t stage;
    const T* record;
    Time time;
  };
  explicit Matched(std::span<const std::string> stages) : stages_(stages) {}
  std::vector<Entry>& entries() { return entries_; }
  std::span<const Entry> entries() const { return entries_; }

 private:
  std::uint32_t number(std::string_view stage) const {
    for (std::uint32_t at = 0; at < stages_.size(); ++at) {
      if (stages_[at] == stage) return at;
    }
    throw std::invalid_argument("the pattern has no stage \"" + std::string(stage) + "\"");
  }
  template <class Use>
  void for_each(std::string_view stage, Use&& use) const {
    const std::uint32_t wanted = number(stage);
    for (const Entry& entry : entries_) {
      if (entry.stage == wanted) use(*entry.record);
    }
  }

  std::span<const std::string> stages_;
  std::vector<Entry> entries_;
};

/// A match, or a partial match whose time is over.
template <class T>
class Match : public Matched<T> {
 public:
  using Matched<T>::Matched;

  /// When it was complete: the time of its last record, or that at which nothing could forbid it
  /// any more, or at which what began before it was decided; or when its time was over.
  Timestamp time() const { return Timestamp{time_}; }

  // Internal.
  void set_time(Time time) { time_ = time; }

 private:
  Time time_ = 0;
};

/// Whether a record fits: f(const T&), or f(const T&, const Matched<T>&), which also sees what was
/// matched before it. One that is made of nothing always holds. Called by one thread at a time.
template <class T>
class Where {
 public:
  Where() = default;
  template <class F>
    requires std::is_invocable_r_v<bool, F&, const T&>
  Where(F f)  // NOLINT(google-explicit-constructor)
      : holds_([f = std::move(f)](const T& record, const Matched<T>&) mutable -> bool {
          return std::invoke(f, record);
        }) {}
  template <class F>
    requires std::is_invocable_r_v<bool, F&, const T&, const Matched<T>&>
  Where(F f) : holds_(std::move(f)), looks_back_(true) {}  // NOLINT(google-explicit-constructor)

  bool operator()(const T& record, const Matched<T>& before) const {
    return !holds_ || holds_(record, before);
  }
  bool always() const { return !holds_; }
  /// Else it depends on the record alone.
  bool looks_back() const { return looks_back_; }

  friend Where operator&&(Where a, Where b) {
    if (a.always()) return b;
    if (b.always()) return a;
    return both(a, b, [a, b](const T& record, const Matched<T>& before) {
      return a(record, before) && b(record, before);
    });
  }
  friend Where operator||(Where a, Where b) {
    if (a.always() || b.always()) return {};
    return both(a, b, [a, b](const T& record, const Matched<T>& before) {
      return a(record, before) || b(record, before);
    });
  }

 private:
  static Where both(const Where& a, const Where& b,
                    std::function<bool(const T&, const Matched<T>&)> holds) {
    Where made;
    made.holds_ = std::move(holds);
    made.looks_back_ = a.looks_back_ || b.looks_back_;
    return made;
  }

  std::function<bool(const T&, const Matched<T>&)> holds_;
  bool looks_back_ = false;
};

}  // namespace millrace
