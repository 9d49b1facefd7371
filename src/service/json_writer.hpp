// JsonWriter: JSON written straight into one string, with what JSON lacks written as text.
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/text.hpp"
#include "base/time.hpp"

namespace millrace::detail {

inline constexpr std::int64_t kExactIntegerMax = (std::int64_t{1} << 53) - 1;

/// Writes JSON; puts commas where they belong.
class JsonWriter {
 public:
  void open(char bracket) {
    separate();
    out_ += bracket;
    first_ = true;
  }
  void close(char bracket) {
    out_ += bracket;
    first_ = false;
  }
  void key(std::string_view name) {
    separate();
    append_json_string(out_, name);
    out_ += ':';
    first_ = true;  // no comma between a key and its value
  }

  void value(std::string_view text) {
    separate();
    append_json_string(out_, text);
  }
  void value(const std::string& text) { value(std::string_view(text)); }
  void value(bool flag) { literal(flag ? "true" : "false"); }
  void value(std::monostate) { literal("null"); }
  template <std::integral T>
  void value(T number) {
    const bool exact = std::cmp_less_equal(number, kExactIntegerMax) &&
                       std::cmp_greater_equal(number, -kExactIntegerMax);
    const std::string text = std::to_string(number);
    exact ? literal(text) : value(text);
  }
  void value(double number) {
    if (std::isnan(number)) return value(std::string_view("NaN"));
    if (std::isinf(number)) return value(std::string_view(number > 0 ? "Infinity" : "-Infinity"));
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
    literal({buffer, end});
  }
  /// With seven digits: enough for what is drawn.
  void rounded(double number) {
    if (!std::isfinite(number)) return literal("null");
    char buffer[32];
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::general, 7).ptr;
    literal({buffer, end});
  }
  void rounded_member(std::string_view name, double number) {
    key(name);
    rounded(number);
  }
  void rounded_member(std::string_view name, const std::optional<double>& number) {
    key(name);
    number ? rounded(*number) : literal("null");
  }
  void null() { literal("null"); }
  void value(Timestamp time) {
    if (time.micros == kTimeMin) return literal("null");
    value(time.micros == kTimeMax ? std::string("end") : format_iso_time(time.micros));
  }

  void time(const std::optional<Time>& time) { time ? value(Timestamp{*time}) : literal("null"); }
  template <class T>
  void maybe(const std::optional<T>& number) {
    number ? value(*number) : literal("null");
  }
  template <class T>
  void member(std::string_view name, const T& content) {
    key(name);
    value(content);
  }
  template <class T>
  void maybe_member(std::string_view name, const std::optional<T>& content) {
    key(name);
    maybe(content);
  }
  void time_member(std::string_view name, const std::optional<Time>& content) {
    key(name);
    time(content);
  }
  /// Appends a JSON value that is written already.
  void raw(std::string_view json) { literal(json); }

  std::string take() { return std::move(out_); }

 private:
  void separate() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  void literal(std::string_view text) {
    separate();
    out_ += text;
  }

  std::string out_;
  bool first_ = true;
};

template <class Items, class Write>
void json_array(JsonWriter& json, std::string_view name, const Items& items, Write write) {
  json.key(name);
  json.open('[');
  for (const auto& item : items) write(json, item);
  json.close(']');
}

}  // namespace millrace::detail
