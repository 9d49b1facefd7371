// Tests of Schema<T>: names, columns, what is refused, borrowed text, JSON text and cell values.
#include "record/schema.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "metrics/report.hpp"
#include "record/field_value.hpp"
#include "record/record_json.hpp"

namespace millrace {
namespace {

struct Place {
  std::string_view city;
  double latitude = 0;
};

struct Edit {
  Timestamp time;
  std::string page;
  std::string_view user;
  bool is_robot = false;
  std::int64_t delta = 0;
  std::optional<int> metro_code;
  std::optional<std::string_view> region;
  Place place;
  std::optional<Place> origin;
  float weight = 0;

  static constexpr auto fields() {
    return std::tuple{field(&Edit::is_robot, "isBot"), field(&Edit::weight, "größe")};
  }
};

struct Widest {
  int m0 = 0, m1 = 1, m2 = 2, m3 = 3, m4 = 4, m5 = 5, m6 = 6, m7 = 7, m8 = 8, m9 = 9, m10 = 10,
      m11 = 11, m12 = 12, m13 = 13, m14 = 14, m15 = 15;
  int m16 = 16, m17 = 17, m18 = 18, m19 = 19, m20 = 20, m21 = 21, m22 = 22, m23 = 23, m24 = 24,
      m25 = 25, m26 = 26, m27 = 27, m28 = 28, m29 = 29, m30 = 30, m31 = 31;
  int m32 = 32, m33 = 33, m34 = 34, m35 = 35, m36 = 36, m37 = 37, m38 = 38, m39 = 39, m40 = 40,
      m41 = 41, m42 = 42, m43 = 43, m44 = 44, m45 = 45, m46 = 46, m47 = 47;
  int m48 = 48, m49 = 49, m50 = 50, m51 = 51, m52 = 52, m53 = 53, m54 = 54, m55 = 55, m56 = 56,
      m57 = 57, m58 = 58, m59 = 59, m60 = 60, m61 = 61, m62 = 62, m63 = 63;
};
struct TooWide {
  Widest first;
  int m0 = 0, m1 = 1, m2 = 2, m3 = 3, m4 = 4, m5 = 5, m6 = 6, m7 = 7, m8 = 8, m9 = 9, m10 = 10,
      m11 = 11, m12 = 12, m13 = 13, m14 = 14, m15 = 15;
  int m16 = 16, m17 = 17, m18 = 18, m19 = 19, m20 = 20, m21 = 21, m22 = 22, m23 = 23, m24 = 24,
      m25 = 25, m26 = 26, m27 = 27, m28 = 28, m29 = 29, m30 = 30, m31 = 31;
  int m32 = 32, m33 = 33, m34 = 34, m35 = 35, m36 = 36, m37 = 37, m38 = 38, m39 = 39, m40 = 40,
      m41 = 41, m42 = 42, m43 = 43, m44 = 44, m45 = 45, m46 = 46, m47 = 47;
  int m48 = 48, m49 = 49, m50 = 50, m51 = 51, m52 = 52, m53 = 53, m54 = 54, m55 = 55, m56 = 56,
      m57 = 57, m58 = 58, m59 = 59, m60 = 60, m61 = 61, m62 = 62, m63 = 63;
};

struct Widths {
  std::int8_t a = -128;
  std::uint8_t b = 255;
  std::int16_t c = -32768;
  std::uint16_t d = 65535;
  std::int32_t e = std::numeric_limits<std::int32_t>::min();
  std::uint32_t f = std::numeric_limits<std::uint32_t>::max();
  std::int64_t g = std::numeric_limits<std::int64_t>::min();
  std::uint64_t h = std::numeric_limits<std::uint64_t>::max();
  long long i = 1;
  unsigned long long j = 2;
};

struct One {
  std::string only;
};
struct Outer {
  One one;
  struct Middle {
    Place place;
    int level = 0;
  } middle;
};

template <class T>
struct Boxed {
  T content{};
  int count = 0;
};

std::vector<std::string> names_of(const std::vector<ColumnInfo>& columns) {
  std::vector<std::string> names;
  for (const ColumnInfo& column : columns) names.push_back(column.name);
  return names;
}

template <class T>
std::string json(const T& record) {
  std::string out;
  append_json(out, record);
  return out;
}

using Names = std::vector<std::string>;

TEST(Schema, TakesNamesFromTheStructAndItsRenames) {
  EXPECT_EQ(names_of(Schema<Edit>::columns()),
            (Names{"time", "page", "user", "isBot", "delta", "metro_code", "region", "place",
                   "origin", "größe"}));
  EXPECT_EQ(member_name(&Edit::is_robot), "isBot");
  EXPECT_EQ(member_name(&Edit::weight), "größe");
  EXPECT_EQ(member_name(&Edit::origin), "origin");
  EXPECT_EQ(member_name(&Edit::time), "time");
}

TEST(Schema, KnowsTheTypesOfColumns) {
  const auto& columns = Schema<Edit>::columns();
  const std::vector<ColumnType> expected{
      ColumnType::timestamp, ColumnType::text,    ColumnType::text, ColumnType::boolean,
      ColumnType::integer,   ColumnType::integer, ColumnType::text, ColumnType::object,
      ColumnType::object,    ColumnType::real};
  ASSERT_EQ(columns.size(), expected.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    EXPECT_EQ(columns[i].type, expected[i]) << i;
    EXPECT_EQ(columns[i].optional, i == 5 || i == 6 || i == 8) << i;
  }
  EXPECT_EQ(column_type_name(ColumnType::boolean), "bool");
  EXPECT_EQ(column_type_name(ColumnType::integer), "int");
  EXPECT_EQ(column_type_name(ColumnType::real), "double");
  EXPECT_EQ(column_type_name(ColumnType::text), "string");
  EXPECT_EQ(column_type_name(ColumnType::timestamp), "timestamp");
  EXPECT_EQ(column_type_name(ColumnType::object), "string");
}

TEST(Schema, DescribesSixtyFourMembers) {
  const auto& columns = Schema<Widest>::columns();
  ASSERT_EQ(columns.size(), 64u);
  int index = 0;
  Schema<Widest>::for_each(Widest{}, [&index](std::string_view name, const int& value) {
    EXPECT_EQ(name, "m" + std::to_string(index));
    EXPECT_EQ(value, index);
    ++index;
  });
  EXPECT_EQ(index, 64);
}

TEST(Schema, DescribesTypesInsideFunctionsAndTemplates) {
  struct Local {
    int here = 1;
    std::string there;
  };
  EXPECT_EQ(names_of(Schema<Local>::columns()), (Names{"here", "there"}));
  EXPECT_EQ(names_of(Schema<Boxed<std::string>>::columns()), (Names{"content", "count"}));
  EXPECT_EQ(names_of(Schema<Boxed<Boxed<int>>>::columns()), (Names{"content", "count"}));
  EXPECT_EQ(names_of(Schema<One>::columns()), Names{"only"});
}

TEST(Schema, ScalarsAndTuplesHaveColumnsToo) {
  EXPECT_EQ(names_of(Schema<int>::columns()), Names{"value"});
  EXPECT_EQ(names_of(Schema<std::string_view>::columns()), Names{"value"});
  EXPECT_EQ(Schema<Timestamp>::columns()[0].type, ColumnType::timestamp);
  EXPECT_EQ((names_of(Schema<std::pair<std::string, int>>::columns())), (Names{"key1", "key2"}));
  EXPECT_EQ((names_of(Schema<std::tuple<int, bool, Timestamp>>::columns())),
            (Names{"key1", "key2", "key3"}));
}

TEST(Schema, ForEachGivesMembersToChange) {
  Widths widths;
  Schema<Widths>::for_each(widths, [](std::string_view, auto& member) { member = 7; });
  EXPECT_EQ(widths.a, 7);
  EXPECT_EQ(widths.j, 7u);
  std::pair<std::string, int> pair{"a", 1};
  Schema<std::pair<std::string, int>>::for_each(
      pair, [](std::string_view, auto& member) { member = {}; });
  EXPECT_EQ(pair.first, "");
  EXPECT_EQ(pair.second, 0);
}

// ---- what is refused, without an error of the compiler ----

class Private {
 public:
  int shown = 0;

