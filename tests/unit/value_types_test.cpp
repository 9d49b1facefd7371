// Every type that a record may hold: out of JSON and CSV, into JSON, borrowed text, keys.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/decimal.hpp"
#include "base/interval.hpp"
#include "record/codec_csv.hpp"
#include "record/codec_json.hpp"
#include "record/field_value.hpp"
#include "record/heap_bytes.hpp"
#include "record/record_csv.hpp"
#include "record/record_json.hpp"
#include "state/stored_key.hpp"

namespace millrace::detail {
namespace {

enum class Side : std::uint8_t { buy, sell_short = 7 };
enum Plain : int { kLow = -2, kHigh = 40 };

struct Point {
  double x = 0;
  std::optional<std::string_view> label;
};
struct Everything {
  Decimal<2> price;
  std::optional<Decimal<8>> quantity;
  Duration took{};
  char grade = 'x';
  Side side = Side::buy;
  Plain plain = kLow;
  std::vector<std::int16_t> numbers;
  std::vector<std::string_view> tags;
  std::vector<std::vector<Point>> paths;
  std::map<std::string, std::vector<Point>> places;
  std::unordered_map<std::int32_t, bool> flags;
};

constexpr std::string_view kLine =
    R"({"price":-12.50,"quantity":"0.00000001","took":"90min","grade":"A","side":"sell_short",)"
    R"("plain":"kHigh","numbers":[1,-2,3],"tags":["a","b\n"],)"
    R"("paths":[[{"x":1,"label":"p"},{"x":2,"label":null}],[]],)"
    R"("places":{"home":[{"x":3,"label":"h"}],"no\"ne":[]},"flags":{"-7":true}})";

template <class T>
std::string error_of(std::string_view line) {
  JsonDecoder<T> decoder;
  Arena arena(256);
  T record{};
  EXPECT_EQ(decoder.decode(line, record, arena, LineHome::elsewhere), Decoded::failed) << line;
  return decoder.error();
}

TEST(ValueTypes, JsonComesBackAsItWas) {
  JsonDecoder<Everything> decoder;
  Arena arena(256);
  Everything record;
  std::string wanted(kLine);
  const std::string quoted = "\"0.00000001\"";  // a decimal may come in quotes and goes without
  wanted.replace(wanted.find(quoted), quoted.size(), "0.00000001");
  for (int turn = 0; turn < 2; ++turn) {  // the second into what the first left
    ASSERT_EQ(decoder.decode(kLine, record, arena, LineHome::elsewhere), Decoded::record)
        << decoder.error();
    EXPECT_EQ(record.price.units, -1250);
    EXPECT_EQ(record.quantity->units, 1);
    EXPECT_EQ(record.took, 90min);
    EXPECT_EQ(record.side, Side::sell_short);
    EXPECT_EQ(record.plain, kHigh);
    EXPECT_EQ(record.numbers, (std::vector<std::int16_t>{1, -2, 3}));
    EXPECT_EQ(record.paths.at(0).at(0).label, "p");
    EXPECT_EQ(record.places.at("home").at(0).x, 3);
    std::string text;
    append_json(text, record);
    EXPECT_EQ(text, wanted);
  }
}

TEST(ValueTypes, WhatIsWrongIsNamedWithItsPlace) {
  struct Lists {
    std::vector<Point> points;
    std::map<std::int32_t, Decimal<2>> prices;
  };
  EXPECT_EQ(error_of<Lists>(R"({"points":[{"x":1},{"x":"far"}],"prices":{}})"),
            "field \"points[1].x\": expected a number, found text \"far\"");
  EXPECT_EQ(error_of<Lists>(R"({"points":[7],"prices":{}})"),
            "field \"points[0]\": expected an object, found number 7");
  EXPECT_EQ(error_of<Lists>(R"({"points":7,"prices":{}})"),
            "field \"points\": expected an array, found number 7");
  EXPECT_EQ(error_of<Lists>(R"({"points":[],"prices":{"5":1.234}})"),
            "field \"prices[\"5\"]\": expected a decimal number of at most 2 places, found number "
            "1.234");
  EXPECT_NE(error_of<Lists>(R"({"points":[],"prices":{"x":1}})").find("integer as the key"),
            std::string::npos);
  EXPECT_NE(error_of<Lists>(R"({"points":[{"x":1},)").find("not valid JSON"), std::string::npos);
  struct One {
    Side side = Side::buy;
  };
  EXPECT_EQ(error_of<One>(R"({"side":"hold"})"),
            "field \"side\": expected one of buy, sell_short, found text \"hold\"");
  EXPECT_NE(error_of<One>(R"({"side":3})").find("one of buy"), std::string::npos);
}

