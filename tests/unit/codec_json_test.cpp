// Tests of JSON lines into records: every kind of member, the order of keys, and each error
// sentence.
#include "record/codec_json.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "record/json_token.hpp"
#include "record/record_json.hpp"

namespace millrace::detail {
namespace {

struct Edit {
  std::string_view page;
  bool is_robot = false;
  int delta = 0;
};

struct Point {
  double x = 0;
  std::optional<double> y;
};

struct Every {
  bool flag = false;
  std::int8_t i8 = 0;
  std::uint16_t u16 = 0;
  std::int64_t i64 = 0;
  std::uint64_t u64 = 0;
  float f32 = 0;
  double f64 = 0;
  std::string own;
  std::string_view view;
  Timestamp time;
  std::optional<int> maybe;
  std::optional<std::string_view> maybe_text;
  Point point;
  std::optional<Point> maybe_point;
};

constexpr std::string_view kEvery =
    R"({"flag":true,"i8":-128,"u16":65535,"i64":-9223372036854775808,"u64":18446744073709551615,)"
    R"("f32":0.5,"f64":-1.25e-3,"own":"o","view":"v","time":"2015-09-12T00:46:58.771Z","maybe":3,)"
    R"("maybeText":"m","point":{"x":1,"y":2},"maybePoint":{"x":3}})";

/// Decodes one line from a buffer of exactly its size, so that the sanitizer sees any byte read
/// behind it.
template <class T>
class Decoding {
 public:
  Decoded read(std::string_view text, LineHome home = LineHome::arena) {
    line_ = std::make_unique<char[]>(text.size());
    if (!text.empty()) std::memcpy(line_.get(), text.data(), text.size());
    return decoder.decode({line_.get(), text.size()}, value, arena, home);
  }
  std::string error(std::string_view text) {
    EXPECT_EQ(read(text), Decoded::failed) << text;
    return decoder.error();
  }
  const char* line() const { return line_.get(); }

  JsonDecoder<T> decoder;
  Arena arena{4096};
  T value{};

