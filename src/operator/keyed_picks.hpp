// Deduplicate, latest and throttle: which records of a key are let through, by its state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "operator/processor.hpp"
#include "record/stored_value.hpp"
#include "state/state_image.hpp"

namespace millrace {

namespace detail {

/// Lets a record through unless one of its key was let through less than `within` before.
template <class T, class K>
struct KeepFirst {
  ValueState<bool> kept;

  auto states() { return std::tie(kept); }
  void process(const T& record, KeyedContext<K>&, Output<T>& out) {
    if (kept) return;
    kept.set(true);
    out.emit(record);
  }
};

/// What records that are held as texts are.
inline constexpr std::string_view kFormPart = ":form";

/// How a record is held in the state of its key: as itself.
template <class T>
struct HeldRecord {
  using State = T;
  const T& hold(const T& record) const { return record; }
  const T& read(const T& held) const { return held; }
  void emit(const T& held, Output<T>& out) const { out.emit(held); }
};

/// True for records that are bytes and views of texts.
template <class T>
concept BytesAndViews =
    Described<T> && Schema<T>::kBorrows && std::is_trivially_copy_constructible_v<T> &&
    std::is_trivially_destructible_v<T> && std::is_default_constructible_v<T>;

/// One that borrows texts: as an image stores it. The state of a key is then a text, whatever the
/// record: that this is of the same members is a part of the image of its own.
template <BytesAndViews T>
struct HeldRecord<T> {
  using State = std::string;
  std::string hold(const T& record) const {
    std::string bytes;
    bytes.reserve(sizeof(T) + Schema<T>::borrowed_bytes(record));
    store_value(bytes, record);
    return bytes;
  }
  /// Borrows its texts from `held`.
  T read(const std::string& held) const {
    T record{};
    BytesCursor in(held);
    (void)load_value(in, record);
    return record;
  }
  void emit(const std::string& held, Output<T>& out) const { out.emit(read(held)); }
  void save(StateWriter& writer) const { writer.task_part(kFormPart, stored_shape<T>()); }
  void restore(StateReader& reader) const {
    reader.each(kFormPart, [&](const StatePart& part) {
      if (part.shape != stored_shape<T>())
        reader.refuse(part, other_shape(part.shape, stored_shape<T>()).message());
    });
  }
};

/// The span of a key begins with its first record; when it is over the latest record goes.
template <class T, class K>
struct KeepLast {
  std::int64_t within = 0;
  ValueState<typename HeldRecord<T>::State> last;
  ValueState<Time> seen;  // its time
  HeldRecord<T> form = {};

  auto states() { return std::tie(last, seen); }
  HeldRecord<T>& held_form() { return form; }
  void process(const T& record, KeyedContext<K>& context, Output<T>&) {
    if (!last) context.timers().at(saturating_add(context.time(), within - 1));
    if (seen && *seen > context.time()) return;
    last.set(form.hold(record));
    seen.set(context.time());
  }
  void on_timer(Time, KeyedContext<K>&, Output<T>& out) {
    form.emit(*last, out);
    last.clear();
    seen.clear();
  }
};

/// Lets a record through while fewer than `limit` of its key passed in the span (time - per, time].
template <class T, class K>
struct Throttle {
  std::uint32_t limit = 1;
  std::int64_t per = 0;
  ListState<Time> passed;

  auto states() { return std::tie(passed); }
  void process(const T& record, KeyedContext<K>& context, Output<T>& out) {
    const Time over = saturating_add(context.time(), -per);
    if (!passed.empty() && *passed.begin() <= over)
      passed.erase_if([over](Time time) { return time <= over; });
    if (passed.size() >= limit) return;
    passed.add(context.time());
    out.emit(record);
  }
};

}  // namespace detail
}  // namespace millrace
