// Numbers and times as JSON text.
#include "record/record_json.hpp"

#include <charconv>
#include <cmath>

#include "base/interval.hpp"

namespace millrace::detail {

namespace {

template <class Number>
void append_shortest(std::string& out, Number value) {
  char text[40];
  const auto written = std::to_chars(text, text + sizeof text, value);
  out.append(text, written.ptr);
}

}  // namespace

void append_json_integer(std::string& out, std::int64_t value) { append_shortest(out, value); }
void append_json_integer(std::string& out, std::uint64_t value) { append_shortest(out, value); }

void append_json_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  append_shortest(out, value);
}

void append_json_number(std::string& out, float value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  append_shortest(out, value);
}

void append_json_time(std::string& out, Timestamp value) {
  out += '"';
  out += format_iso_time(value.micros);
  out += '"';
}

void append_json_interval(std::string& out, Duration value) {
  out.append(1, '"').append(format_interval(value)).append(1, '"');
}

}  // namespace millrace::detail
