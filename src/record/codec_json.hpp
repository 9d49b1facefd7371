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
#include "record/value_plan.hpp"

namespace millrace::detail {

/// Reads lines by plan. Not for several threads at a time.
///
/// Learns the order of the keys from the last line: while it stays the same, a key costs one
/// comparison.
class JsonReader {
 public:
  explicit JsonReader(const ValuePlan& root, TimeUnit unit = TimeUnit::milliseconds);
  JsonReader(JsonReader&&) noexcept;
  JsonReader& operator=(JsonReader&&) noexcept;
  ~JsonReader();

  Decoded decode(std::string_view line, void* record, Arena& arena, LineHome home);
  const std::string& error() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Decodes JSON lines into T: a struct from an object, a scalar from a bare value.
///
/// Keys match a member's name exactly or as snake_case = camelCase; unknown keys are skipped; of a
/// key that comes twice the last counts. A member that is missing is an error unless it is an
/// optional, which is then empty. null empties an optional, a text, a list and a map, and is an
/// error for anything else. A timestamp is ISO 8601 text (without a zone it is UTC), or a number
/// since 1970. An interval is text as of parse_interval(), or seconds. A decimal is a number or a
/// text that holds one, with no more places than its scale; an enum is the name of a value or its
/// number; a char a text of one byte;
/// Bytes are base64 text. Numbers must fit their member; integers have no fraction and no exponent.
/// The whole line is checked, unknown fields too: JSON grammar, UTF-8, nothing behind the value.
///
/// Cost: no allocation once warm, except by std::string members. One thread at a time.
template <class T>
class JsonDecoder {
  static_assert(sizeof(RequireDescribed<T>) > 0);
  static_assert(
      !kIsTuple<T>,
      "millrace: JSON lines are decoded into a struct or a scalar, not into a pair or tuple");

 public:
  /// `unit` is what a number for a timestamp counts.
  explicit JsonDecoder(TimeUnit unit = TimeUnit::milliseconds)
      : reader_(value_plan<T>("", 0), unit) {}

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
