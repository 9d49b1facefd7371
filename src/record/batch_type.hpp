// batch_type<T>(): what the runtime may do with batches of T without knowing T.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "record/batch.hpp"
#include "record/heap_bytes.hpp"
#include "record/record_json.hpp"
#include "record/schema.hpp"

namespace millrace::detail {

/// Walks the picked elements of an array, so that vector::insert copies them in one loop without
/// checks of capacity.
template <class T>
class PickIterator {
 public:
  using iterator_category = std::random_access_iterator_tag;
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  using pointer = const T*;
  using reference = const T&;

  PickIterator() = default;
  PickIterator(const T* values, const std::uint32_t* pick) : values_(values), pick_(pick) {}
  reference operator*() const { return values_[*pick_]; }
  PickIterator& operator++() {
    ++pick_;
    return *this;
  }
  PickIterator operator++(int) { return PickIterator(values_, pick_++); }
  PickIterator& operator--() {
    --pick_;
    return *this;
  }
  PickIterator& operator+=(difference_type steps) {
    pick_ += steps;
    return *this;
  }
  friend PickIterator operator+(PickIterator at, difference_type steps) { return at += steps; }
  friend difference_type operator-(const PickIterator& a, const PickIterator& b) {
    return a.pick_ - b.pick_;
  }
  friend bool operator==(const PickIterator& a, const PickIterator& b) {
    return a.pick_ == b.pick_;
  }
  friend bool operator<(const PickIterator& a, const PickIterator& b) { return a.pick_ < b.pick_; }

 private:
  const T* values_ = nullptr;
  const std::uint32_t* pick_ = nullptr;
};

template <class T>
void append_picked(std::vector<T>& to, const std::vector<T>& from,
                   std::span<const std::uint32_t> picks) {
  if constexpr (std::is_copy_assignable_v<T> && std::is_move_assignable_v<T>) {
    to.insert(to.end(), PickIterator<T>(from.data(), picks.data()),
              PickIterator<T>(from.data(), picks.data() + picks.size()));
  } else {  // vector::insert asks for assignment
    for (const std::uint32_t pick : picks) to.push_back(from[pick]);
  }
}

template <class T>
void append_values_of(std::vector<T>& to, const std::vector<T>& from) {
  if constexpr (std::is_copy_assignable_v<T> && std::is_move_assignable_v<T>) {
    to.insert(to.end(), from.begin(), from.end());
  } else {
    for (const T& value : from) to.push_back(value);
  }
}

/// Appends times, hashes, lateness marks and arenas of `from`; call it before the records
/// themselves are appended. A batch has times for all of its records or for none, and so for
/// hashes: an empty one takes what `from` has.
void append_marks(BatchBase& to, const BatchBase& from, std::span<const std::uint32_t> picks);
void append_all_marks(BatchBase& to, const BatchBase& from);
/// Exchanges everything but the records.
void swap_marks(BatchBase& a, BatchBase& b);

/// BatchType of any T that can be copied and moved.
template <class T>
class BatchTypeOf final : public BatchType {
 public:
  BatchPtr make() const override { return std::make_unique<Batch<T>>(); }

  void append(BatchBase& to, const BatchBase& from,
              std::span<const std::uint32_t> picks) const override {
    if (picks.empty()) return;
    append_marks(to, from, picks);
    append_picked(records(to), records(from), picks);
  }

  void append_all(BatchBase& to, const BatchBase& from) const override {
    if (records(from).empty()) return;
    append_all_marks(to, from);
    append_values_of(records(to), records(from));
  }

  void swap(BatchBase& a, BatchBase& b) const override {
    records(a).swap(records(b));
    swap_marks(a, b);
  }

  void rehome(BatchBase& batch) const override {
    if constexpr (Described<T>) {
      if constexpr (Schema<T>::kBorrows) {
        copy_borrowed(batch);
      } else {
        batch.arenas.clear();
      }
    }
  }

  std::size_t record_bytes() const override { return sizeof(T); }

  std::size_t heap_bytes(const BatchBase& batch, std::size_t first) const override {
    if constexpr (kHoldsHeap<T>) {
      const std::vector<T>& all = records(batch);
      std::size_t bytes = 0;
      for (std::size_t at = first; at < all.size(); ++at) bytes += heap_bytes_of(all[at]);
      return bytes;
    }
    return 0;
  }

  std::string describe(const BatchBase& batch, std::size_t index) const override {
    if constexpr (Described<T>) {
      std::string text;
      append_json(text, records(batch)[index]);
      return text;
    } else {
      return "(a record of a type without schema)";
    }
  }

 private:
  static std::vector<T>& records(BatchBase& batch) { return static_cast<Batch<T>&>(batch).values; }
  static const std::vector<T>& records(const BatchBase& batch) {
    return static_cast<const Batch<T>&>(batch).values;
  }

  static void copy_borrowed(BatchBase& batch) {
    if (batch.arenas.empty()) return;  // nothing borrowed, or text that lives forever
    std::size_t bytes = 0;
    for (const T& record : records(batch)) bytes += Schema<T>::borrowed_bytes(record);
    ArenaRef arena = ArenaRef::make(std::max<std::size_t>(bytes, 1));
    for (T& record : records(batch)) Schema<T>::rehome(record, *arena);
    batch.arenas.assign(1, std::move(arena));
  }
};

/// Whether the texts that a T borrows can be found, so that they can lie elsewhere.
template <class T>
inline constexpr bool kKnowsTexts = Described<T>;

/// Copies the texts that the last record borrows into `arena` and lets it point there.
template <class T>
void rehome_last(std::vector<T>& records, Arena& arena) {
  Schema<T>::rehome(records.back(), arena);
}

/// The one BatchType of T; lives as long as the process. Batches given to it must be Batch<T>.
template <class T>
const BatchType& batch_type() {
  static_assert(!std::is_same_v<T, bool>,
                "millrace: a stream of bool has no batch: use an enum, int or struct");
  static_assert(
      std::is_copy_constructible_v<T> && std::is_move_constructible_v<T>,
      "millrace: a record must be copyable and movable: hold shared things by std::shared_ptr");
  static const BatchTypeOf<T> kType;
  return kType;
}

}  // namespace millrace::detail
