// Rows as bytes of a key's state, rows of typed records, rows that are made of their index.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connector/row_generator.hpp"
#include "operator/record_rows.hpp"
#include "operator/row_picks.hpp"

namespace millrace::detail {
namespace {

struct Inner {
  int a = 0;
};
struct Record {
  std::string name;
  std::optional<double> price;
  Inner inner;
  bool paid = false;
};

TEST(HeldRows, ComeBackAsTheyWere) {
  const auto schema = std::make_shared<const RowSchema>(
      std::vector<ColumnInfo>{{"flag", ColumnType::boolean, true},
                              {"number", ColumnType::integer, true},
                              {"real", ColumnType::real, true},
                              {"text", ColumnType::text, true},
                              {"time", ColumnType::timestamp},
                              {"list", ColumnType::object}});
  RowBatch batch;
  batch.values.begin(schema);
  const auto put = [&](bool nulls, bool flag, std::int64_t number, double real,
                       std::string_view text) {
    const std::size_t at = batch.size();
    RowColumns& rows = batch.values;
    nulls ? rows.column(0).put_null(at) : rows.column(0).put_boolean(at, flag);
    nulls ? rows.column(1).put_null(at) : rows.column(1).put_integer(at, number);
    nulls ? rows.column(2).put_null(at) : rows.column(2).put_real(at, real);
    nulls ? rows.column(3).put_null(at) : rows.column(3).put_text(at, text);
    rows.column(4).put_integer(at, number);
    rows.column(5).put_text(at, flag ? "[1,2]" : "[]");
    rows.end_row();
  };
  const std::string zeros("a\0b", 3);
  put(false, true, std::numeric_limits<std::int64_t>::min(), -0.0, "");
  put(true, false, -1, 0, "");
  put(false, false, std::numeric_limits<std::int64_t>::max(), std::nan(""), zeros);

  HeldRecord<RowRef> form;
  Output<RowRef> out;
  RowBatch back;
  out.bind(back);
  for (std::size_t at = 0; at < batch.size(); ++at) form.emit(form.hold(batch.values[at]), out);
  ASSERT_EQ(back.size(), batch.size());
  EXPECT_TRUE(back.values[0].boolean(0));
  EXPECT_EQ(back.values[0].integer(1), std::numeric_limits<std::int64_t>::min());
  EXPECT_TRUE(std::signbit(back.values[0].real(2)));
  EXPECT_FALSE(back.values[0].is_null(3));
  for (std::size_t field = 0; field < 4; ++field) EXPECT_TRUE(back.values[1].is_null(field));
  EXPECT_EQ(back.values[1].integer(4), -1);
  EXPECT_FALSE(back.values[2].boolean(0));
  EXPECT_TRUE(std::isnan(back.values[2].real(2)));
  EXPECT_EQ(back.values[2].text(3), zeros);
  EXPECT_NE(back.values[2].text(3).data(), batch.values[2].text(3).data());
  EXPECT_EQ(back.values[0].text(5), "[1,2]");
}

TEST(RowGenerators, GiveTheSameRowsWhateverComesBefore) {
  const auto schema =
      std::make_shared<const RowSchema>(std::vector<ColumnInfo>{{"index", ColumnType::integer},
                                                                {"die", ColumnType::integer},
                                                                {"share", ColumnType::real},
                                                                {"side", ColumnType::text},
                                                                {"at", ColumnType::timestamp}});
  const auto rules = std::make_shared<const std::vector<FieldRule>>(
      std::vector<FieldRule>{IndexField{}, RandomNumber{-3, 3}, RandomReal{0, 1},
                             OneOfTexts{{"head", "tail"}, false}, SteadyTimes{kTimeMax - 10, 7}});
  const RowGenerator make(schema, rules, 1);
  RowColumns all;
  for (std::uint64_t index = 0; index < 1000; ++index) make.append(index, all);
  std::vector<int> faces(7);
  for (std::size_t at = 0; at < all.size(); ++at) {
    RowColumns alone;
    make.append(at, alone);
    for (std::size_t field : {0u, 1u, 4u}) {
      ASSERT_EQ(alone[0].integer(field), all[at].integer(field));
    }
    ASSERT_EQ(alone[0].text(3), all[at].text(3));
    ASSERT_TRUE(all[at].real(2) >= 0 && all[at].real(2) < 1);
    ++faces.at(static_cast<std::size_t>(all[at].integer(1) + 3));
  }
  for (const int count : faces) EXPECT_GT(count, 80);
  EXPECT_EQ(all[2].integer(4), kTimeMax);  // it stops there
  RowColumns other;
  RowGenerator(schema, rules, 2).append(7, other);
  EXPECT_NE(other[0].real(2), all[7].real(2));
}

TEST(RecordRows, HaveJsonForListsAndStructs) {
  const RowSchemaPtr schema = schema_of_records<Record>();
  ASSERT_EQ(schema->fields().size(), 4u);
  EXPECT_EQ(schema->fields()[1].type, ColumnType::real);
  EXPECT_TRUE(schema->fields()[1].optional);
  EXPECT_EQ(schema->fields()[2].type, ColumnType::object);
}

}  // namespace
}  // namespace millrace::detail
