// CoGroup: all records of two streams with one key and window, and the rows that a function makes
// of them.
#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <span>
#include <type_traits>
#include <utility>

#include "base/time.hpp"
#include "operator/output.hpp"
#include "record/batch.hpp"

namespace millrace {

/// The records of one side of a CoGroup in the order of event time, equal times by place in the
/// input; valid during the call.
template <class T>
class GroupedRecords {
 public:
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    Iterator() = default;
    explicit Iterator(const T* const* at) : at_(at) {}
    reference operator*() const { return **at_; }
    pointer operator->() const { return *at_; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) { return Iterator(at_++); }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const T* const* at_ = nullptr;
  };

  explicit GroupedRecords(std::span<const T* const> records) : records_(records) {}

  std::size_t size() const { return records_.size(); }
  bool empty() const { return records_.empty(); }
  const T& operator[](std::size_t at) const { return *records_[at]; }
  /// The earliest and the latest one; not when empty.
  const T& front() const { return *records_.front(); }
  const T& back() const { return *records_.back(); }
  Iterator begin() const { return Iterator(records_.data()); }
  Iterator end() const { return Iterator(records_.data() + records_.size()); }

 private:
  std::span<const T* const> records_;
};

/// All records of two streams that have a key and lie in the window [window_start, window_end); one
/// side may have none. Given to the function of co_group; valid during the call. `K` is the key as
/// a view: of a text std::string_view, of several members std::tuple.
template <class K, class L, class R>
struct CoGroup {
  K key{};
  GroupedRecords<L> left;
  GroupedRecords<R> right;
  Time window_start = kTimeMin;
  Time window_end = kTimeMax;
};

namespace detail {

/// Makes the rows of a group by user code: f(group) or f(group, Output<Out>&). One thread.
template <class Out, class F>
class GroupMaker {
 public:
  static constexpr bool kGroups = true;

  explicit GroupMaker(F f) : f_(std::move(f)) {}

  template <class Group>
  void operator()(Batch<Out>& out, const Group& group, MemoryMeter* arenas) {
    if constexpr (std::is_invocable_v<F&, const Group&, Output<Out>&>) {
      if (!bound_) {
        output_.count_with(arenas);
        output_.bind(out);
        bound_ = true;
      }
      std::invoke(f_, group, output_);
    } else {
      out.values.push_back(std::invoke(f_, group));
    }
  }
  /// The batch that was filled has gone.
  void flushed() { bound_ = false; }

 private:
  F f_;
  Output<Out> output_;
  bool bound_ = false;
};

}  // namespace detail
}  // namespace millrace
