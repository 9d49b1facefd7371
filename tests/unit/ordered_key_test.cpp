// OrderedKey: bytes compare as values do, and say no more than the text of a question.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "record/ordered_key.hpp"

namespace millrace::detail {
namespace {

template <class V>
std::string bytes_of(const V& value) {
  std::string bytes;
  append_ordered(bytes, value);
  return bytes;
}

/// Of values in ascending order.
template <class V>
void expect_ascending(const std::vector<V>& values) {
  for (std::size_t at = 1; at < values.size(); ++at)
    EXPECT_LT(bytes_of(values[at - 1]), bytes_of(values[at])) << "value " << at;
}

TEST(OrderedKey, NumbersCompareAsTheyDo) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  expect_ascending<std::int64_t>({kTimeMin, -256, -255, -1, 0, 1, 255, 256, kTimeMax});
  expect_ascending<std::uint64_t>({0, 1, 1u << 31, ~0ull >> 1, (~0ull >> 1) + 1, ~0ull});
  expect_ascending<double>({-kInfinity, -1e300, -1.5, -1e-300, 0, 5e-324, 1, 1.5, kInfinity,
                            std::numeric_limits<double>::quiet_NaN()});
  expect_ascending<std::optional<std::int32_t>>({std::nullopt, -3, 0, 3});
  expect_ascending<Decimal<2>>({{-100}, {-1}, {0}, {99}});
  EXPECT_EQ(bytes_of(0.0), bytes_of(-0.0));
  EXPECT_EQ(bytes_of(std::int8_t{5}), bytes_of(std::uint64_t{5}));
}

TEST(OrderedKey, TextsCompareByBytesAlsoWithZeros) {
  using namespace std::string_literals;
  const std::vector<std::string> texts = {"",     "\0"s,   "\0\0"s, "\0a"s, "\x01", "a",
                                          "a\0"s, "a\0b"s, "a\x01", "aa",   "b",    "\xff"};
  expect_ascending(texts);
  for (const std::string& begin : texts) {
    std::string from;
    append_ordered_beginning(from, begin);
    const std::string until = behind_all(from);
    for (const std::string& text : texts) {
      const std::string key = bytes_of(text);
      EXPECT_EQ(key >= from && key < until, text.starts_with(begin)) << begin << " of " << text;
    }
  }
}

TEST(OrderedKey, AKeyOfSeveralPartsComparesPartByPart) {
  const auto key = [](const std::string& text, std::int64_t number) {
    return bytes_of(text) + bytes_of(number);
  };
  EXPECT_LT(key("a", 9), key("a", 10));
  EXPECT_LT(key("a", 9), key("aa", -9));
  EXPECT_LT(key("", 9), key("a", -9));
}

TEST(OrderedKey, ReadsWhatAQuestionSays) {
  const auto word = [](KeyPartKind kind, std::string_view text, int scale = 0) {
    std::string bytes;
    return append_ordered_word(bytes, {"k", kind, scale}, text) ? bytes : "wrong";
  };
  EXPECT_EQ(word(KeyPartKind::integer, "-12"), bytes_of(std::int64_t{-12}));
  EXPECT_EQ(word(KeyPartKind::integer, "18446744073709551615"), bytes_of(~std::uint64_t{0}));
  EXPECT_EQ(word(KeyPartKind::real, "1e3"), bytes_of(1000.0));
  EXPECT_EQ(word(KeyPartKind::real, "NaN"), bytes_of(std::nan("")));
  EXPECT_EQ(word(KeyPartKind::decimal, "12.5", 2), bytes_of(Decimal<2>{1250}));
  EXPECT_EQ(word(KeyPartKind::text, "12"), bytes_of(std::string("12")));
  EXPECT_EQ(word(KeyPartKind::time, "1970-01-01T00:00:01Z"), bytes_of(Timestamp{1'000'000}));
  EXPECT_EQ(word(KeyPartKind::flag, "true"), bytes_of(true));
  for (const char* wrong : {"", "1x", " 1", "1.5", "99999999999999999999"})
    EXPECT_EQ(word(KeyPartKind::integer, wrong), "wrong") << wrong;
  EXPECT_EQ(word(KeyPartKind::decimal, "12.555", 2), "wrong");
  EXPECT_EQ(word(KeyPartKind::flag, "yes"), "wrong");
  EXPECT_EQ(word(KeyPartKind::time, "soon"), "wrong");
  EXPECT_EQ(word(KeyPartKind::none, "x"), "wrong");
}

}  // namespace
}  // namespace millrace::detail
