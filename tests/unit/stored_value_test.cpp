// Stored values: shapes as text, what a later program reads of an older one, what it refuses.
#include "record/stored_value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace millrace::detail {
namespace {

using testing::HasSubstr;

enum class Color : std::uint8_t { red, green = 4 };

struct Place {
  std::string name;
  double height = 0;
};
struct Visit {
  std::string user;
  int n = 0;
  Timestamp at{};
  std::vector<std::string> tags = {};
  std::optional<std::string> note = {};
  Color color = Color::red;
  std::map<std::string, Place> places = {};
  Decimal<2> paid = {};
};

template <class T>
std::string stored(const T& value) {
  std::string bytes;
  store_value(bytes, value);
  return bytes;
}

/// What a program that keeps To makes of what one that kept From has stored; nullopt: it cannot.
template <class To, class From>
std::optional<To> read_as(const From& value) {
  const auto reader = StoredReader<To>::of(stored_shape<From>());
  if (!reader) return std::nullopt;
  const std::string bytes = stored(value);
  BytesCursor in(bytes);
  To read;
  if (!reader->read(in, read) || !in.rest().empty()) return std::nullopt;
  return read;
}

template <class To, class From>
std::string refusal() {
  return StoredReader<To>::of(stored_shape<From>()).error().to_string();
}

TEST(StoredShape, IsTextOfNamesAndTypes) {
  EXPECT_EQ(stored_shape<Visit>(),
            "{user:text,n:int32,at:time,tags:[text],note:text?,color:uenum1(red=0,green=4),"
            "places:<text:{name:text,height:real64}>,paid:decimal2}");
  EXPECT_EQ(stored_shape<std::int64_t>(), "int64");
  EXPECT_EQ((stored_shape<std::tuple<int, std::string_view>>()), "{key1:int32,key2:text}");
}

TEST(StoredValue, OfTheSameShapeIsTheSame) {
  const Visit visit{"ann", -7,           Timestamp{5},          {"", "b"},
                    "hm",  Color::green, {{"top", {"x", 2.5}}}, {1250}};
  const auto read = read_as<Visit>(visit);
  ASSERT_TRUE(read);
  EXPECT_EQ(stored(*read), stored(visit));
  EXPECT_EQ(read->user, "ann");
  EXPECT_EQ(read->places.at("top").height, 2.5);
}

TEST(StoredValue, OfAnOlderProgramIsReadByTheNamesOfMembers) {
  struct Now {
    std::int64_t n = 1;
    std::string user;
    std::string city = "nowhere";
    std::optional<Timestamp> at = {};
    std::optional<std::string> note = {};
    struct PlaceNow {
      float depth = 3;
      double height = 0;
    };
    std::map<std::string, PlaceNow> places = {};
  };
  const auto read = read_as<Now>(
      Visit{"ann", -7, Timestamp{5}, {"gone"}, "hm", Color::green, {{"top", {"x", 2.5}}}, {1250}});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->n, -7);
  EXPECT_EQ(read->user, "ann");
  EXPECT_EQ(read->city, "nowhere");
  EXPECT_EQ(read->at, Timestamp{5});
  EXPECT_EQ(read->note, "hm");
  EXPECT_EQ(read->places.at("top").height, 2.5);
  EXPECT_EQ(read->places.at("top").depth, 3);
}

TEST(StoredValue, OfIntegersFitsOrIsRefusedWhereItIsRead) {
  EXPECT_EQ((read_as<std::int8_t>(std::int64_t{-128})), -128);
  EXPECT_EQ((read_as<std::int8_t>(std::int64_t{-129})), std::nullopt);
  EXPECT_EQ((read_as<std::uint64_t>(std::int8_t{-1})), std::nullopt);
  EXPECT_EQ((read_as<std::uint64_t>(std::int8_t{3})), 3u);
  EXPECT_EQ((read_as<std::int64_t>(std::numeric_limits<std::uint64_t>::max())), std::nullopt);
  EXPECT_EQ((read_as<double>(std::numeric_limits<std::uint64_t>::max())), 18446744073709551616.0);
  EXPECT_EQ((read_as<double>(std::int16_t{-2})), -2.0);
  EXPECT_EQ((read_as<double>(0.5f)), 0.5);
}

