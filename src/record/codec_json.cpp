// Walks simdjson's structural index of one line and stores values by plan.
#include "record/codec_json.hpp"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "base/text.hpp"
#include "record/json_shape.hpp"
#include "record/json_token.hpp"

namespace millrace::detail {

namespace {

constexpr std::size_t kDepthMax = 512;
constexpr std::size_t kKeptLineBytesMax = 1u << 20;
constexpr std::size_t kFirstLineBytesMax = 1u << 14;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

struct JsonReader::Impl {
  explicit Impl(const ValuePlan& plan) : root(plan) {
    if (root.object) shape = std::make_unique<JsonShape>(*root.object);
  }

  // The line.
  Decoded decode(std::string_view text, void* record, Arena& to, LineHome where);
  bool index_line();
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
    while (is_space(stop[-1])) --stop;
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
  bool read_time(const ValuePlan& plan, void* value);
  bool read_object(JsonShape& inner, void* record);
  bool read_member(JsonShape& inner, std::size_t position, void* record, std::uint64_t& seen);
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
  [[gnu::cold, gnu::noinline]] bool bad_index(simdjson::error_code code);
  std::string found() const;

  ValuePlan root;
  std::unique_ptr<JsonShape> shape;
  std::unique_ptr<simdjson::internal::dom_parser_implementation> indexer;
  std::size_t line_bytes_max = 0;

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

// ---- the line ----

Decoded JsonReader::Impl::decode(std::string_view text, void* record, Arena& to, LineHome where) {
  line = text;
  arena = &to;
  home = where;
  path.clear();
  why.clear();
  at = end = nullptr;
  if (!index_line()) return why.empty() ? Decoded::blank : failed();
  line_has_escapes = std::memchr(line.data(), '\\', line.size()) != nullptr;
  if (!read_value(root, shape.get(), record)) return failed();
  if (more()) {
    broken("expected the end of the line");
    return failed();
  }
  return Decoded::record;
}

/// Runs simdjson's first stage: UTF-8 and strings are checked, structural bytes found. It copies
/// the last 64 bytes of a text into a buffer of its own, so nothing behind the line is read. False:
/// blank or failed.
bool JsonReader::Impl::index_line() {
  if (line.size() > line_bytes_max ||
      (line_bytes_max > kKeptLineBytesMax && line.size() < kFirstLineBytesMax)) {
    const std::size_t wanted = std::max(kFirstLineBytesMax, std::bit_ceil(line.size()));
    const auto code = indexer
                          ? indexer->set_capacity(wanted)
                          : simdjson::get_active_implementation()->create_dom_parser_implementation(
                                wanted, kDepthMax, indexer);
    line_bytes_max = code == simdjson::SUCCESS ? wanted : 0;
    if (code != simdjson::SUCCESS) return bad_index(code);
  }
  if (line.empty()) return false;
  const auto code = indexer->stage1(reinterpret_cast<const std::uint8_t*>(line.data()), line.size(),
                                    simdjson::stage1_mode::regular);
  if (code != simdjson::SUCCESS) return code == simdjson::EMPTY ? false : bad_index(code);
  at = indexer->structural_indexes.get();
  end = at + indexer->n_structural_indexes;
  return true;
}

Decoded JsonReader::Impl::failed() {
  sentence.clear();
  if (path.empty()) {
    sentence = why;
  } else {
    sentence.append("field \"").append(path).append("\"").append(why);
  }
  return Decoded::failed;
}

// ---- values ----

/// Reads the value at the cursor into its slot in the record and moves behind it.
bool JsonReader::Impl::read_value(const ValuePlan& plan, JsonShape* inner, void* at_record) {
  void* slot = static_cast<char*>(at_record) + plan.offset;
  if (peek() == 'n') return read_null(plan, slot);
  if (plan.engage) slot = plan.engage(slot);
  switch (plan.kind) {
    case JsonKind::boolean: return read_boolean(plan, slot);
    case JsonKind::f32:
    case JsonKind::f64: return read_real(plan, slot);
    case JsonKind::string:
    case JsonKind::view: return read_text(plan, slot);
    case JsonKind::timestamp: return read_time(plan, slot);
    case JsonKind::object: return peek() == '{' ? read_object(*inner, slot) : unexpected(plan);
    default: return read_integer(plan, slot);
  }
}

bool JsonReader::Impl::read_null(const ValuePlan& plan, void* slot) {
  if (token() != "null") return broken("expected a value");
  if (plan.disengage) {
    plan.disengage(slot);
  } else if (plan.kind == JsonKind::view) {
    *static_cast<std::string_view*>(slot) = {};
  } else if (plan.kind == JsonKind::string) {
    static_cast<std::string*>(slot)->clear();
  } else {
    return unexpected(plan);
  }
  ++at;
  return true;
}

bool JsonReader::Impl::read_boolean(const ValuePlan& plan, void* value) {
  if (peek() != 't' && peek() != 'f') return unexpected(plan);
  const std::string_view word = token();
  if (word != "true" && word != "false") return broken("expected a value");
  *static_cast<bool*>(value) = word.size() == 4;
  ++at;
  return true;
}

bool JsonReader::Impl::read_integer(const ValuePlan& plan, void* value) {
  const char first = peek();
  if (first != '-' && (first < '0' || first > '9')) return unexpected(plan);
  NumberRead read;
  std::uint64_t bits = 0;
  if (plan.kind == JsonKind::u64) {
    read = read_json_unsigned(token(), bits);
  } else {
    const IntegerLimits limits = limits_of(plan.kind);
    std::int64_t number = 0;
    read = read_json_integer(token(), limits.min, limits.max, number);
    bits = static_cast<std::uint64_t>(number);
  }
  if (read != NumberRead::ok) return bad_number(plan, read);
  store_integer(value, plan.kind, bits);
  ++at;
  return true;
}

bool JsonReader::Impl::read_real(const ValuePlan& plan, void* value) {
  const char first = peek();
  if (first != '-' && (first < '0' || first > '9')) return unexpected(plan);
  double number = 0;
  const NumberRead read = read_json_double(token(), number);
  if (read != NumberRead::ok) return bad_number(plan, read);
  if (plan.kind == JsonKind::f64) {
    *static_cast<double*>(value) = number;
  } else {
    constexpr double kMax = std::numeric_limits<float>::max();
    if (number > kMax || number < -kMax) return bad_number(plan, NumberRead::out_of_range);
    *static_cast<float*>(value) = static_cast<float>(number);
  }
  ++at;
  return true;
}

/// The text of the string at the cursor: a view of the line when it has no escapes, else written to
/// the arena.
bool JsonReader::Impl::string_view_of(std::string_view& text) {
  text = raw_string();
  if (!has_escapes(text)) return true;
  char* const begin = arena->allocate(text.size());
  char* const stop = unescape_json(text, begin);
  if (!stop) return broken("an escape in a text is wrong");
  text = {begin, static_cast<std::size_t>(stop - begin)};
  return true;
}

bool JsonReader::Impl::read_text(const ValuePlan& plan, void* value) {
  if (peek() != '"') return unexpected(plan);
  if (plan.kind == JsonKind::view) {
    auto& view = *static_cast<std::string_view*>(value);
    const std::string_view raw = raw_string();
    if (!string_view_of(view)) return false;
    if (home == LineHome::elsewhere && view.data() == raw.data()) view = arena->intern(view);
  } else {
    auto& text = *static_cast<std::string*>(value);
    const std::string_view raw = raw_string();
    text.assign(raw);
    if (has_escapes(raw)) {
      char* const stop = unescape_json(raw, text.data());
      if (!stop) return broken("an escape in a text is wrong");
      text.resize(static_cast<std::size_t>(stop - text.data()));
    }
  }
  ++at;
  return true;
}

bool JsonReader::Impl::read_time(const ValuePlan& plan, void* value) {
  auto& time = *static_cast<Timestamp*>(value);
  if (peek() == '"') {
    std::string_view text;
    if (!string_view_of(text)) return false;
    const auto micros = parse_iso_time(text);
    if (!micros) return unexpected(plan);
    time.micros = *micros;
  } else {
    const char first = peek();
    if (first != '-' && (first < '0' || first > '9')) return unexpected(plan);
    std::int64_t millis = 0;
    const NumberRead read = read_json_integer(token(), kTimeMin / 1'000, kTimeMax / 1'000, millis);
    if (read != NumberRead::ok) return bad_number(plan, read);
    time.micros = millis * 1'000;
  }
  ++at;
  return true;
}

bool JsonReader::Impl::read_object(JsonShape& inner, void* record) {
  std::uint64_t seen = 0;
  ++at;
  if (peek() == '}') {
    ++at;
    return finish_object(inner, record, seen);
  }
  for (std::size_t position = 0;; ++position) {
    if (!read_member(inner, position, record, seen)) return false;
    const char next = peek();
    if (next != ',' && next != '}') return broken("expected ',' or '}' after a field");
    ++at;
    if (next == '}') return finish_object(inner, record, seen);
  }
}

bool JsonReader::Impl::read_member(JsonShape& inner, std::size_t position, void* record,
                                   std::uint64_t& seen) {
  if (peek() != '"') return broken("expected a field name in quotes");
  std::string_view key = raw_string();
  int member = kNoMember;
  if (has_escapes(key)) {
    key_scratch.resize(key.size());
    const char* const stop = unescape_json(key, key_scratch.data());
    if (!stop) return broken("an escape in a field name is wrong");
    member = inner.find({key_scratch.data(), static_cast<std::size_t>(stop - key_scratch.data())});
  } else {
    member = inner.find_at(position, key);
  }
  ++at;
  if (peek() != ':') return broken("expected ':' after a field name");
  ++at;
  if (member == kNoMember) return skip_value(0);
  const auto index = static_cast<std::size_t>(member);
  seen |= std::uint64_t{1} << index;
  const ValuePlan& plan = inner.plan.members[index];
  return read_value(plan, inner.nested[index].get(), record) || in_member(plan);
}

/// Empties optionals that were not there and refuses when anything else was not.
bool JsonReader::Impl::finish_object(const JsonShape& inner, void* record, std::uint64_t seen) {
  const auto& members = inner.plan.members;
  const std::uint64_t lacking = inner.plan.required & ~seen;
  if (lacking != 0) return missing(members[static_cast<std::size_t>(std::countr_zero(lacking))]);
  const std::uint64_t all = ~std::uint64_t{0} >> (64 - members.size());
  for (std::uint64_t absent = all & ~seen; absent != 0; absent &= absent - 1) {
    const ValuePlan& plan = members[static_cast<std::size_t>(std::countr_zero(absent))];
    plan.disengage(static_cast<char*>(record) + plan.offset);
  }
  return true;
}

// ---- fields that nobody reads ----

bool JsonReader::Impl::skip_value(std::size_t depth) {
  if (depth >= kDepthMax) return broken("nested deeper than 512 levels");
  switch (peek()) {
    case '"': return skip_string();
    case '{': return skip_members(depth);
    case '[': return skip_elements(depth);
    case 't':
      if (token() != "true") return broken("expected a value");
      break;
    case 'f':
      if (token() != "false") return broken("expected a value");
      break;
    case 'n':
      if (token() != "null") return broken("expected a value");
      break;
    default:
      if (!more() || !is_json_number(token())) return broken("expected a value");
  }
  ++at;
  return true;
}

bool JsonReader::Impl::skip_string() {
  if (line_has_escapes) {
    const std::string_view raw = raw_string();
    if (has_escapes(raw)) {
      key_scratch.resize(raw.size());
      if (!unescape_json(raw, key_scratch.data())) return broken("an escape in a text is wrong");
    }
  }
  ++at;
  return true;
}

bool JsonReader::Impl::skip_members(std::size_t depth) {
  ++at;
  if (peek() == '}') {
    ++at;
    return true;
  }
  while (true) {
    if (peek() != '"') return broken("expected a field name in quotes");
    if (!skip_string()) return false;
    if (peek() != ':') return broken("expected ':' after a field name");
    ++at;
    if (!skip_value(depth + 1)) return false;
    const char next = peek();
    if (next != ',' && next != '}') return broken("expected ',' or '}' after a field");
    ++at;
    if (next == '}') return true;
  }
}

bool JsonReader::Impl::skip_elements(std::size_t depth) {
  ++at;
  if (peek() == ']') {
    ++at;
    return true;
  }
  while (true) {
    if (!skip_value(depth + 1)) return false;
    const char next = peek();
    if (next != ',' && next != ']') return broken("expected ',' or ']' after an element");
    ++at;
    if (next == ']') return true;
  }
}

// ---- failures ----

/// The line is not JSON; wins over what a field says.
bool JsonReader::Impl::broken(std::string_view reason) {
  const std::size_t byte = more() ? *at : line.size();
  path.clear();
  why = "not valid JSON at byte " + std::to_string(byte + 1) + ": ";
  why += reason;
  if (more()) {
    why += ", found " + found();
  } else {
    why += ", found the end of the line";
  }
  at = nullptr;  // tells in_member() that the line failed, not a field
  return false;
}

bool JsonReader::Impl::unexpected(const ValuePlan& plan) {
  if (!more()) return broken("expected a value");
  const char first = peek();
  const bool is_value = first == '"' || first == '{' || first == '[';
  if (!is_value && token() != "true" && token() != "false" && token() != "null" &&
      !is_json_number(token())) {
    return broken("expected a value");
  }
  why = plan.name.empty() ? "expected " : ": expected ";
  why += wanted_text(plan.kind);
  why += ", found " + found();
  return false;
}

bool JsonReader::Impl::bad_number(const ValuePlan& plan, NumberRead reason) {
  if (reason == NumberRead::malformed) return broken("expected a number");
  if (reason == NumberRead::not_integer) return unexpected(plan);
  why = plan.name.empty() ? "" : ": ";
  why += found() + " is out of range";
  if (plan.kind == JsonKind::u64) {
    why += " (0 to " + std::to_string(std::numeric_limits<std::uint64_t>::max()) + ")";
  } else if (plan.kind >= JsonKind::i8 && plan.kind < JsonKind::u64) {
    const IntegerLimits limits = limits_of(plan.kind);
    why += " (" + std::to_string(limits.min) + " to " + std::to_string(limits.max) + ")";
  }
  return false;
}

bool JsonReader::Impl::missing(const ValuePlan& plan) {
  path = plan.name;
  why = " is missing";
  return false;
}

/// Puts the member's name before the path of what failed in it.
bool JsonReader::Impl::in_member(const ValuePlan& plan) {
  if (at == nullptr) return false;
  path = path.empty() ? std::string(plan.name) : std::string(plan.name) + "." + path;
  return false;
}

bool JsonReader::Impl::bad_index(simdjson::error_code code) {
  if (!valid_utf8(line)) {
    why = "the text is not valid UTF-8";
  } else if (code == simdjson::UNCLOSED_STRING) {
    why = "not valid JSON: a text is not closed by a quote before the line ends";
  } else if (code == simdjson::UNESCAPED_CHARS) {
    why = "not valid JSON: a text holds a control character that is not escaped";
  } else {
    why = std::string("the line cannot be indexed: ") + simdjson::error_message(code);
  }
  return false;
}

/// The value or mark at the cursor for a message: its kind and its beginning.
std::string JsonReader::Impl::found() const {
  const char first = peek();
  if (first == '{') return "an object";
  if (first == '[') return "an array";
  if (std::strchr("}]:,", first) != nullptr) return std::string("'") + first + "'";
  return describe_json_token(token());
}

// ---- the interface ----

JsonReader::JsonReader(const ValuePlan& root) : impl_(std::make_unique<Impl>(root)) {}
JsonReader::JsonReader(JsonReader&&) noexcept = default;
JsonReader& JsonReader::operator=(JsonReader&&) noexcept = default;
JsonReader::~JsonReader() = default;

Decoded JsonReader::decode(std::string_view line, void* record, Arena& arena, LineHome home) {
  return impl_->decode(line, record, arena, home);
}

const std::string& JsonReader::error() const { return impl_->sentence; }

}  // namespace millrace::detail
