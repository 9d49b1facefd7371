// Rows: columns, nulls, keys of several fields, what the runtime does with their batches.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "operator/row_fields.hpp"
#include "record/row_reader.hpp"

namespace millrace::detail {
namespace {

RowSchemaPtr schema() {
  static const auto kSchema = std::make_shared<const RowSchema>(
      std::vector<ColumnInfo>{{"flag", ColumnType::boolean, true},
                              {"number", ColumnType::integer, true},
                              {"real", ColumnType::real, true},
                              {"text", ColumnType::text, true},
                              {"time", ColumnType::timestamp}});
  return kSchema;
}

/// Rows of JSON lines; what they borrow lies in `texts`.
void read(const std::vector<std::string>& lines, RowBatch& batch, Arena& texts) {
  RowJsonFormat format(schema());
  for (const std::string& line : lines) {
    ASSERT_EQ(format.append(line, batch.values, texts), Decoded::record) << format.error();
  }
}

std::string shown(const RowBatch& batch) {
  std::string all;
  for (std::size_t at = 0; at < batch.size(); ++at) {
    append_row_json(all, batch.values[at]);
    all += '\n';
  }
  return all;
}

const std::vector<std::string> kLines = {
    R"({"flag":true,"number":-5,"real":1.5,"text":"a","time":1000})",
    R"({"flag":null,"number":null,"text":null,"time":"1970-01-01T00:00:02Z"})",
    R"({"flag":false,"number":7,"real":-0.0,"text":"b\"c","time":-1})",
};

TEST(Rows, AreReadWithNullsAndMissingFields) {
  Arena texts(1024);
  RowBatch batch;
  read(kLines, batch, texts);
  EXPECT_EQ(shown(batch),
            R"({"flag":true,"number":-5,"real":1.5,"text":"a","time":"1970-01-01T00:00:01Z"})"
            "\n"
            R"({"flag":null,"number":null,"real":null,"text":null,"time":"1970-01-01T00:00:02Z"})"
            "\n"
            R"({"flag":false,"number":7,"real":-0,"text":"b\"c","time":"1969-12-31T23:59:59.999Z"})"
            "\n");
  RowJsonFormat format(schema());
  EXPECT_EQ(format.append(R"({"number":1})", batch.values, texts), Decoded::failed);
  EXPECT_EQ(batch.size(), 3u);
}

TEST(Rows, ColumnsAreLaidOutAsArrowSays) {
  Arena texts(1024);
  RowBatch batch;
  read(kLines, batch, texts);
  const Column& number = batch.values.column(1);
  ASSERT_TRUE(number.has_nulls());
  EXPECT_EQ(number.valid().data()[0] & 7, 0b101);
  EXPECT_EQ(static_cast<std::int64_t>(number.words()[2]), 7);
  EXPECT_FALSE(batch.values.column(4).has_nulls());
}

TEST(Rows, ArePickedAndJoinedWithTheirNulls) {
  Arena texts(1024);
  RowBatch batch;
  read(kLines, batch, texts);
  const BatchType& type = batch_type<RowRef>();
  RowBatch picked;
  type.append(picked, batch, std::vector<std::uint32_t>{2, 1});
  type.append(picked, batch, std::vector<std::uint32_t>{0});
  type.append_all(picked, batch);
  ASSERT_EQ(picked.size(), 6u);
  // Rows refer to the texts of the lines they were read from.
  const std::vector<std::string> lines = {kLines[2], kLines[1], kLines[0],
                                          kLines[0], kLines[1], kLines[2]};
  RowBatch wanted;
  read(lines, wanted, texts);
  EXPECT_EQ(shown(picked), shown(wanted));
  picked.values.truncate(2);
  EXPECT_EQ(picked.size(), 2u);
}

TEST(Rows, OwnTheirTextsWhenTheyMoveHouse) {
  RowBatch batch;
  {
    const ArenaRef arena = ArenaRef::make(64);
    read(kLines, batch, *arena);
    const std::string text = "of an arena that goes";
    batch.values.column(3).visit_texts(
        [&](std::string_view& view) { view = view.empty() ? view : arena->intern(text); });
    batch.pin(arena);
    batch_type<RowRef>().rehome(batch);
    ASSERT_EQ(batch.arenas.size(), 1u);
    EXPECT_FALSE(batch.arenas.front() == arena);
  }
  EXPECT_EQ(batch.values[0].text(3), "of an arena that goes");
  EXPECT_TRUE(batch.values[1].is_null(3));
}

