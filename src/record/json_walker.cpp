// The parts of the walk that are off the usual way: fields that nobody reads, and failures.
#include "record/json_walker.hpp"

#include "record/value_words.hpp"

namespace millrace::detail {

bool JsonReader::Impl::skip_value(std::size_t depth) {
  if (depth >= kJsonDepthMax) return broken("nested deeper than 512 levels");
  switch (peek()) {
    case '"':
      return skip_string();
    case '{':
      return skip_members(depth);
    case '[':
      return skip_elements(depth);
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
  why += wanted_words(plan);
  why += ", found " + found();
  return false;
}

bool JsonReader::Impl::bad_number(const ValuePlan& plan, NumberRead reason) {
  if (reason == NumberRead::malformed) return broken("expected a number");
  if (reason == NumberRead::not_integer) return unexpected(plan);
  why = plan.name.empty() ? "" : ": ";
  why += found() + " is out of range";
  why += range_words(plan.kind);
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
  return in_part(std::string(plan.name));
}

bool JsonReader::Impl::in_part(std::string part) {
  if (at == nullptr) return false;
  if (!path.empty()) {
    if (path.front() != '[') part += '.';
    part += path;
  } else if (part.front() == '[') {
    why = ": " + why;  // an element has no name that would have put it there
  }
  path = std::move(part);
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

}  // namespace millrace::detail
