// JSON lines into records: a table of members by schema, walked by one compiled reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "record/arena.hpp"
#include "record/schema.hpp"

namespace millrace::detail {

/// What a line became.
enum class Decoded {
  record,
  blank,   ///< nothing but white space: not an error, and no record
  failed,  ///< see JsonDecoder::error()
};

/// Where the bytes of a line live.
enum class LineHome {
  arena,      ///< in the arena that is passed along (or one pinned beside it): text without escapes
              ///< stays there
  elsewhere,  ///< they may go: all text is copied into the arena
};

enum class JsonKind : std::uint8_t {
  boolean,
  i8,
  i16,
  i32,
  i64,
  u8,
  u16,
  u32,
  u64,
  f32,
  f64,
  string,
  view,
  timestamp,
  object
};

struct ObjectPlan;

/// How one value is read: its kind and its place in the record.
struct ValuePlan {
  std::string_view name;
  JsonKind kind = JsonKind::object;
  std::uint32_t offset = 0;            ///< bytes from the start of the record
  const ObjectPlan* object = nullptr;  ///< members of a nested struct
  void* (*engage)(void*) =
      nullptr;  ///< of an optional: makes it hold a value and returns that value's address
  void (*disengage)(void*) = nullptr;  ///< of an optional: empties it
};

/// The members of a struct in order.
struct ObjectPlan {
  std::vector<ValuePlan> members;
  std::uint64_t required = 0;  ///< bit i: member i must be there
};

/// Reads lines by plan. Not for several threads at a time.
///
/// Learns the order of the keys from the last line: while it stays the same, a key costs one
/// comparison.
class JsonReader {
 public:
  explicit JsonReader(const ValuePlan& root);
  JsonReader(JsonReader&&) noexcept;
  JsonReader& operator=(JsonReader&&) noexcept;
  ~JsonReader();

  Decoded decode(std::string_view line, void* record, Arena& arena, LineHome home);
  const std::string& error() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

template <class M>
constexpr JsonKind json_kind() {
  constexpr JsonKind kSigned[] = {JsonKind::i8, JsonKind::i16, JsonKind::i32, JsonKind::i64};
  constexpr JsonKind kUnsigned[] = {JsonKind::u8, JsonKind::u16, JsonKind::u32, JsonKind::u64};
  if constexpr (std::is_same_v<M, bool>) {
    return JsonKind::boolean;
  } else if constexpr (PlainInteger<M>) {
    constexpr std::size_t kWidth = sizeof(M) == 1 ? 0 : sizeof(M) == 2 ? 1 : sizeof(M) == 4 ? 2 : 3;
    return std::is_signed_v<M> ? kSigned[kWidth] : kUnsigned[kWidth];
  } else if constexpr (std::is_same_v<M, float>) {
    return JsonKind::f32;
  } else if constexpr (std::is_same_v<M, double>) {
    return JsonKind::f64;
  } else if constexpr (std::is_same_v<M, std::string>) {
    return JsonKind::string;
  } else if constexpr (std::is_same_v<M, std::string_view>) {
    return JsonKind::view;
  } else if constexpr (std::is_same_v<M, Timestamp>) {
    return JsonKind::timestamp;
  } else {
    return JsonKind::object;
  }
}

template <class T>
const ObjectPlan& object_plan();

template <class M>
ValuePlan value_plan(std::string_view name, std::uint32_t offset) {
  ValuePlan plan;
  if constexpr (kIsOptional<M>) {
    plan = value_plan<typename M::value_type>(name, offset);
    plan.engage = [](void* at) -> void* {
      auto& value = *static_cast<M*>(at);
      return value ? &*value : &value.emplace();
    };
    plan.disengage = [](void* at) { static_cast<M*>(at)->reset(); };
  } else {
    plan.name = name;
    plan.kind = json_kind<M>();
    plan.offset = offset;
    if constexpr (json_kind<M>() == JsonKind::object) plan.object = &object_plan<M>();
  }
  return plan;
}

/// The plan of struct T, built on first use.
template <class T>
const ObjectPlan& object_plan() {
  static const ObjectPlan kPlan = [] {
    ObjectPlan plan;
    const T record{};
    const auto* const start = reinterpret_cast<const char*>(&record);
    Schema<T>::for_each(record, [&]<class M>(std::string_view name, const M& member) {
      const auto offset = reinterpret_cast<const char*>(&member) - start;
      if (!kIsOptional<M>) plan.required |= std::uint64_t{1} << plan.members.size();
      plan.members.push_back(value_plan<M>(name, static_cast<std::uint32_t>(offset)));
    });
    return plan;
  }();
  return kPlan;
}

/// Decodes JSON lines into T: a struct from an object, a scalar from a bare value.
///
/// Keys match a member's name exactly or as snake_case = camelCase; unknown keys are skipped; of a
/// key that comes twice the last counts. A member that is missing is an error unless it is an
/// optional, which is then empty. null empties an optional and a text, and is an error for anything
/// else. A timestamp is ISO 8601 text, or a whole number of milliseconds since 1970. Numbers must
/// fit their member; integers have no fraction and no exponent. The whole line is checked, unknown
/// fields too: JSON grammar, UTF-8, nothing behind the value.
///
/// Cost: no allocation once warm, except by std::string members. One thread at a time.
template <class T>
class JsonDecoder {
  static_assert(sizeof(RequireDescribed<T>) > 0);
  static_assert(
      !kIsTuple<T>,
      "millrace: JSON lines are decoded into a struct or a scalar, not into a pair or tuple");

 public:
  JsonDecoder() : reader_(value_plan<T>("", 0)) {}

  /// Reads one line without its '\n' (a '\r' before it is white space). Nothing behind the line is
  /// read: it needs no padding. `out` may be partly written when the line failed.
  Decoded decode(std::string_view line, T& out, Arena& arena, LineHome home) {
    return reader_.decode(line, &out, arena, home);
  }

  /// Why the last line failed: a sentence that names the field and what was found.
  const std::string& error() const { return reader_.error(); }

 private:
  JsonReader reader_;
};

}  // namespace millrace::detail
