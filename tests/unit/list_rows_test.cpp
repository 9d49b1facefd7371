// Rows whose value is a list: its column, and its cell as JSON.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "millrace/sketches.hpp"
#include "operator/row_shape.hpp"

namespace millrace::detail {
namespace {

template <class V>
std::vector<Value> cells_of(const V& value) {
  std::vector<Value> cells;
  append_cells(cells, Aggregate<std::int32_t, V>{7, value, 0, 10});
  return cells;
}

TEST(ListRows, AreShownAsJsonInOneColumn) {
  using Texts = std::vector<std::string>;
  const auto columns = RowShape<Aggregate<std::int32_t, Texts>>::columns({{"key"}, "list", true});
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns[1].name, "list");
  EXPECT_EQ(columns[1].type, ColumnType::object);
  EXPECT_EQ(cells_of(Texts{"a", "b\"c"}), (std::vector<Value>{std::int64_t{7}, R"(["a","b\"c"])"}));
  EXPECT_EQ(cells_of(Texts{}), (std::vector<Value>{std::int64_t{7}, "[]"}));
  EXPECT_EQ(cells_of(std::vector<Frequent<std::string>>{{"x", 5, 1}}),
            (std::vector<Value>{std::int64_t{7}, R"([{"value":"x","count":5,"error":1}])"}));
}

TEST(ListRows, ThatMayBeAbsentAreNull) {
  using Reals = std::optional<std::vector<double>>;
  const auto columns = RowShape<Aggregate<std::int32_t, Reals>>::columns({{"key"}, "q", true});
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_TRUE(columns[1].optional);
  EXPECT_EQ(cells_of(Reals()), (std::vector<Value>{std::int64_t{7}, std::monostate()}));
  EXPECT_EQ(cells_of(Reals({1.5, 2})), (std::vector<Value>{std::int64_t{7}, "[1.5,2]"}));
}

}  // namespace
}  // namespace millrace::detail