 private:
  std::unique_ptr<char[]> line_;
};

TEST(JsonDecoder, ReadsEveryKindOfMember) {
  Decoding<Every> in;
  ASSERT_EQ(in.read(kEvery), Decoded::record) << in.decoder.error();
  const Every& e = in.value;
  EXPECT_TRUE(e.flag);
  EXPECT_EQ(e.i8, -128);
  EXPECT_EQ(e.u16, 65535);
  EXPECT_EQ(e.i64, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(e.u64, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(e.f32, 0.5f);
  EXPECT_EQ(e.f64, -1.25e-3);
  EXPECT_EQ(e.own, "o");
  EXPECT_EQ(e.view, "v");
  EXPECT_EQ(e.time.micros, 1'442'018'818'771'000);
  EXPECT_EQ(e.maybe, 3);
  EXPECT_EQ(e.maybe_text, "m");
  EXPECT_EQ(e.point.y, 2);
  ASSERT_TRUE(e.maybe_point);
  EXPECT_EQ(e.maybe_point->x, 3);
  EXPECT_FALSE(e.maybe_point->y);
}

TEST(JsonDecoder, WhatWasWrittenComesBack) {
  Decoding<Every> in;
  ASSERT_EQ(in.read(kEvery), Decoded::record);
  in.value.own = "a\"\\\n\t\x01 ü 😀";
  std::string text;
  append_json(text, in.value);
  Decoding<Every> again;
  ASSERT_EQ(again.read(text), Decoded::record) << again.decoder.error();
  std::string text_again;
  append_json(text_again, again.value);
  EXPECT_EQ(text, text_again);
  EXPECT_EQ(again.value.own, in.value.own);
}

TEST(JsonDecoder, MatchesKeysInBothSpellingsAndInAnyOrder) {
  Decoding<Edit> in;
  ASSERT_EQ(in.read(R"({"page":"a","isRobot":true,"delta":1})"), Decoded::record);
  EXPECT_TRUE(in.value.is_robot);
  ASSERT_EQ(in.read(R"({"delta":2,"is_robot":false,"page":"b"})"), Decoded::record);
  EXPECT_FALSE(in.value.is_robot);
  EXPECT_EQ(in.value.delta, 2);
  ASSERT_EQ(in.read(R"({"is_robot":true,"x":1,"delta":3,"page":"c"})"), Decoded::record);
  EXPECT_EQ(in.value.page, "c");
  ASSERT_EQ(in.read(R"({"is_r\u006fbot":false,"delta":3,"page":"d"})"), Decoded::record);
  EXPECT_FALSE(in.value.is_robot);
}

TEST(JsonDecoder, ForgetsNothingWhenOrdersChangeAtRandom) {
  Decoding<Edit> in;
  std::mt19937 random(3);
  std::vector<std::string> fields{R"("page":"p")",
                                  R"("isRobot":true)",
                                  R"("delta":-5)",
                                  R"("unknown":[1,{}])",
                                  R"("a key that is longer than twenty-eight bytes":1)",
                                  R"("u2":{"page":"no"})",
                                  R"("":null)"};
  for (int i = 0; i < 2'000; ++i) {
    std::shuffle(fields.begin(), fields.end(), random);
    std::string line = "{";
    for (const std::string& field : fields) line += (line.size() > 1 ? " , " : "") + field;
    in.value = Edit{};
    ASSERT_EQ(in.read(line + "}"), Decoded::record) << line << in.decoder.error();
    ASSERT_EQ(in.value.page, "p");
    ASSERT_TRUE(in.value.is_robot);
    ASSERT_EQ(in.value.delta, -5);
  }
}

TEST(JsonDecoder, SkipsUnknownFieldsOfEveryShape) {
  Decoding<Edit> in;
  EXPECT_EQ(
      in.read(R"({"a":{"b":[1,2,{"c":[]}],"d":{}},"page":"p","e":-1.5e+3,"f":"\u00e9\n","g":null,)"
              R"("h":true,"i":false,"j":[],"isRobot":true,"delta":1,"k":"}]"})"),
      Decoded::record)
      << in.decoder.error();
}

TEST(JsonDecoder, OfTwoEqualKeysTheLastCounts) {
  Decoding<Edit> in;
  ASSERT_EQ(in.read(R"({"page":"a","isRobot":true,"delta":1,"delta":2,"is_robot":false})"),
            Decoded::record);
  EXPECT_EQ(in.value.delta, 2);
  EXPECT_FALSE(in.value.is_robot);
}

TEST(JsonDecoder, OptionalsAreEmptiedByNullAndByAbsence) {
  Decoding<Point> in;
  in.value.y = 5;
  ASSERT_EQ(in.read(R"({"x":1,"y":null})"), Decoded::record);
  EXPECT_FALSE(in.value.y);
  in.value.y = 5;
  ASSERT_EQ(in.read(R"({"x":1})"), Decoded::record);
  EXPECT_FALSE(in.value.y);
}

TEST(JsonDecoder, NullIsAnEmptyText) {
  Decoding<std::string> own;
  own.value = "old";
  ASSERT_EQ(own.read("null"), Decoded::record);
  EXPECT_EQ(own.value, "");
  Decoding<Edit> in;
  in.value.page = "old";
  ASSERT_EQ(in.read(R"({"page":null,"isRobot":true,"delta":1})"), Decoded::record);
  EXPECT_EQ(in.value.page, "");
}

TEST(JsonDecoder, TextStaysInTheLineOrIsCopied) {
  constexpr std::string_view kLine = R"({"page":"Talk:Ünder","isRobot":true,"delta":1})";
  Decoding<Edit> in;
  ASSERT_EQ(in.read(kLine), Decoded::record);
  EXPECT_EQ(in.value.page.data(), in.line() + 9);
  EXPECT_EQ(in.arena.used_bytes(), 0u);
  ASSERT_EQ(in.read(kLine, LineHome::elsewhere), Decoded::record);
  EXPECT_EQ(in.value.page, "Talk:Ünder");
  EXPECT_EQ(in.arena.used_bytes(), in.value.page.size());
  ASSERT_EQ(in.read(R"({"page":"tab\tend","isRobot":true,"delta":1})"), Decoded::record);
  EXPECT_EQ(in.value.page, "tab\tend");
}

TEST(JsonDecoder, Unescapes) {
  Decoding<std::string> in;
  ASSERT_EQ(in.read(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83D\uDE00\u0000")"), Decoded::record);
  EXPECT_EQ(in.value, std::string("\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\0", 19));
  for (const char* wrong : {R"("\x")", R"("\u12")", R"("\u12g4")", R"("\ud800")",
                            R"("\ud800\u0041")", R"("\udc00")", R"("\ud800x\udc00")"}) {
    EXPECT_NE(in.error(wrong).find("an escape in a text is wrong"), std::string::npos) << wrong;
  }
}

TEST(JsonDecoder, TimesAreIsoTextOrMilliseconds) {
  Decoding<Timestamp> in;
  ASSERT_EQ(in.read("\"2015-09-12T02:46:58.771+02:00\""), Decoded::record);
  EXPECT_EQ(in.value.micros, 1'442'018'818'771'000);
  ASSERT_EQ(in.read("1442018818771"), Decoded::record);
  EXPECT_EQ(in.value.micros, 1'442'018'818'771'000);
  ASSERT_EQ(in.read("-1"), Decoded::record);
  EXPECT_EQ(in.value.micros, -1'000);
  EXPECT_EQ(in.error("9223372036854776"), "number 9223372036854776 is out of range");
  ASSERT_EQ(in.read("1.5"), Decoded::record);
  EXPECT_EQ(in.value.micros, 1'500);
  EXPECT_EQ(in.error("1e3"),
            "expected a time (ISO 8601 text or a number since 1970), found number 1e3");
  EXPECT_EQ(in.error("\"yesterday\""),
            "expected a time (ISO 8601 text or a number since 1970), found text \"yesterday\"");
}

TEST(JsonDecoder, BlankLinesAreNoErrors) {
  Decoding<Edit> in;
  EXPECT_EQ(in.read(""), Decoded::blank);
  EXPECT_EQ(in.read(" \t\r"), Decoded::blank);
  EXPECT_EQ(in.read(" {\"page\" : \"a\" , \"isRobot\" :true,\t\"delta\":1 } \r"), Decoded::record)
      << in.decoder.error();
  EXPECT_EQ(in.value.page, "a");
}

TEST(JsonDecoder, NamesTheFieldAndWhatWasFound) {
  Decoding<Edit> in;
  EXPECT_EQ(in.error(R"({"page":"a","isRobot":true,"delta":"abc"})"),
            "field \"delta\": expected an integer, found text \"abc\"");
  EXPECT_EQ(in.error(R"({"page":"a","isRobot":true,"delta":1.5})"),
            "field \"delta\": expected an integer, found number 1.5");
  EXPECT_EQ(in.error(R"({"page":"a","isRobot":true,"delta":null})"),
            "field \"delta\": expected an integer, found null");
  EXPECT_EQ(in.error(R"({"page":"a","isRobot":true,"delta":{"x":1}})"),
            "field \"delta\": expected an integer, found an object");
  EXPECT_EQ(in.error(R"({"page":["a"],"isRobot":true,"delta":1})"),
            "field \"page\": expected text, found an array");
  EXPECT_EQ(in.error(R"({"page":5,"isRobot":true,"delta":1})"),
            "field \"page\": expected text, found number 5");
  EXPECT_EQ(in.error(R"({"page":"a","isRobot":"true","delta":1})"),
            "field \"is_robot\": expected true or false, found text \"true\"");
  EXPECT_EQ(in.error(R"({"page":"a","isRobot":1,"delta":1})"),
            "field \"is_robot\": expected true or false, found number 1");
  EXPECT_EQ(in.error(R"({"page":"a","isRobot":true})"), "field \"delta\" is missing");
  EXPECT_EQ(in.error("{}"), "field \"page\" is missing");
  EXPECT_EQ(in.error("[1]"), "expected an object, found an array");
  EXPECT_EQ(in.error("null"), "expected an object, found null");
  EXPECT_EQ(
      in.error(
          R"({"page":"a","isRobot":true,"delta":"0123456789012345678901234567890123456789012"})"),
      "field \"delta\": expected an integer, found text "
      "\"012345678901234567890123456789012345678...\"");
  ASSERT_EQ(in.read(R"({"page":"a","isRobot":true,"delta":1})"), Decoded::record);
}

TEST(JsonDecoder, NamesNestedFieldsByTheirPath) {
  Decoding<Every> in;
  std::string line(kEvery);
  line.replace(line.find(R"({"x":1,"y":2})"), 13, R"({"x":"q","y":2})");
  EXPECT_EQ(in.error(line), "field \"point.x\": expected a number, found text \"q\"");
  line = kEvery;
  line.replace(line.find(R"({"x":1,"y":2})"), 13, "{}");
  EXPECT_EQ(in.error(line), "field \"point.x\" is missing");
  line = kEvery;
  line.replace(line.find(R"({"x":3})"), 7, "7");
  EXPECT_EQ(in.error(line), "field \"maybe_point\": expected an object, found number 7");
}

TEST(JsonDecoder, NumbersMustFitTheirMember) {
  Decoding<std::int8_t> i8;
  EXPECT_EQ(i8.read("127"), Decoded::record);
  EXPECT_EQ(i8.error("128"), "number 128 is out of range (-128 to 127)");
  EXPECT_EQ(i8.error("-129"), "number -129 is out of range (-128 to 127)");
  Decoding<std::uint32_t> u32;
  EXPECT_EQ(u32.read("4294967295"), Decoded::record);
  EXPECT_EQ(u32.value, 4294967295u);
  EXPECT_EQ(u32.error("-1"), "number -1 is out of range (0 to 4294967295)");
  Decoding<std::uint64_t> u64;
  EXPECT_EQ(u64.read("10000000000000000000"), Decoded::record);
  EXPECT_EQ(u64.value, 10000000000000000000ull);
  EXPECT_EQ(u64.error("18446744073709551616"),
            "number 18446744073709551616 is out of range (0 to 18446744073709551615)");
  Decoding<std::int64_t> i64;
  EXPECT_EQ(
      i64.error("9223372036854775808"),
      "number 9223372036854775808 is out of range (-9223372036854775808 to 9223372036854775807)");
  EXPECT_EQ(i64.error("99999999999999999999999"),
            "number 99999999999999999999999 is out of range (-9223372036854775808 to "
            "9223372036854775807)");
  EXPECT_EQ(i64.read("-0"), Decoded::record);
  Decoding<float> f32;
  EXPECT_EQ(f32.error("1e39"), "number 1e39 is out of range");
  Decoding<double> f64;
  EXPECT_EQ(f64.error("-1e309"), "number -1e309 is out of range");
}

TEST(JsonDecoder, SaysWhereALineIsNotJson) {
  Decoding<Edit> in;
  EXPECT_EQ(in.error(R"({"page":"a" "delta":1})"),
            "not valid JSON at byte 13: expected ',' or '}' after a field, found text \"delta\"");
  EXPECT_EQ(
      in.error(R"({"page":"a","isRobot":true,"delta":1)"),
      "not valid JSON at byte 37: expected ',' or '}' after a field, found the end of the line");
  EXPECT_EQ(in.error(R"({"page":"a","isRobot":true,"delta":1} {})"),
            "not valid JSON at byte 39: expected the end of the line, found an object");
  EXPECT_EQ(in.error(R"({"page" "a"})"),
            "not valid JSON at byte 9: expected ':' after a field name, found text \"a\"");
  EXPECT_EQ(in.error(R"({page:"a"})"),
            "not valid JSON at byte 2: expected a field name in quotes, found page");
  EXPECT_EQ(in.error(R"({"page":"a",})"),
            "not valid JSON at byte 13: expected a field name in quotes, found '}'");
  EXPECT_EQ(in.error(R"({"page":})"), "not valid JSON at byte 9: expected a value, found '}'");
  EXPECT_EQ(in.error(R"({"page":)"),
            "not valid JSON at byte 9: expected a value, found the end of the line");
  EXPECT_EQ(in.error(R"({"isRobot":truex})"),
            "not valid JSON at byte 12: expected a value, found truex");
  EXPECT_EQ(in.error(R"({"delta":01})"),
            "not valid JSON at byte 10: expected a number, found number 01");
  EXPECT_EQ(in.error(R"({"unknown":01})"),
            "not valid JSON at byte 12: expected a value, found number 01");
  EXPECT_EQ(in.error("nonsense"), "not valid JSON at byte 1: expected a value, found nonsense");
  EXPECT_EQ(in.error("{\"page\":\"a"),
            "not valid JSON: a text is not closed by a quote before the line ends");
  EXPECT_EQ(in.error("{\"page\":\"a\nb\"}"),
            "not valid JSON: a text holds a control character that is not escaped");
  EXPECT_EQ(in.error("{\"page\":\"a\xFF\"}"), "the text is not valid UTF-8");
}

TEST(JsonDecoder, ChecksFieldsThatNobodyReads) {
  Decoding<Edit> in;
  for (const char* value :
       {"tru",     "nul",      "falsey", "+1",   ".5",     "1.",     "1e",  "-",   "0x1",     "NaN",
        "{\"a\"}", "{\"a\":}", "{1:2}",  "[1,]", "[1 2]",  "[,1]",   "[",   "{",   "\"\\q\"", "'a'",
        "[}",      "{]",       "1 2",    "{,}",  "\"a\"b", "1\"a\"", "--1", "[1]]"}) {
    const std::string line =
        std::string("{\"unknown\":") + value + R"(,"page":"a","isRobot":true,"delta":1})";
    EXPECT_EQ(in.read(line), Decoded::failed) << line;
    EXPECT_EQ(in.decoder.error().rfind("not valid JSON at byte ", 0), 0u) << in.decoder.error();
  }
}

TEST(JsonDecoder, BoundsTheDepth) {
  Decoding<Edit> in;
  const auto nested = [](int depth) {
    return R"({"page":"a","isRobot":true,"delta":1,"x":)" + std::string(depth, '[') +
           std::string(depth, ']') + "}";
  };
  EXPECT_EQ(in.read(nested(511)), Decoded::record) << in.decoder.error();
  EXPECT_NE(in.error(nested(100'000)).find("nested deeper than 512 levels"), std::string::npos);
}

TEST(JsonDecoder, TakesLongLinesAndThenShortOnes) {
  Decoding<Edit> in;
  const std::string big(3u << 20, 'x');
  ASSERT_EQ(in.read(R"({"page":")" + big + R"(","isRobot":true,"delta":1})"), Decoded::record);
  EXPECT_EQ(in.value.page.size(), big.size());
  ASSERT_EQ(in.read(R"({"page":"a","isRobot":true,"delta":1})"), Decoded::record);
  std::string many = R"({"page":"a","isRobot":true,"delta":1)";
  for (int i = 0; i < 5'000; ++i) many += ",\"k" + std::to_string(i) + "\":" + std::to_string(i);
  ASSERT_EQ(in.read(many + "}"), Decoded::record) << in.decoder.error();
}

TEST(JsonDecoder, LinesOfEveryLengthAreReadToTheirLastByteOnly) {
  Decoding<Edit> in;
  for (std::size_t length = 0; length < 300; ++length) {
    const std::string page(length, 'p');
    ASSERT_EQ(in.read(R"({"delta":1,"isRobot":true,"page":")" + page + "\"}"), Decoded::record);
    ASSERT_EQ(in.value.page, page);
    ASSERT_EQ(in.read(R"({"delta":1,"isRobot":true,"page":")" + page), Decoded::failed);
  }
}

/// Every cut and every changed byte of a line either gives a record or a sentence, and agrees with
/// simdjson's DOM about what is JSON.
TEST(JsonDecoder, AgreesWithADomParserOnDamagedLines) {
  constexpr std::string_view kLine =
      R"({"page":"a\u00e9b","isRobot":true,"delta":-12,"u":[1.5e3,{"k":null}],"v":false})";
  simdjson::dom::parser dom;
  std::mt19937 random(11);
  constexpr std::string_view kBytes = "{}[]:,\"\\ 0159.-+eEtfnula\x01\xC3";
  Decoding<Edit> in;
  int refused = 0;
  for (int i = 0; i < 40'000; ++i) {
    std::string line(kLine);
    for (int changes = 1 + static_cast<int>(random() % 2); changes > 0; --changes) {
      line[random() % line.size()] = kBytes[random() % kBytes.size()];
    }
    if (random() % 10 == 0) line.resize(random() % line.size());
    const Decoded decoded = in.read(line);
    const bool is_json = dom.parse(simdjson::padded_string(line)).error() == simdjson::SUCCESS;
    if (!is_json && decoded != Decoded::blank) {
      ASSERT_EQ(decoded, Decoded::failed) << line;
    }
    if (is_json && decoded == Decoded::failed) {
      ASSERT_EQ(in.decoder.error().find("not valid"), std::string::npos)
          << line << in.decoder.error();
    }
    refused += is_json ? 0 : 1;
  }
  EXPECT_GT(refused, 10'000);
}

TEST(JsonToken, DoublesAreTheNearestOnes) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t bits = random();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    std::string text;
    append_json(text, value);
    double back = 0;
    ASSERT_EQ(read_json_double(text, back), NumberRead::ok) << text;
    ASSERT_EQ(back, value) << text;
  }
  for (const char* text : {"0", "-0", "0.0", "1e-400", "0e999999", "123456789012345678901234567890",
                           "1.7976931348623157e308", "4.9e-324", "9007199254740993", "0.1",
                           "123456.789e-3", "1e22", "1e23", "5e-1"}) {
    double back = 1;
    ASSERT_EQ(read_json_double(text, back), NumberRead::ok) << text;
    EXPECT_EQ(back, std::strtod(text, nullptr)) << text;
  }
  double ignored = 0;
  EXPECT_EQ(read_json_double("1e400", ignored), NumberRead::out_of_range);
  EXPECT_EQ(read_json_double("1.", ignored), NumberRead::malformed);
}

}  // namespace
}  // namespace millrace::detail
