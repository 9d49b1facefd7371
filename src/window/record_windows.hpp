// Windows by records: so many records of a key, and for each record the last ones of its key.
#pragma once

#include <concepts>
#include <numeric>
#include <string>
#include <utility>
#include <variant>

#include "base/status.hpp"
#include "window/by_clock.hpp"
#include "window/two_stacks.hpp"

namespace millrace {

/// So many records of a key, again and again; made by count_window().
struct CountWindows {
  std::uint64_t size;
  std::uint64_t slide;

  /// Internal: 2005 unless 0 < slide <= size.
  Status validate() const;
  /// Internal: "count_window(1000, 100)".
  std::string to_string() const;
};

/// For each record the last `count` of its key, itself among them; made by last().
struct LastRecords {
  std::uint64_t count;

  Status validate() const;
  std::string to_string() const;
};

/// For each record those of its key in (its time - span, its time], up to itself; made by last().
struct LastSpan {
  Duration span;

  /// The same by the wall clock, of records with and without event times; a row comes up to 100 ms
  /// after its record.
  ByClock<LastSpan> by_clock() const { return {*this}; }

  Status validate() const;
  std::string to_string() const;
};

/// What last(...) says.
using HowFarBack = std::variant<LastRecords, LastSpan>;

/// Windows of `size` records of a key side by side; one that is not full emits nothing.
inline CountWindows count_window(std::uint64_t size) { return {size, size}; }
/// Windows of the last `size` records of a key, after every `slide` records, as soon as there are
/// `size`.
inline CountWindows count_window(std::uint64_t size, std::uint64_t slide) { return {size, slide}; }

/// For over(): the last `count` records, fewer at the beginning; for windows: see last() of theirs.
template <std::integral N>
LastRecords last(N count) {
  return {count < 0 ? 0 : static_cast<std::uint64_t>(count)};
}
/// For over(): the records of the last span: those of times in (now - span, now].
template <class Rep, class Period>
LastSpan last(std::chrono::duration<Rep, Period> span) {
  return {std::chrono::duration_cast<Duration>(span)};
}

namespace detail {

/// What a key holds for a kind of windows. add(spec, time, one, merge, emit) takes the next record
/// as an accumulator of its own and calls emit(start, const Acc&) when a window ends with it;
/// over_at(spec): beyond that watermark the key need not be held, kTimeMax: never; open(spec,
/// merge): what the next window holds so far, or the last one for windows that each record ends.
template <class Spec, class Acc>
class Held;

template <class Acc>
class Held<CountWindows, Acc> {
 public:
  explicit Held(MemoryMeter* meter) : panes_(meter) {}

  template <class Merge, class Emit>
  void add(const CountWindows& spec, Time time, Acc one, Merge&& merge, Emit&& emit) {
    if (open_) {
      merge(*open_, std::as_const(one));
    } else {
      open_ = std::move(one);
      opened_ = time;
    }
    ++seen_;
    const std::uint64_t pane = std::gcd(spec.size, spec.slide);
    if (seen_ % pane != 0) return;
    panes_.push(opened_, *std::exchange(open_, std::nullopt), merge);
    if (panes_.size() > spec.size / pane) panes_.pop(merge);
    if (seen_ < spec.size || (seen_ - spec.size) % spec.slide != 0) return;
    emit(panes_.front_time(), panes_.all(merge));
  }
  Time over_at(const CountWindows&) const { return kTimeMax; }
  template <class Merge>
  std::optional<Acc> open(const CountWindows& spec, Merge&& merge) const {
    const std::uint64_t full = seen_ < spec.size ? 0 : (seen_ - spec.size) / spec.slide + 1;
    const std::uint64_t begin = full * spec.slide;  // of the next window
    const std::uint64_t pane = std::gcd(spec.size, spec.slide);
    std::optional<Acc> acc = panes_.newest(seen_ / pane - begin / pane, merge);
    if (!open_) return acc;
    if (!acc) return open_;
    merge(*acc, *open_);
    return acc;
  }
  /// See TwoStacks, as all below.
  template <class Visit>
  void for_each(Visit&& visit) const {
    panes_.for_each(visit);
    if (open_) visit(*open_);
  }
  template <class Store>
  void store(std::string& out, Store&& store) const {
    panes_.store(out, store);
    put_number(out, opened_);
    put_number(out, seen_);
    out.push_back(open_ ? '\1' : '\0');
    if (open_) store(out, *open_);
  }
  template <class Load>
  bool load(BytesCursor& in, Load&& load) {
    if (!panes_.load(in, load)) return false;
    opened_ = in.number<Time>();
    seen_ = in.number<std::uint64_t>();
    const bool open = in.number<std::uint8_t>() == 1;
    if (open) open_ = load(in);
    return in.ok() && open == open_.has_value();
  }

 private:
  TwoStacks<Acc> panes_;     ///< of the greatest common divisor of size and slide
  std::optional<Acc> open_;  ///< the pane that is not full
  Time opened_ = 0;          ///< time of its first record
  std::uint64_t seen_ = 0;
};

template <class Acc>
class Held<LastRecords, Acc> {
 public:
  explicit Held(MemoryMeter* meter) : records_(meter) {}

  template <class Merge, class Emit>
  void add(const LastRecords& spec, Time time, Acc one, Merge&& merge, Emit&& emit) {
    records_.push(time, std::move(one), merge);
    if (records_.size() > spec.count) records_.pop(merge);
    emit(records_.front_time(), records_.all(merge));
  }
  Time over_at(const LastRecords&) const { return kTimeMax; }
  template <class Merge>
  std::optional<Acc> open(const LastRecords&, Merge&& merge) const {
    return records_.newest(records_.size(), merge);
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    records_.for_each(visit);
  }
  template <class Store>
  void store(std::string& out, Store&& store) const {
    records_.store(out, store);
  }
  template <class Load>
  bool load(BytesCursor& in, Load&& load) {
    return records_.load(in, load);
  }

 private:
  TwoStacks<Acc> records_;
};

template <class Acc>
class Held<LastSpan, Acc> {
 public:
  explicit Held(MemoryMeter* meter) : records_(meter) {}

  template <class Merge, class Emit>
  void add(const LastSpan& spec, Time time, Acc one, Merge&& merge, Emit&& emit) {
    const Time before = saturating_add(time, -spec.span.count());
    records_.push(time, std::move(one), merge);
    while (records_.front_time() <= before && records_.size() > 1) records_.pop(merge);
    newest_ = time;
    emit(saturating_add(before, 1), records_.all(merge));
  }
  Time over_at(const LastSpan& spec) const { return saturating_add(newest_, spec.span.count()); }
  template <class Merge>
  std::optional<Acc> open(const LastSpan&, Merge&& merge) const {
    return records_.newest(records_.size(), merge);
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    records_.for_each(visit);
  }
  template <class Store>
  void store(std::string& out, Store&& store) const {
    records_.store(out, store);
    put_number(out, newest_);
  }
  template <class Load>
  bool load(BytesCursor& in, Load&& load) {
    const bool fits = records_.load(in, load);
    newest_ = in.number<Time>();
    return fits && in.ok();
  }

 private:
  TwoStacks<Acc> records_;
  Time newest_ = kTimeMin;
};

}  // namespace detail
}  // namespace millrace
