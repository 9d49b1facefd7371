// Keys of several fields as bytes that sort as the fields do.
#include "operator/row_fields.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace millrace::detail {
namespace {

constexpr std::uint64_t kSign = std::uint64_t{1} << 63;

void append_word(std::string& key, std::uint64_t word) {
  for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>(word >> shift & 0xff);
}

std::uint64_t read_word(std::string_view& key) {
  std::uint64_t word = 0;
  for (int at = 0; at < 8; ++at)
    word = word << 8 | static_cast<unsigned char>(key[static_cast<std::size_t>(at)]);
  key.remove_prefix(8);
  return word;
}

std::uint64_t ordered(double value) {
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  const auto bits = std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value);
  return bits & kSign ? ~bits : bits | kSign;
}

double real_of(std::uint64_t word) {
  return std::bit_cast<double>(word & kSign ? word & ~kSign : ~word);
}

void append_text(std::string& key, std::string_view text) {
  for (const char c : text) {
    key += c;
    if (c == '\0') key += '\xff';
  }
  key.append(2, '\0');
}

std::string_view read_text(std::string_view& key, Arena& arena) {
  std::size_t end = 0;
  std::size_t zeros = 0;
  while (key[end] != '\0' || key[end + 1] != '\0') {
    const bool zero = key[end] == '\0';
    zeros += zero;
    end += zero ? 2 : 1;
  }
  std::string_view text = key.substr(0, end);
  key.remove_prefix(end + 2);
  if (zeros == 0) return text;
  char* const begin = arena.allocate(text.size() - zeros);
  char* out = begin;
  for (std::size_t at = 0; at < text.size(); ++at) {
    *out++ = text[at];
    if (text[at] == '\0') ++at;
  }
  return {begin, static_cast<std::size_t>(out - begin)};
}

}  // namespace

double AnyNumber::operator()(const RowRef& row) const noexcept {
  if (row.is_null(field)) return std::numeric_limits<double>::quiet_NaN();
  return real ? row.real(field) : static_cast<double>(row.integer(field));
}

std::string KeyFields::operator()(const RowRef& row) const {
  std::string key;
  for (const std::size_t field : fields_) {
    const bool null = row.is_null(field);
    key += null ? '\0' : '\1';
    if (null) continue;
    switch (row.rows().column(field).type()) {
      case ColumnType::boolean:
        key += row.boolean(field) ? '\1' : '\0';
        break;
      case ColumnType::real:
        append_word(key, ordered(row.real(field)));
        break;
      case ColumnType::text:
        append_text(key, row.text(field));
        break;
      default:
        append_word(key, static_cast<std::uint64_t>(row.integer(field)) ^ kSign);
    }
  }
  return key;
}

bool key_fields_fit(std::string_view key, const RowSchema& schema, std::size_t fields) {
  if (fields > schema.fields().size()) return false;
  for (std::size_t at = 0; at < fields; ++at) {
    if (key.empty()) return false;
    const bool null = key.front() == '\0';
    key.remove_prefix(1);
    if (null) continue;
    const ColumnType type = schema.fields()[at].type;
    std::size_t size = type == ColumnType::boolean ? 1 : sizeof(std::uint64_t);
    if (type == ColumnType::text) {
      size = 0;
      while (size + 1 < key.size() && (key[size] != '\0' || key[size + 1] != '\0'))
        size += key[size] == '\0' ? 2 : 1;
      size += 2;
    }
    if (size > key.size()) return false;
    key.remove_prefix(size);
  }
  return key.empty();
}

void put_key_fields(std::string_view key, RowColumns& rows, std::size_t column, std::size_t fields,
                    Arena& arena) {
  const std::size_t row = rows.size();
  for (std::size_t at = 0; at < fields; ++at) {
    Column& into = rows.column(column + at);
    const bool null = key.front() == '\0';
    key.remove_prefix(1);
    if (null) {
      into.put_null(row);
      continue;
    }
    switch (into.type()) {
      case ColumnType::boolean:
        into.put_boolean(row, key.front() != '\0');
        key.remove_prefix(1);
        break;
      case ColumnType::real:
        into.put_real(row, real_of(read_word(key)));
        break;
      case ColumnType::text:
        into.put_text(row, read_text(key, arena));
        break;
      default:
        into.put_integer(row, static_cast<std::int64_t>(read_word(key) ^ kSign));
    }
  }
}

}  // namespace millrace::detail
