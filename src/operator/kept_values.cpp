// One function a kind of form.
#include "operator/kept_values.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "operator/kept_words.hpp"
#include "record/record_json.hpp"

namespace millrace::detail {
namespace {

using Form = StoredForm::Kind;

bool number_is(Telling& to, double number) {
  append_json_number(to.out, number);
  return to.in.ok();
}

/// A text, or the record that is held as one.
bool text_of(Telling& to) {
  const std::string_view text = to.in.take(to.in.varint());
  if (!to.in.ok()) return false;
  if (to.records == nullptr || !*to.records || !(*to.records)(to.out, text))
    append_json_string(to.out, text);
  return true;
}

template <class N>
bool integer_of(Telling& to) {
  append_json_value(to.out, to.in.number<N>());
  return to.in.ok();
}

bool scalar_of(Telling& to, const StoredForm& form) {
  switch (form.scalar) {
    case ValueKind::boolean:
      to.out += to.in.number<std::uint8_t>() != 0 ? "true" : "false";
      return to.in.ok();
    case ValueKind::letter:
      return integer_of<char>(to);
    case ValueKind::i8:
      return integer_of<std::int8_t>(to);
    case ValueKind::i16:
      return integer_of<std::int16_t>(to);
    case ValueKind::i32:
      return integer_of<std::int32_t>(to);
    case ValueKind::i64:
      return integer_of<std::int64_t>(to);
    case ValueKind::u8:
      return integer_of<std::uint8_t>(to);
    case ValueKind::u16:
      return integer_of<std::uint16_t>(to);
    case ValueKind::u32:
      return integer_of<std::uint32_t>(to);
    case ValueKind::u64:
      return integer_of<std::uint64_t>(to);
    case ValueKind::f32:
      append_json_number(to.out, to.in.number<float>());
      return to.in.ok();
    case ValueKind::f64:
      return number_is(to, to.in.number<double>());
    case ValueKind::string:
      return text_of(to);
    case ValueKind::bytes:
      append_json_value(to.out, Bytes::copy_of(to.in.take(to.in.varint())));
      return to.in.ok();
    case ValueKind::timestamp:
      append_kept_time(to.out, to.in.number<Time>());
      return to.in.ok();
    case ValueKind::interval:
      return integer_of<Duration>(to);
    case ValueKind::decimal:
      append_decimal(to.out, to.in.number<std::int64_t>(), form.scale);
      return to.in.ok();
    default:
      return false;
  }
}

/// The name of the value; without one its number.
bool enum_of(Telling& to, const StoredForm& form) {
  const std::string_view bytes = to.in.take(form.width);
  if (!to.in.ok()) return false;
  std::uint64_t bits = 0;
  std::memcpy(&bits, bytes.data(), bytes.size());
  const unsigned unused = 64 - 8 * static_cast<unsigned>(form.width);
  auto number = static_cast<std::int64_t>(bits);
  if (form.is_signed) number = static_cast<std::int64_t>(bits << unused) >> unused;
  const auto named = std::find(form.values.begin(), form.values.end(), number);
  if (named == form.values.end()) {
    append_json_integer(to.out, number);
  } else {
    append_json_string(to.out, form.names[static_cast<std::size_t>(named - form.values.begin())]);
  }
  return true;
}

bool members_of(Telling& to, const StoredForm& form) {
  for (std::size_t at = 0; at < form.inner.size(); ++at) {
    to.out += at == 0 ? '{' : ',';
    append_json_string(to.out, form.names[at]);
    to.out += ':';
    if (!tell_value(to, form.inner[at])) return false;
  }
  to.out += '}';
  return true;
}

/// An object where the keys are texts or numbers, else a list of pairs.
bool map_of(Telling& to, const StoredForm& form) {
  const std::uint64_t count = to.in.varint();
  if (!to.in.ok() || count > to.in.rest().size()) return false;
  const StoredForm& key = form.inner[0];
  const bool object = key.kind == Form::scalar && !key.optional;
  to.out += object ? '{' : '[';
  for (std::uint64_t at = 0; at < count; ++at) {
    if (at > 0) to.out += ',';
    std::string text;
    if (!append_kept_value(text, key, to.in)) return false;
    if (!object) to.out += '[';
    if (object && !text.starts_with('"')) text = '"' + text + '"';
    to.out += text;
    to.out += object ? ':' : ',';
    if (!tell_value(to, form.inner[1])) return false;
    if (!object) to.out += ']';
  }
  to.out += object ? '}' : ']';
  return true;
}

}  // namespace

bool tell_list(Telling& to, const StoredForm& form, std::uint64_t count) {
  if (!to.in.ok() || count > to.in.rest().size()) return false;  // none takes less than a byte
  to.out += '[';
  for (std::uint64_t at = 0; at < count; ++at) {
    if (at > 0) to.out += ',';
    if (!tell_value(to, form)) return false;
  }
  to.out += ']';
  return true;
}

bool tell_value(Telling& to, const StoredForm& form) {
  if (form.optional) {
    const auto there = to.in.number<std::uint8_t>();
    if (!to.in.ok() || there > 1) return false;
    if (there == 0) {
      to.out += "null";
      return true;
    }
  }
  switch (form.kind) {
    case Form::scalar:
      return scalar_of(to, form);
    case Form::enumeration:
      return enum_of(to, form);
    case Form::list:
    case Form::set:
      return tell_list(to, form.inner[0], to.in.varint());
    case Form::map:
      return map_of(to, form);
    case Form::members:
      return members_of(to, form);
    case Form::word:
      return tell_word(to, form);
    case Form::nested:
      break;
  }
  return false;
}

void append_kept_time(std::string& out, Time time) {
  if (time == kTimeMin || time == kTimeMax) {
    out += "null";
  } else {
    append_json_time(out, Timestamp{time});
  }
}

bool append_kept_value(std::string& out, const StoredForm& form, BytesCursor& in,
                       const HeldRecords* records) {
  Telling to{out, in, records};
  return tell_value(to, form);
}

}  // namespace millrace::detail