TEST(Rows, CarryListsAsJson) {
  RowBatch batch;
  std::string texts = R"([1,2]["a"])";
  batch.values.begin(std::make_shared<const RowSchema>(
      std::vector<ColumnInfo>{{"n", ColumnType::integer}, {"list", ColumnType::object, true}}));
  const auto put = [&](std::size_t at, std::size_t begin, std::size_t size) {
    Column& list = batch.values.column(1);
    batch.values.column(0).put_integer(at, static_cast<std::int64_t>(at));
    size == 0 ? list.put_null(at) : list.put_text(at, std::string_view(texts).substr(begin, size));
    batch.values.end_row();
  };
  put(0, 0, 5);
  put(1, 5, 5);
  RowBatch whole;  // without a null its columns are copied whole
  const BatchType& type = batch_type<RowRef>();
  type.append(whole, batch, std::vector<std::uint32_t>{1, 0});
  type.append_all(whole, batch);
  put(2, 0, 0);
  type.append(whole, batch, std::vector<std::uint32_t>{2, 0});
  EXPECT_EQ(text_bytes(whole.values), 25u);
  whole.pin(ArenaRef::make(16));
  type.rehome(whole);
  texts.assign(texts.size(), '?');  // what the rows were made of has changed hands
  EXPECT_EQ(shown(whole),
            "{\"n\":1,\"list\":[\"a\"]}\n{\"n\":0,\"list\":[1,2]}\n"
            "{\"n\":0,\"list\":[1,2]}\n{\"n\":1,\"list\":[\"a\"]}\n"
            "{\"n\":2,\"list\":null}\n{\"n\":0,\"list\":[1,2]}\n");
}

TEST(KeyFields, SortAsTheirFieldsAndComeBack) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  RowBatch batch;
  batch.values.begin(schema());
  // In their order: null first, then by number, real, text.
  const std::vector<double> reals = {-kInf, -2.5, -0.0, 1e-300, 3, kInf, std::nan("")};
  const std::vector<std::string> texts = {
      "", std::string("\0", 1), std::string("\0b", 2), "a", std::string("a\0", 2), "ab", "\xff"};
  const auto put = [&](std::optional<std::int64_t> number, double real, const std::string& text) {
    const std::size_t at = batch.size();
    batch.values.column(0).put_boolean(at, true);
    number ? batch.values.column(1).put_integer(at, *number) : batch.values.column(1).put_null(at);
    batch.values.column(2).put_real(at, real);
    batch.values.column(3).put_text(at, text);
    batch.values.column(4).put_integer(at, 0);
    batch.values.end_row();
  };
  const std::vector<std::optional<std::int64_t>> numbers = {
      std::nullopt, std::numeric_limits<std::int64_t>::min(), -1, 0, 5};
  for (const auto& number : numbers) {
    for (const double real : reals) {
      for (const std::string& text : texts) put(number, real, text);
    }
  }
  const KeyFields key({1, 2, 3});
  std::vector<std::string> keys;
  for (std::size_t at = 0; at < batch.size(); ++at) keys.push_back(key(batch.values[at]));
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_EQ(std::adjacent_find(keys.begin(), keys.end()), keys.end());

  Arena arena(1024);
  RowBatch back;
  back.values.begin(std::make_shared<const RowSchema>(std::vector<ColumnInfo>{
      schema()->fields()[1], schema()->fields()[2], schema()->fields()[3]}));
  for (const std::string& one : keys) {
    put_key_fields(one, back.values, 0, 3, arena);
    back.values.end_row();
  }
  for (std::size_t at = 0; at < batch.size(); ++at) {
    ASSERT_EQ(back.values[at].is_null(0), batch.values[at].is_null(1));
    ASSERT_EQ(back.values[at].integer(0), batch.values[at].integer(1));
    const double real = batch.values[at].real(2);
    ASSERT_TRUE(back.values[at].real(1) == real || std::isnan(real));
    ASSERT_EQ(back.values[at].text(2), batch.values[at].text(3));
  }
}

}  // namespace
}  // namespace millrace::detail
