// Values of JSON beyond numbers and text: lists, maps, and what stands in text or in a number.
#include "base/decimal.hpp"
#include "base/interval.hpp"
#include "record/json_walker.hpp"

namespace millrace::detail {

/// A decimal, an enum, a char or an interval, in quotes or bare.
bool JsonReader::Impl::read_token(const ValuePlan& plan, void* value) {
  const bool quoted = peek() == '"';
  const char first = peek();
  if (!quoted && first != '-' && (first < '0' || first > '9')) return unexpected(plan);
  if (!quoted && !is_json_number(token())) return broken("expected a number");
  std::string_view text;
  if (quoted) {
    if (!string_view_of(text)) return false;
  } else {
    text = token();
  }
  switch (plan.kind) {
    case ValueKind::letter:
      if (!quoted || text.size() != 1) return unexpected(plan);
      *static_cast<char*>(value) = text.front();
      break;
    case ValueKind::enumeration:
      if (!plan.names->store(value, text)) return unexpected(plan);
      break;
    case ValueKind::interval: {
      const auto interval = quoted ? parse_interval(text) : parse_seconds(text);
      if (!interval) return unexpected(plan);
      *static_cast<Duration*>(value) = *interval;
      break;
    }
    default: {
      std::int64_t units = 0;
      const DecimalRead read = parse_decimal(text, plan.scale, units);
      if (read == DecimalRead::out_of_range) return bad_number(plan, NumberRead::out_of_range);
      if (read != DecimalRead::ok) return unexpected(plan);
      store_integer(value, ValueKind::i64, static_cast<std::uint64_t>(units));
    }
  }
  ++at;
  return true;
}

bool JsonReader::Impl::read_list(const ValuePlan& plan, JsonShape* inner, void* list) {
  plan.items->clear(list);
  ++at;
  if (peek() == ']') {
    ++at;
    return true;
  }
  for (std::size_t element = 0;; ++element) {
    if (!more()) return broken("expected a value");
    if (!read_value(plan.items->element, inner, plan.items->append(list))) {
      return in_part("[" + std::to_string(element) + "]");
    }
    const char next = peek();
    if (next != ',' && next != ']') return broken("expected ',' or ']' after an element");
    ++at;
    if (next == ']') return true;
  }
}

bool JsonReader::Impl::read_map(const ValuePlan& plan, JsonShape* inner, void* map) {
  plan.items->clear(map);
  ++at;
  if (peek() == '}') {
    ++at;
    return true;
  }
  while (true) {
    if (!read_entry(plan, inner, map)) return false;
    const char next = peek();
    if (next != ',' && next != '}') return broken("expected ',' or '}' after a field");
    ++at;
    if (next == '}') return true;
  }
}

bool JsonReader::Impl::read_entry(const ValuePlan& plan, JsonShape* inner, void* map) {
  if (peek() != '"') return broken("expected a field name in quotes");
  std::string_view key;
  if (!string_view_of(key)) return false;
  void* slot = plan.items->slot(map, key);
  if (slot == nullptr) {
    why = ": expected an integer as the key, found " + found();
    return false;
  }
  ++at;
  if (peek() != ':') return broken("expected ':' after a field name");
  ++at;
  if (!more()) return broken("expected a value");
  return read_value(plan.items->element, inner, slot) || in_part("[\"" + std::string(key) + "\"]");
}

}  // namespace millrace::detail
