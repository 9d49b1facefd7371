// JSON lines into records: the line, and values stored by plan.
#include "record/codec_json.hpp"

#include <bit>
#include <cstring>
#include <limits>

#include "record/bytes_text.hpp"
#include "record/json_walker.hpp"

namespace millrace::detail {

Decoded JsonReader::Impl::decode(std::string_view text, void* record, Arena& to, LineHome where) {
  line = text;
  arena = &to;
  home = where;
  path.clear();
  why.clear();
  if (!index.read(line, why)) return why.empty() ? Decoded::blank : failed();
  at = index.begin();
  end = index.end();
  line_has_escapes = std::memchr(line.data(), '\\', line.size()) != nullptr;
  if (!read_value(root, shape.get(), record)) return failed();
  if (more()) {
    broken("expected the end of the line");
    return failed();
  }
  return Decoded::record;
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

/// Reads the value at the cursor into its slot in the record and moves behind it.
bool JsonReader::Impl::read_value(const ValuePlan& plan, JsonShape* inner, void* at_record) {
  void* slot = static_cast<char*>(at_record) + plan.offset;
  if (peek() == 'n') return read_null(plan, slot);
  if (plan.engage) slot = plan.engage(slot);
  switch (plan.kind) {
    case ValueKind::boolean:
      return read_boolean(plan, slot);
    case ValueKind::f32:
    case ValueKind::f64:
      return read_real(plan, slot);
    case ValueKind::string:
    case ValueKind::view:
      return read_text(plan, slot);
    case ValueKind::bytes:
      return read_bytes(plan, slot);
    case ValueKind::timestamp:
      return read_time(plan, slot);
    case ValueKind::object:
      return peek() == '{' ? read_object(*inner, slot) : unexpected(plan);
    case ValueKind::list:
      return peek() == '[' ? read_list(plan, inner, slot) : unexpected(plan);
    case ValueKind::map:
      return peek() == '{' ? read_map(plan, inner, slot) : unexpected(plan);
    case ValueKind::interval:
    case ValueKind::letter:
    case ValueKind::decimal:
    case ValueKind::enumeration:
      return read_token(plan, slot);
    default:
      return read_integer(plan, slot);
  }
}

bool JsonReader::Impl::read_null(const ValuePlan& plan, void* slot) {
  if (token() != "null") return broken("expected a value");
  if (plan.disengage) {
    plan.disengage(slot);
  } else if (plan.kind == ValueKind::view) {
    *static_cast<std::string_view*>(slot) = {};
  } else if (plan.kind == ValueKind::string) {
    static_cast<std::string*>(slot)->clear();
  } else if (plan.kind == ValueKind::list || plan.kind == ValueKind::map) {
    plan.items->clear(slot);
  } else if (plan.kind == ValueKind::bytes) {
    *static_cast<Bytes*>(slot) = {};
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
  if (plan.kind == ValueKind::u64) {
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
  if (plan.kind == ValueKind::f64) {
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
  if (plan.kind == ValueKind::view) {
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

bool JsonReader::Impl::read_bytes(const ValuePlan& plan, void* value) {
  if (peek() != '"') return unexpected(plan);
  std::string_view text;
  if (!string_view_of(text)) return false;
  if (!read_base64(text, *arena, *static_cast<Bytes*>(value))) return unexpected(plan);
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
    if (!is_json_number(token())) return broken("expected a number");
    const auto micros = parse_epoch_time(token(), unit);
    const bool has_exponent = token().find_first_of("eE") != std::string_view::npos;
    if (!micros && has_exponent) return unexpected(plan);
    if (!micros) return bad_number(plan, NumberRead::out_of_range);
    time.micros = *micros;
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

/// The usual case: the key at the cursor is the one that stood here in the last object.
bool JsonReader::Impl::find_seen(const JsonShape& inner, std::size_t position, int& member) const {
  const std::size_t inside = *at + 1;
  if (position >= JsonShape::kPositionsMax) return false;
  const SeenKey& seen = inner.order[position];
  if (inside + seen.bytes() <= line.size()) {
    if (!seen.matches(line.data() + inside)) return false;
  } else {
    char padded[SeenKey::kBytes] = {};
    std::memcpy(padded, line.data() + inside, line.size() - inside);
    if (!seen.matches(padded)) return false;
  }
  member = seen.member();
  return true;
}

bool JsonReader::Impl::find_member(JsonShape& inner, std::size_t position, int& member) {
  const std::string_view key = raw_string();
  if (!has_escapes(key)) {
    member = inner.learn(position, key);
    return true;
  }
  key_scratch.resize(key.size());
  const char* const stop = unescape_json(key, key_scratch.data());
  if (!stop) return broken("an escape in a field name is wrong");
  member = inner.find({key_scratch.data(), static_cast<std::size_t>(stop - key_scratch.data())});
  return true;
}

bool JsonReader::Impl::read_member(JsonShape& inner, std::size_t position, void* record,
                                   std::uint64_t& seen) {
  if (peek() != '"') return broken("expected a field name in quotes");
  int member = kNoMember;
  if (!find_seen(inner, position, member) && !find_member(inner, position, member)) return false;
  ++at;
  if (peek() != ':') return broken("expected ':' after a field name");
  ++at;
  if (member == kNoMember) return skip_value(0);
  const auto which = static_cast<std::size_t>(member);
  seen |= std::uint64_t{1} << which;
  const ValuePlan& plan = inner.plan.members[which];
  return read_value(plan, inner.nested[which].get(), record) || in_member(plan);
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

JsonReader::JsonReader(const ValuePlan& root, TimeUnit unit)
    : impl_(std::make_unique<Impl>(root, unit)) {}
JsonReader::JsonReader(JsonReader&&) noexcept = default;
JsonReader& JsonReader::operator=(JsonReader&&) noexcept = default;
JsonReader::~JsonReader() = default;

Decoded JsonReader::decode(std::string_view line, void* record, Arena& arena, LineHome home) {
  return impl_->decode(line, record, arena, home);
}

const std::string& JsonReader::error() const { return impl_->sentence; }

}  // namespace millrace::detail