 private:
  [[maybe_unused]] int hidden_ = 0;
};
struct WithConstructor {
  explicit WithConstructor(int) {}
  int x = 0;
};
struct WithVirtual {
  virtual ~WithVirtual() = default;
  int x = 0;
};
struct WithReference {
  int& x;
};
[[maybe_unused]] int some_int = 0;
struct WithDefaultReference {
  int a = 0;
  int& x = some_int;
};
struct WithConst {
  const int x = 0;
};
struct WithArray {
  int a = 0;
  int x[3] = {};
};
struct WithArrayFirst {
  char x[8] = {};
  int a = 0;
};
struct WithArrayOfOne {
  int x[1] = {};
};
struct WithBits {
  int a : 3;
  int b = 0;
};
struct EmptyBase {};
struct WithBase : Place {
  int a = 0;
};
struct WithEmptyBase : EmptyBase {
  int a = 0;
};
struct WithVector {
  std::vector<bool> x;
};
struct WithPointers {
  std::unique_ptr<int> a;
  int* b = nullptr;
  std::function<void()> c;
};
struct WithChar {
  wchar_t c = L'a';
};
struct WithNestedBad {
  WithVector inner;
};
struct WithOptionalOfOptional {
  std::optional<std::optional<int>> x;
};
struct WithTuple {
  std::pair<int, int> x;
};
struct WithStdArray {
  std::array<int, 3> x{};
};
struct Empty {};
enum OpenEnum { kOpen };  // without a type behind it: its values cannot be looked at one by one
struct WithEnum {
  OpenEnum value = kOpen;
};
union Either {
  int a;
  float b;
};

using detail::kRefusal;
using detail::Refusal;

TEST(Described, IsTrueForWhatCanBeDescribed) {
  static_assert(Described<Edit> && Described<Widest> && Described<Widths> && Described<Outer>);
  static_assert(Described<bool> && Described<std::uint8_t> && Described<float> &&
                Described<std::string>);
  static_assert(Described<std::pair<int, std::string_view>> && Described<std::tuple<Edit, int>>);
}

TEST(Described, NamesTheReasonForTheRest) {
  static_assert(kRefusal<Private> == Refusal::not_plain &&
                kRefusal<WithConstructor> == Refusal::not_plain);
  static_assert(kRefusal<WithVirtual> == Refusal::not_plain &&
                kRefusal<Either> == Refusal::not_plain);
  static_assert(kRefusal<std::array<int, 3>> == Refusal::not_plain &&
                kRefusal<OpenEnum> == Refusal::not_plain);
  static_assert(kRefusal<std::vector<int>> == Refusal::not_plain &&
                kRefusal<int*> == Refusal::not_plain);
  static_assert(kRefusal<WithReference> == Refusal::no_default);
  static_assert(kRefusal<WithDefaultReference> == Refusal::not_assignable);
  static_assert(kRefusal<WithConst> == Refusal::not_assignable);
  static_assert(kRefusal<Empty> == Refusal::no_members && kRefusal<TooWide> == Refusal::too_many);
  static_assert(kRefusal<WithArray> == Refusal::array_or_union);
  static_assert(kRefusal<WithArrayFirst> == Refusal::array_or_union);
  static_assert(kRefusal<WithBase> == Refusal::base && kRefusal<WithEmptyBase> == Refusal::base);
  static_assert(kRefusal<WithBits> == Refusal::bit_field);
  static_assert(kRefusal<WithVector> == Refusal::member_type &&
                kRefusal<WithPointers> == Refusal::member_type);
  static_assert(kRefusal<WithChar> == Refusal::member_type &&
                kRefusal<WithEnum> == Refusal::member_type);
  static_assert(kRefusal<WithArrayOfOne> == Refusal::member_type);
  static_assert(kRefusal<WithNestedBad> == Refusal::member_type);
  static_assert(kRefusal<WithOptionalOfOptional> == Refusal::member_type);
  static_assert(kRefusal<WithTuple> == Refusal::member_type &&
                kRefusal<WithStdArray> == Refusal::member_type);
  static_assert(kRefusal<std::tuple<>> == Refusal::keys &&
                kRefusal<std::pair<int, wchar_t>> == Refusal::keys);
  static_assert(!Described<const Edit> && !Described<Edit&> && !Described<void> &&
                !Described<int[3]>);
  const auto lambda = [x = 1] { return x; };
  static_assert(!Described<decltype(lambda)> && !Described<std::remove_const_t<decltype(lambda)>>);
  static_assert(!Described<std::function<void()>> && !Described<std::map<int, int>>);
}

// ---- borrowed text ----

TEST(Borrow, IsSeenAtAnyDepth) {
  static_assert(Schema<Edit>::kBorrows && Schema<Place>::kBorrows && Schema<Outer>::kBorrows);
  static_assert(Schema<Boxed<std::optional<Place>>>::kBorrows &&
                Schema<std::string_view>::kBorrows);
  static_assert(Schema<std::tuple<int, Place>>::kBorrows);
  static_assert(!Schema<One>::kBorrows && !Schema<Widths>::kBorrows &&
                !Schema<std::string>::kBorrows);
  static_assert(!Schema<std::pair<int, std::string>>::kBorrows);
}

TEST(Borrow, RehomeCopiesEveryView) {
  std::string text = "user1region2city3city4";
  const std::string_view all = text;
  Edit edit;
  edit.page = "own";
  edit.user = all.substr(0, 5);
  edit.region = all.substr(5, 7);
  edit.place.city = all.substr(12, 5);
  edit.origin = Place{all.substr(17, 5), 1.5};
  detail::Arena arena(4096);
  EXPECT_EQ(Schema<Edit>::borrowed_bytes(edit), 22u);
  Schema<Edit>::rehome(edit, arena);
  text.assign(text.size(), '#');
  EXPECT_EQ(edit.user, "user1");
  EXPECT_EQ(*edit.region, "region2");
  EXPECT_EQ(edit.place.city, "city3");
  EXPECT_EQ(edit.origin->city, "city4");
  EXPECT_EQ(arena.used_bytes(), 22u);
}

TEST(Borrow, RehomeOfEmptyAndAbsentTextIsFine) {
  Edit edit;
  detail::Arena arena(64);
  Schema<Edit>::rehome(edit, arena);
  EXPECT_EQ(edit.user, "");
  EXPECT_FALSE(edit.region.has_value());
  std::pair<int, std::string_view> pair{1, "literal"};
  Schema<std::pair<int, std::string_view>>::rehome(pair, arena);
  EXPECT_EQ(pair.second, "literal");
  EXPECT_EQ(arena.used_bytes(), 7u);
}

// ---- JSON text ----

TEST(RecordJson, WritesEveryKindOfMember) {
  Edit edit;
  edit.time.micros = 1'442'018'818'771'000;
  edit.page = "a \"b\"";
  edit.user = "ü";
  edit.delta = -36;
  edit.metro_code = 5;
  edit.place = {"Rome", 41.9};
  EXPECT_EQ(
      json(edit),
      R"({"time":"2015-09-12T00:46:58.771Z","page":"a \"b\"","user":"ü","isBot":false,"delta":-36,)"
      R"("metro_code":5,"region":null,"place":{"city":"Rome","latitude":41.9},"origin":null,)"
      R"("größe":0})");
}

TEST(RecordJson, WritesNumbersSoThatTheyComeBack) {
  EXPECT_EQ(json(Widths{}),
            R"({"a":-128,"b":255,"c":-32768,"d":65535,"e":-2147483648,"f":4294967295,)"
            R"("g":-9223372036854775808,"h":18446744073709551615,"i":1,"j":2})");
  EXPECT_EQ(json(0.1), "0.1");
  EXPECT_EQ(json(0.1f), "0.1");
  EXPECT_EQ(json(1e300), "1e+300");
  EXPECT_EQ(json(5.0), "5");
  EXPECT_EQ(json(std::nan("")), "null");
  EXPECT_EQ(json(-std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(json(std::numeric_limits<float>::infinity()), "null");
}

TEST(RecordJson, WritesScalarsBareAndTuplesAsArrays) {
  EXPECT_EQ(json(true), "true");
  EXPECT_EQ(json(std::string("a\nb")), "\"a\\nb\"");
  EXPECT_EQ(json(Timestamp{0}), "\"1970-01-01T00:00:00Z\"");
  EXPECT_EQ(json(std::pair<std::string, int>("x", 3)), "[\"x\",3]");
  EXPECT_EQ(json(std::tuple<int, Place, std::optional<int>>(1, {"y", 2}, {})),
            R"([1,{"city":"y","latitude":2},null])");
}

// ---- cells ----

static_assert(std::is_same_v<detail::Value, detail::Cell>);

TEST(Values, AreOnePerColumn) {
  Edit edit;
  edit.page = "p";
  edit.user = "u";
  edit.time.micros = 5;
  edit.place.city = "Rome";
  edit.weight = 0.5f;
  std::vector<detail::Value> values;
  detail::append_values(values, edit);
  ASSERT_EQ(values.size(), Schema<Edit>::columns().size());
  EXPECT_EQ(std::get<Timestamp>(values[0]).micros, 5);
  EXPECT_EQ(std::get<std::string>(values[1]), "p");
  EXPECT_EQ(std::get<std::string>(values[2]), "u");
  EXPECT_EQ(std::get<bool>(values[3]), false);
  EXPECT_EQ(std::get<std::int64_t>(values[4]), 0);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(values[5]));
  EXPECT_EQ(std::get<std::string>(values[7]), R"({"city":"Rome","latitude":0})");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(values[8]));
  EXPECT_EQ(std::get<double>(values[9]), 0.5);
}

TEST(Values, UnsignedBeyondInt64IsTextWithAllDigits) {
  std::vector<detail::Value> values;
  detail::append_values(values, std::numeric_limits<std::uint64_t>::max());
  detail::append_values(values, std::uint64_t{7});
  EXPECT_EQ(std::get<std::string>(values[0]), "18446744073709551615");
  EXPECT_EQ(std::get<std::int64_t>(values[1]), 7);
}

}  // namespace
}  // namespace millrace