TEST(ValueTypes, CsvReadsThemFromCells) {
  struct Row {
    Decimal<2> price;
    Duration took{};
    char grade = ' ';
    Side side = Side::buy;
    std::vector<std::string> tags;
    std::optional<Point> point;
  };
  CsvDecoder<Row> decoder;
  Arena arena(4096);
  const auto padded = [&arena](std::string line) {
    const std::size_t size = line.size();
    return arena.intern(line.append(CsvRow::kPaddingBytes, '\0')).substr(0, size);
  };
  ASSERT_TRUE(decoder.bind_header(padded("price,took,grade,side,tags,point"), "f"));
  Row row;
  ASSERT_EQ(decoder.decode(
                padded(R"( 1.5 ,PT1M,B,sellShort,"[""a"",""b""]","{""x"":2,""label"":""l""}")"),
                row, arena),
            Decoded::record)
      << decoder.error();
  EXPECT_EQ(row.price.units, 150);
  EXPECT_EQ(row.took, 1min);
  EXPECT_EQ(row.side, Side::sell_short);
  EXPECT_EQ(row.tags, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(row.point->label, "l");
  EXPECT_EQ(decoder.decode(padded("1.555,0,B,buy,[],"), row, arena), Decoded::failed);
  EXPECT_EQ(decoder.error(),
            "field \"price\": expected a decimal number of at most 2 places, found \"1.555\"");
  EXPECT_EQ(decoder.decode(padded("1,0,B,buy,[7],"), row, arena), Decoded::failed);
  EXPECT_EQ(decoder.error(), "field \"tags[0]\": expected text, found number 7");
}

TEST(ValueTypes, CsvIsWrittenAsItIsRead) {
  const CsvDialect dialect;
  const auto cell = [&dialect](const auto& value) {
    std::string text;
    append_csv_value(text, value, dialect);
    return text;
  };
  EXPECT_EQ(cell(Decimal<2>{-5}), "-0.05");
  EXPECT_EQ(cell(Duration(90min)), "90min");
  EXPECT_EQ(cell(Side::sell_short), "sell_short");
  EXPECT_EQ(cell(static_cast<Side>(200)), "200");
  EXPECT_EQ(cell('"'), "\"\"\"\"");
  EXPECT_EQ(cell(std::optional<int>()), "");
  EXPECT_EQ(cell(std::optional<std::string>("")), "\"\"");
  EXPECT_EQ(cell(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(cell(Point{1, "a,b"}), "\"{\"\"x\"\":1,\"\"label\"\":\"\"a,b\"\"}\"");
  EXPECT_EQ(cell(std::vector<int>{1}), "[1]");
  EXPECT_EQ(cell(std::vector<int>{1, 2}), "\"[1,2]\"");
}

TEST(ValueTypes, DecimalsAreExactAndBounded) {
  const auto read = [](std::string_view text, int scale = 2) {
    std::int64_t units = -1;
    const DecimalRead outcome = parse_decimal(text, scale, units);
    return std::pair(outcome, units);
  };
  using D = DecimalRead;
  EXPECT_EQ(read("0.10"), std::pair(D::ok, std::int64_t{10}));
  EXPECT_EQ(read("-.5"), std::pair(D::ok, std::int64_t{-50}));
  EXPECT_EQ(read("1.2300000000000000000000000000"), std::pair(D::ok, std::int64_t{123}));
  EXPECT_EQ(read("12e-1"), std::pair(D::ok, std::int64_t{120}));
  EXPECT_EQ(read("92233720368547758.07").second, INT64_MAX);
  EXPECT_EQ(read("-92233720368547758.08").second, INT64_MIN);
  EXPECT_EQ(read("92233720368547758.08").first, D::out_of_range);
  EXPECT_EQ(read("1e30").first, D::out_of_range);
  EXPECT_EQ(read("1e999999999999").first, D::out_of_range);
  EXPECT_EQ(read("123456789012345678901234").first, D::out_of_range);
  EXPECT_EQ(read("0.001").first, D::too_fine);
  for (const char* wrong : {"", "-", ".", "1.2.3", "1e", "e1", "0x1", "1 2", "--1"}) {
    EXPECT_EQ(read(wrong).first, D::wrong) << wrong;
  }
  std::string text;
  append_decimal(text, INT64_MIN, 18);
  append_decimal(text, 5, 0);
  append_decimal(text, -5, 3);
  EXPECT_EQ(text, "-9.2233720368547758085-0.005");
  EXPECT_THROW((void)(Decimal<2>{INT64_MAX} + Decimal<2>{1}), std::overflow_error);
  EXPECT_EQ(Decimal<1>{15}.to_double(), 1.5);
}

TEST(ValueTypes, IntervalsAreReadInBothSpellings) {
  EXPECT_EQ(parse_interval("PT1H30M"), Duration(90min));
  EXPECT_EQ(parse_interval("P1DT0.5S"), Duration(24h + 500ms));
  EXPECT_EQ(parse_interval("P2W"), Duration(14 * 24h));
  EXPECT_EQ(parse_interval("-1h30min"), Duration(-90min));
  EXPECT_EQ(parse_interval("1.5ms"), Duration(1500us));
  EXPECT_EQ(parse_seconds("-0.25"), Duration(-250ms));
  for (const char* wrong : {"", "P", "PT", "P1Y", "P1M", "1", "h", "1h-3min", "PT1H30", "1e3s"}) {
    EXPECT_FALSE(parse_interval(wrong)) << wrong;
  }
  for (const Duration value : {Duration(0), Duration(-90min), Duration::min(), Duration::max()}) {
    EXPECT_EQ(parse_interval(format_interval(value)), value) << format_interval(value);
  }
}

TEST(ValueTypes, EpochTimesInEveryUnitAndFarYears) {
  EXPECT_EQ(parse_epoch_time("1442018818.771", TimeUnit::seconds), 1'442'018'818'771'000);
  EXPECT_EQ(parse_epoch_time("1442018818771", TimeUnit::milliseconds), 1'442'018'818'771'000);
  EXPECT_EQ(parse_epoch_time("-1", TimeUnit::microseconds), -1);
  EXPECT_EQ(parse_epoch_time("-1", TimeUnit::nanoseconds), -1);
  EXPECT_EQ(parse_epoch_time("1442018818771999999", TimeUnit::nanoseconds), 1'442'018'818'771'999);
  EXPECT_EQ(parse_epoch_time("9999999999999999", TimeUnit::seconds), std::nullopt);
  EXPECT_EQ(parse_epoch_time("-2208988800", TimeUnit::seconds), parse_iso_time("1900-01-01"));
  EXPECT_EQ(parse_epoch_time("10413792000", TimeUnit::seconds), parse_iso_time("2300-01-01"));
  for (const char* wrong : {"", "-", "1.", ".5", "1e3", "+1", " 1"}) {
    EXPECT_EQ(parse_epoch_time(wrong, TimeUnit::seconds), std::nullopt) << wrong;
  }
}

TEST(ValueTypes, BorrowedTextInListsAndMapsIsCopied) {
  struct Lists {
    std::vector<std::string_view> tags;
    std::map<std::string, std::string_view> names;
  };
  static_assert(Schema<Lists>::kBorrows);
  std::string text = "abcdef";
  Lists lists{{std::string_view(text).substr(0, 2)}, {{"k", std::string_view(text).substr(2)}}};
  EXPECT_EQ(Schema<Lists>::borrowed_bytes(lists), 6u);
  Arena arena(64);
  Schema<Lists>::rehome(lists, arena);
  text.assign(6, 'X');
  EXPECT_EQ(lists.tags[0], "ab");
  EXPECT_EQ(lists.names["k"], "cdef");
}

TEST(ValueTypes, ListsAndMapsCountWhatTheyHold) {
  static_assert(kHoldsHeap<Everything> && !kHoldsHeap<Decimal<2>>);
  std::vector<std::string> texts(3);
  texts[0].assign(1'000, 'x');
  const std::size_t list = heap_bytes_of(texts);
  EXPECT_GE(list, 1'000 + 3 * sizeof(std::string));
  EXPECT_LT(list, 2'000u);
  std::map<std::string, std::vector<Point>> map;
  EXPECT_EQ(heap_bytes_of(map), 0u);
  map["k"].resize(100);
  EXPECT_GE(heap_bytes_of(map), 100 * sizeof(Point));
}

TEST(ValueTypes, KeysHashByValueAndAreStored) {
  Arena arena(64);
  using Key = std::tuple<Decimal<2>, Duration, char, Side, bool>;
  const Key key{Decimal<2>{5}, 3s, 'c', Side::buy, true};
  const auto stored = KeyTraits<Key>::store(key, arena);
  EXPECT_TRUE(KeyTraits<Key>::equals(stored, key));
  EXPECT_NE(KeyTraits<Decimal<2>>::hash({5}), KeyTraits<Decimal<2>>::hash({6}));
  EXPECT_NE(KeyTraits<Duration>::hash(1s), KeyTraits<Duration>::hash(2s));
  static_assert(!KeyType<std::vector<int>>);
}

}  // namespace
}  // namespace millrace::detail
