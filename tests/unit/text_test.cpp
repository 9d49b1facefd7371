// Tests of nearest_word, UTF-8, JSON strings and field names.
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace millrace::detail {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(NearestWord, FindsTyposUpToAThirdOfTheWord) {
  const std::vector<std::string> flags{"parallelism", "executors", "ui", "speed", "seed"};
  EXPECT_EQ(nearest_word("paralelism", flags), "parallelism");
  EXPECT_EQ(nearest_word("exectuors", flags), "executors");
  EXPECT_EQ(nearest_word("u", flags), "ui");
  EXPECT_EQ(nearest_word("sped", flags), "speed");
  EXPECT_EQ(nearest_word("seed", flags), "seed");
}

TEST(NearestWord, IsEmptyWhenNothingIsNear) {
  const std::vector<std::string> flags{"parallelism", "ui"};
  EXPECT_EQ(nearest_word("color", flags), "");
  EXPECT_EQ(nearest_word("parliament", flags), "");
  EXPECT_EQ(nearest_word("x", {}), "");
}

TEST(Utf8, AcceptsEveryLengthAndItsLimits) {
  for (const char* text : {"", "plain", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80",
                           "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80",
                           "\xF4\x8F\xBF\xBF", "a long text of ascii, then \xE2\x82\xAC"}) {
    EXPECT_TRUE(valid_utf8(text)) << text;
  }
}

TEST(Utf8, RefusesOverlongSurrogatesCutAndLoneBytes) {
  for (const char* text :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x82",
        "12345678\xE2\x82", "\xC3(", "1234567\xC3"}) {
    EXPECT_FALSE(valid_utf8(text)) << text;
  }
}

TEST(JsonString, EscapesWhatJsonAsksFor) {
  EXPECT_EQ(quoted(""), "\"\"");
  EXPECT_EQ(quoted("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
  EXPECT_EQ(quoted("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"");
  EXPECT_EQ(quoted(std::string_view("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\x7f\"");
  EXPECT_EQ(quoted("\xE2\x82\xAC \xF0\x9F\x98\x80"), "\"\xE2\x82\xAC \xF0\x9F\x98\x80\"");
}

TEST(JsonString, ReplacesEachByteThatIsNotUtf8) {
  EXPECT_EQ(quoted("a\xFF"
                   "b"),
            "\"a\xEF\xBF\xBD"
            "b\"");
  EXPECT_EQ(quoted("\xE2\x82"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(FieldName, SnakeAndCamelCaseAreTheSame) {
  EXPECT_TRUE(same_field_name("is_robot", "isRobot"));
  EXPECT_TRUE(same_field_name("isRobot", "is_robot"));
  EXPECT_TRUE(same_field_name("country_iso_code", "countryIsoCode"));
  EXPECT_TRUE(same_field_name("page", "page"));
  EXPECT_TRUE(same_field_name("top_10_pages", "top10Pages"));
  EXPECT_TRUE(same_field_name("", ""));
}

TEST(FieldName, OtherSpellingsDiffer) {
  EXPECT_FALSE(same_field_name("is_robot", "isrobot"));
  EXPECT_FALSE(same_field_name("page", "Page"));
  EXPECT_FALSE(same_field_name("_id", "id"));
  EXPECT_FALSE(same_field_name("class_", "class"));
  EXPECT_FALSE(same_field_name("a__b", "aB"));
  EXPECT_FALSE(same_field_name("page", "pages"));
  EXPECT_FALSE(same_field_name("userId", "userID"));
}

TEST(ParseBytes, UnitsArePowersOf1024) {
  EXPECT_EQ(parse_bytes("0"), 0u);
  EXPECT_EQ(parse_bytes("1048576"), 1u << 20);
  EXPECT_EQ(parse_bytes("17B"), 17u);
  EXPECT_EQ(parse_bytes("16k"), 16u << 10);
  EXPECT_EQ(parse_bytes("512M"), 512u << 20);
  EXPECT_EQ(parse_bytes("512MB"), 512u << 20);
  EXPECT_EQ(parse_bytes("1.5 GiB"), 3u << 29);
  EXPECT_EQ(parse_bytes("2T"), std::uint64_t{2} << 40);
}

TEST(ParseBytes, OtherTextsAreNone) {
  for (const char* text : {"", "M", "-1M", "12X", "1e3", "1MM", "1iB", "1MiX", "nan", "inf",
                           "99999999999999T", "1 M x"}) {
    EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace millrace::detail