TEST(StoredValue, OfListsAndMapsOfNumbersIsReadElementByElement) {
  struct Before {
    std::vector<std::uint8_t> list;
    std::map<std::int32_t, std::vector<std::int16_t>> map;
  };
  struct Now {
    std::map<std::int64_t, std::vector<std::int64_t>> map;
    std::vector<std::optional<double>> list;
  };
  const auto read = read_as<Now>(Before{{1, 255}, {{-5, {7, -8}}}});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->list, (std::vector<std::optional<double>>{1.0, 255.0}));
  EXPECT_EQ(read->map, (std::map<std::int64_t, std::vector<std::int64_t>>{{-5, {7, -8}}}));
}

namespace before {
enum class Mood : int { calm, cross, glad };
}
namespace now {
enum class Mood : std::int8_t { glad = -1, calm = 9 };
}

TEST(StoredValue, OfAnEnumGoesByName) {
  EXPECT_EQ(read_as<now::Mood>(before::Mood::glad), now::Mood::glad);
  EXPECT_EQ(read_as<now::Mood>(before::Mood::calm), now::Mood::calm);
  EXPECT_EQ(read_as<now::Mood>(before::Mood::cross), std::nullopt);
}

struct NowText {
  std::string user;
  std::string n;
};
struct NowInner {
  std::map<std::string, std::string> places;
};
struct NowHeight {
  struct PlaceNow {
    std::int64_t height = 0;
  };
  std::map<std::string, PlaceNow> places;
};

TEST(StoredValue, ThatCannotBecomeWhatTheProgramHasIsRefusedByMember) {
  const std::string text = refusal<NowText, Visit>();
  EXPECT_THAT(text, HasSubstr("3004"));
  EXPECT_THAT(text, HasSubstr("member \"n\" was stored as int32 and the program has text"));
  EXPECT_THAT((refusal<NowInner, Visit>()),
              HasSubstr("\"places[]\" was stored as {name:text,height:real64}"));
  EXPECT_THAT((refusal<NowHeight, Visit>()), HasSubstr("\"places[].height\" was stored as real64"));
  EXPECT_THAT((refusal<std::int64_t, std::optional<std::int64_t>>()), HasSubstr("int64?"));
  EXPECT_THAT((refusal<Decimal<3>, Decimal<2>>()), HasSubstr("decimal3"));
  EXPECT_THAT((refusal<std::tuple<std::tuple<int>>, int>()), HasSubstr("{key1:{key1:int32}}"));
}

TEST(StoredValue, OfAShapeThatIsNoneIsRefused) {
  for (const char* shape : {"", "{", "{a:int32", "{a:int32}x", "[int32", "<text:int32", "int128",
                            "moments", "{a:int32??}", "enum3(red=0)", "enum1(red=)", "uenum1(red",
                            "{:int32}", "decimal", "(int32)", "{\"a:int32}"}) {
    EXPECT_FALSE(StoredReader<Visit>::of(shape)) << shape;
  }
  EXPECT_FALSE(StoredReader<Visit>::of("{a:" + std::string(100'000, '[')));
}

TEST(StoredValue, OfMoreElementsThanBytesIsRefused) {
  std::string bytes;
  put_varint(bytes, 1u << 20);
  bytes += "four";
  BytesCursor in(bytes);
  std::vector<std::int64_t> list;
  EXPECT_FALSE(load_value(in, list));
  EXPECT_TRUE(list.empty());
}

TEST(StoredValue, OfNamesThatAreNoIdentifiersKeepsThem) {
  struct Renamed {
    int count = 0;
    static constexpr auto fields() { return std::tuple{field(&Renamed::count, "how:many, {so}?")}; }
  };
  struct RenamedNow {
    std::int64_t many = 0;
    static constexpr auto fields() {
      return std::tuple{field(&RenamedNow::many, "how:many, {so}?")};
    }
  };
  EXPECT_EQ(stored_shape<Renamed>(), "{\"how:many, {so}?\":int32}");
  EXPECT_EQ(read_as<RenamedNow>(Renamed{4})->many, 4);
}

}  // namespace
}  // namespace millrace::detail
