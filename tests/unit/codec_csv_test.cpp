// Cells and columns of CSV: what is read, what is refused and with which words.
#include "record/codec_csv.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::detail {
namespace {

struct Place {
  std::string_view city;
  double height = 0;
};
struct Row {
  std::string_view name;
  std::int32_t count = 0;
  double price = 0;
  bool is_new = false;
  Timestamp time;
  std::optional<std::uint8_t> level;
  Place place;
};

constexpr std::string_view kHeader = "name,count,price,isNew,time,level,place.city,place.height";

/// Decodes one line with bytes behind it that mean something else.
template <class T>
class Reader {
 public:
  explicit Reader(std::string_view header = kHeader, CsvDialect dialect = {}) : decoder_(dialect) {
    bound = decoder_.bind_header(padded(header), "f.csv");
  }
  std::optional<T> read(std::string_view line) {
    T record{};
    if (decoder_.decode(padded(line), record, arena_) != Decoded::record) return std::nullopt;
    return record;
  }
  std::string why(std::string_view line) {
    EXPECT_FALSE(read(line)) << line;
    return decoder_.error();
  }
  Status bound;

 private:
  std::string_view padded(std::string_view line) {
    std::string copy(line);
    copy.append(CsvRow::kPaddingBytes, ',');
    return arena_.intern(copy).substr(0, line.size());
  }
  Arena arena_{1024};
  CsvDecoder<T> decoder_;
};

std::string row_with(std::string_view count, std::string_view price = "1.5") {
  return "a," + std::string(count) + "," + std::string(price) + ",true,2024-01-01,,x,1";
}

TEST(CsvDecoder, ReadsEachKind) {
  Reader<Row> reader;
  ASSERT_TRUE(reader.bound) << reader.bound.message();
  const auto row = reader.read("\"b \"\"x\"\", y\n\",-7,12.25,Yes,2024-01-01T00:00:01Z,9,Rome,21");
  ASSERT_TRUE(row);
  EXPECT_EQ(row->name, "b \"x\", y\n");
  EXPECT_EQ(row->count, -7);
  EXPECT_EQ(row->price, 12.25);
  EXPECT_TRUE(row->is_new);
  EXPECT_EQ(row->time.micros, 1'704'067'201'000'000);
  EXPECT_EQ(row->level, 9);
  EXPECT_EQ(row->place.city, "Rome");
  EXPECT_EQ(row->place.height, 21);
  EXPECT_EQ(reader.read(",\"1\",\"2\",0,1704067201000,,,0")->time.micros, 1'704'067'201'000'000);
  EXPECT_FALSE(reader.read(",1,2,0,1704067201000,,,0")->level);
}

TEST(CsvDecoder, ReadsNumbersAsPeopleWriteThem) {
  Reader<Row> reader;
  EXPECT_EQ(reader.read(row_with(" 12 "))->count, 12);
  EXPECT_EQ(reader.read(row_with("+007"))->count, 7);
  EXPECT_EQ(reader.read(row_with("00000000000000000000005"))->count, 5);
  EXPECT_EQ(reader.read(row_with("-2147483648"))->count, -2147483648);
  EXPECT_EQ(reader.read(row_with("1", ".5"))->price, 0.5);
  EXPECT_EQ(reader.read(row_with("1", "5."))->price, 5);
  EXPECT_EQ(reader.read(row_with("1", "-0.1"))->price, -0.1);
  EXPECT_EQ(reader.read(row_with("1", "9007199254740993"))->price, 9007199254740992.0);
  EXPECT_EQ(reader.read(row_with("1", "123456789012345678901234567890"))->price,
            1.2345678901234568e29);
  EXPECT_EQ(reader.read(row_with("1", "6.02e23"))->price, 6.02e23);
  EXPECT_TRUE(std::isnan(reader.read(row_with("1", "nan"))->price));
}

TEST(CsvDecoder, RefusesWithFieldFindingAndRange) {
  Reader<Row> reader;
  EXPECT_EQ(reader.why(row_with("many")), "field \"count\": expected an integer, found \"many\"");
  EXPECT_EQ(reader.why(row_with("")), "field \"count\": expected an integer, found an empty cell");
  EXPECT_EQ(reader.why(row_with("1.0")), "field \"count\": expected an integer, found \"1.0\"");
  EXPECT_EQ(reader.why(row_with("2147483648")),
            "field \"count\": \"2147483648\" is out of range (-2147483648 to 2147483647)");
  EXPECT_NE(reader.why(row_with("1", "1e400")).find("out of range"), std::string::npos);
  EXPECT_NE(reader.why(row_with("1", "1,5")).find("the row has 9 cells, where 8"),
            std::string::npos);
  EXPECT_NE(reader.why(row_with("1", "--5")).find("expected a number"), std::string::npos);
  EXPECT_NE(reader.why("\"a").find("nothing closes"), std::string::npos);
  EXPECT_NE(reader.why("\"a\"b,1").find("closing quote"), std::string::npos);
  EXPECT_NE(reader.why("\xff,1,1,1,1,,,1").find("UTF-8"), std::string::npos);
}

TEST(CsvDecoder, BindsByNameAndSaysWhatIsMissing) {
  struct Trade {
    double price = 0;
    std::optional<int> trade_size;
  };
  Reader<Trade> reader("extra, tradeSize ,\"price\"");
  EXPECT_EQ(reader.read("x,3,2.5")->price, 2.5);
  EXPECT_EQ(reader.read("x,3,2.5")->trade_size, 3);
  EXPECT_FALSE(Reader<Trade>("price").read("1")->trade_size);
  Reader<Trade> wrong("time,prize");
  EXPECT_EQ(wrong.bound.code(), Code::columns_mismatch);
  for (const char* part : {"\"f.csv\" has no column \"price\"", "\"time\", \"prize\"",
                           "did you mean \"prize\"?", "std::optional"}) {
    EXPECT_NE(wrong.bound.message().find(part), std::string::npos) << wrong.bound.message();
  }
}

TEST(CsvDecoder, SplitsLongRowsOfManyCells) {
  struct Ends {
    std::string_view c0;
    int c299 = 0;
  };
  std::string header;
  std::string line;
  for (int i = 0; i < 300; ++i) {
    header += (i ? ",c" : "c") + std::to_string(i);
    line += (i ? "," : "") + std::to_string(i);
  }
  Reader<Ends> reader(header);
  EXPECT_EQ(reader.read(line)->c299, 299);
  EXPECT_EQ(reader.read("\"" + std::string(500, ',') + "\"" + line.substr(1))->c0.size(), 500u);
}

TEST(CsvDecoder, TakesAnotherDialectAndNoQuotes) {
  struct Pair {
    std::string_view a;
    std::string_view b;
  };
  EXPECT_EQ(Reader<Pair>("a;b", {';', '\''}).read("'x;y';\"z")->a, "x;y");
  Reader<Pair> plain("a\tb", {'\t', '\0'});
  EXPECT_EQ(plain.read("\"x\ty\"")->b, "y\"");
  EXPECT_EQ(plain.read(std::string_view("\0\t\0", 3))->b.size(), 1u);
}

}  // namespace
}  // namespace millrace::detail
