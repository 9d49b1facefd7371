// The walk over one JSON line: a cursor on structural bytes, values stored by plan, failures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "record/codec_json.hpp"
#include "record/json_line_index.hpp"
#include "record/json_shape.hpp"
#include "record/json_token.hpp"

namespace millrace::detail {

inline constexpr std::size_t kJsonDepthMax = 512;

inline bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

struct JsonReader::Impl {
  Impl(const ValuePlan& plan, TimeUnit time_unit)
      : root(plan), unit(time_unit), shape(JsonShape::of(plan)) {}

  // The line.
  Decoded decode(std::string_view text, void* record, Arena& to, LineHome where);
  Decoded failed();

  // The cursor: `at` walks the positions of brackets, colons, commas and of the first bytes of
  // values.
  bool more() const { return at != end; }
  char peek() const { return more() ? line[*at] : '\0'; }
  /// The bytes from the value at the cursor up to the next structural byte, without the white space
  /// behind.
  std::string_view token() const {
    const char* const begin = line.data() + *at;
    const char* stop = at + 1 != end ? line.data() + at[1] : line.data() + line.size();
    while (is_json_space(stop[-1])) --stop;
    return {begin, static_cast<std::size_t>(stop - begin)};
  }
  /// The inside of the string at the cursor, escapes as they stand.
  std::string_view raw_string() const {
    const std::string_view quoted = token();
    return quoted.substr(1, quoted.size() - 2);
  }
  bool has_escapes(std::string_view raw) const {
    return line_has_escapes && std::memchr(raw.data(), '\\', raw.size()) != nullptr;
  }

  // Values.
  bool read_value(const ValuePlan& plan, JsonShape* inner, void* at_record);
  bool read_null(const ValuePlan& plan, void* slot);
  bool read_boolean(const ValuePlan& plan, void* value);
  bool read_integer(const ValuePlan& plan, void* value);
  bool read_real(const ValuePlan& plan, void* value);
  bool read_text(const ValuePlan& plan, void* value);
  bool read_bytes(const ValuePlan& plan, void* value);
  bool read_time(const ValuePlan& plan, void* value);
  bool read_token(const ValuePlan& plan, void* value);
  bool read_interval(const ValuePlan& plan, void* value);
  bool read_list(const ValuePlan& plan, JsonShape* inner, void* list);
  bool read_map(const ValuePlan& plan, JsonShape* inner, void* map);
  bool read_entry(const ValuePlan& plan, JsonShape* inner, void* map);
  bool read_object(JsonShape& inner, void* record);
  bool read_member(JsonShape& inner, std::size_t position, void* record, std::uint64_t& seen);
  bool find_seen(const JsonShape& inner, std::size_t position, int& member) const;
  bool find_member(JsonShape& inner, std::size_t position, int& member);
  bool finish_object(const JsonShape& inner, void* record, std::uint64_t seen);
  bool string_view_of(std::string_view& text);

  // Fields that nobody reads.
  bool skip_value(std::size_t depth);
  bool skip_string();
  bool skip_members(std::size_t depth);
  bool skip_elements(std::size_t depth);

  // Failures. All return false.
  [[gnu::cold, gnu::noinline]] bool broken(std::string_view why);
  [[gnu::cold, gnu::noinline]] bool unexpected(const ValuePlan& plan);
  [[gnu::cold, gnu::noinline]] bool bad_number(const ValuePlan& plan, NumberRead why);
  [[gnu::cold, gnu::noinline]] bool missing(const ValuePlan& plan);
  [[gnu::cold, gnu::noinline]] bool in_member(const ValuePlan& plan);
  [[gnu::cold, gnu::noinline]] bool in_part(std::string part);
  std::string found() const;

  ValuePlan root;
  TimeUnit unit;
  std::unique_ptr<JsonShape> shape;
  JsonLineIndex index;

  std::string_view line;
  const std::uint32_t* at = nullptr;
  const std::uint32_t* end = nullptr;
  Arena* arena = nullptr;
  LineHome home = LineHome::elsewhere;
  bool line_has_escapes = false;

  std::string key_scratch;
  std::string path;  ///< of the field that failed, "outer.inner"
  std::string why;   ///< what is wrong with it, or with the line when path is empty
  std::string sentence;
};

}  // namespace millrace::detail
