// What a test driver sees of aggregates that are not final: open windows and running ones, whatever
// operator holds them.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "../hits.hpp"
#include "env/random.hpp"
#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"
#include "operator/held_rows.hpp"
#include "operator/row_fields.hpp"

namespace millrace {
namespace {

using shared::at;
using shared::Hit;

struct Bar {
  std::int64_t hits = 0;
  std::optional<double> mean = {};
};

/// Window in seconds, key, first value.
using Seen = std::tuple<std::int64_t, std::int64_t, std::string, std::int64_t>;
constexpr std::int64_t kNone = -1;

std::vector<Seen> seen(const std::vector<HeldValue>& held) {
  std::vector<Seen> seen;
  const auto seconds = [](const std::optional<Timestamp>& time) {
    return time ? time->micros / 1'000'000 : kNone;
  };
  for (const HeldValue& one : held) {
    seen.emplace_back(seconds(one.window_start), seconds(one.window_end), one.key,
                      std::get<std::int64_t>(one.values.at(0)));
  }
  return seen;
}

/// The hits of one source by key, aggregated as `declare` says under the name "sums".
class Held {
 public:
  template <class Declare>
  explicit Held(Declare declare, int parallelism = 1) {
    const auto hits = shared::hits(topology_).event_time(&Hit::when);
    declare(hits.key_by(&Hit::key)).named("sums").to(each([](const auto&) {}));
    driver_.emplace(topology_, TestDriverOptions{.parallelism = parallelism});
    input_.emplace(driver_->input<Hit>("hits"));
  }
  void pipe(std::vector<Hit> hits) { input_->pipe(std::move(hits)); }
  void end() { input_->end(); }
  std::vector<HeldValue> held() { return driver_->held("sums"); }
  std::vector<Seen> operator()() { return seen(held()); }

 private:
  Topology topology_{"held"};
  std::optional<TestDriver> driver_;
  std::optional<TestInput<Hit>> input_;
};
template <class Spec>
Held sums(const Spec& spec, int parallelism = 1) {
  return Held([&](const auto& keyed) { return keyed.window(spec).sum(&Hit::number); }, parallelism);
}

TEST(Held, OpenWindowsUntilTheyFire) {
  for (const int tasks : {1, 3}) {  // of several tasks those that combine hold the newest
    Held held = sums(sliding(10s, 5s), tasks);
    EXPECT_TRUE(held().empty());
    held.pipe({{1, 1, at(2)}, {2, 2, at(3)}, {1, 4, at(6)}});
    EXPECT_EQ(held(), (std::vector<Seen>{{0, 10, "1", 5}, {0, 10, "2", 2}, {5, 15, "1", 4}}))
        << tasks;  // [-5, 5) has fired
    held.pipe({{1, 8, at(12)}});
    EXPECT_EQ(held(), (std::vector<Seen>{{5, 15, "1", 12}, {10, 20, "1", 8}})) << tasks;
    held.end();
    EXPECT_TRUE(held().empty());
  }
}

TEST(Held, WindowsThatEmitAgainAreHeldAsLongAsLateRecordsCount) {
  Held held = sums(tumbling(10s).allowed_lateness(10s).early(every(4s)));
  held.pipe({{1, 1, at(2)}, {1, 2, at(5)}, {2, 4, at(12)}});
  EXPECT_EQ(held(), (std::vector<Seen>{{0, 10, "1", 3}, {10, 20, "2", 4}}));
  held.pipe({{1, 8, at(3)}});  // late: waits until the watermark has passed its own
  EXPECT_EQ(held().front(), (Seen{0, 10, "1", 3}));
  held.pipe({{2, 16, at(13)}});
  EXPECT_EQ(held(), (std::vector<Seen>{{0, 10, "1", 11}, {10, 20, "2", 20}}));
  held.pipe({{2, 32, at(20)}});
  EXPECT_EQ(held(), (std::vector<Seen>{{10, 20, "2", 20}, {20, 30, "2", 32}}));
}

TEST(Held, SessionsWithTheirBoundsSoFar) {
  Held plain = sums(session(10s));
  plain.pipe({{1, 1, at(2)}, {1, 2, at(9)}, {2, 4, at(12)}});
  EXPECT_EQ(plain(), (std::vector<Seen>{{2, 19, "1", 3}, {12, 22, "2", 4}}));
  Held late = sums(session(10s).allowed_lateness(20s));
  late.pipe({{1, 1, at(2)}, {1, 2, at(13)}, {2, 4, at(30)}});
  EXPECT_EQ(late(), (std::vector<Seen>{{2, 12, "1", 1}, {13, 23, "1", 2}, {30, 40, "2", 4}}));
}

TEST(Held, WindowsByRecordsOfWhatTheNextOneHas) {
  Held count = sums(count_window(4, 2));
  const auto pipe = [](Held& held, std::int64_t from, std::int64_t to) {
    for (std::int64_t number = from; number <= to; ++number) held.pipe({{1, number, at(number)}});
  };
  pipe(count, 1, 4);  // the fourth waits for the watermark
  EXPECT_EQ(count(), (std::vector<Seen>{{kNone, kNone, "1", 6}}));
  pipe(count, 5, 6);
  EXPECT_EQ(count(), (std::vector<Seen>{{kNone, kNone, "1", 12}}));  // 3, 4, 5
  pipe(count, 7, 8);
  EXPECT_EQ(count(), (std::vector<Seen>{{kNone, kNone, "1", 18}}));  // 5, 6, 7
  Held whole = sums(count_window(3));
  pipe(whole, 1, 4);
  EXPECT_TRUE(whole().empty());
  Held last([](const auto& keyed) { return keyed.over(millrace::last(2)).sum(&Hit::number); });
  pipe(last, 1, 5);
  EXPECT_EQ(last(), (std::vector<Seen>{{kNone, kNone, "1", 7}}));  // 3, 4
}

TEST(Held, RunningAggregatesAndThoseOfAllInput) {
  Held running([](const auto& keyed) { return keyed.count(); }, 3);
  running.pipe({{2, 1, at(1)}, {1, 1, at(2)}, {2, 1, at(3)}});
  EXPECT_EQ(running(), (std::vector<Seen>{{kNone, kNone, "1", 1}, {kNone, kNone, "2", 2}}));
  Held all = sums(global());
  all.pipe({{2, 1, at(1)}, {2, 3, at(9)}});
  EXPECT_EQ(all(), (std::vector<Seen>{{kNone, kNone, "2", 4}}));
}

TEST(Held, ValuesAreCells) {
  Held bars([](const auto& keyed) {
    return keyed.window(tumbling(10s))
        .aggregate(count().as(&Bar::hits), mean([](const Hit& hit) {
                                             return hit.number > 0 ? std::optional(hit.number)
                                                                   : std::nullopt;
                                           }).as(&Bar::mean));
  });
  bars.pipe({{1, 1, at(1)}, {1, 2, at(2)}, {2, 0, at(3)}});
  const auto held = bars.held();
  ASSERT_EQ(held.size(), 2u);
  EXPECT_EQ(held[0].values, (std::vector<HeldValue::Cell>{2, 1.5}));
  EXPECT_EQ(held[1].values, (std::vector<HeldValue::Cell>{1, std::monostate()}));
}

TEST(Held, AFoldWithoutMergeToo) {
  Held longest([](const auto& keyed) {
    return keyed.window(sliding(10s, 5s))
        .fold(std::int64_t{0}, [](std::int64_t& most, const Hit& hit) noexcept {
          most = std::max(most, hit.number);
        });
  });
  longest.pipe({{1, 9, at(2)}, {1, 4, at(6)}});
  EXPECT_EQ(longest(), (std::vector<Seen>{{0, 10, "1", 9}, {5, 15, "1", 4}}));
}

TEST(Held, AnySumOfRandomWindowsIsThatOfTheRecordsInThem) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    detail::Random random(seed);
    const std::int64_t slide = random.between(1, 5);
    const std::int64_t size = slide * random.between(1, 4) + random.between(0, slide - 1);
    const Windows windows = sliding(Duration(size * 1'000'000), Duration(slide * 1'000'000));
    Held held = random.chance(0.5) ? sums(windows, static_cast<int>(random.between(1, 3)))
                                   : sums(windows.early(every(100)));
    std::map<std::tuple<std::int64_t, std::int64_t, std::string>, std::int64_t> model;
    std::int64_t now = 0;
    for (int n = 0; n < 60; ++n) {
      now += random.between(0, 3);
      const Hit hit{static_cast<std::int32_t>(random.between(0, 4)), random.between(1, 99),
                    at(now)};
      held.pipe({hit});
      for (std::int64_t start = now - now % slide; start > now - size; start -= slide)
        model[{start, start + size, std::to_string(hit.key)}] += hit.number;
      std::vector<Seen> open;
      for (const auto& [place, sum] : model) {
        const auto& [start, end, key] = place;
        if (end > now) open.emplace_back(start, end, key, sum);
      }
      ASSERT_EQ(held(), open) << "seed " << seed << ", " << windows.to_string();
    }
  }
}

TEST(Held, RowsAreShownByTheirFields) {
  const std::vector<ColumnInfo> fields = {{"k", ColumnType::text},
                                          {"n", ColumnType::integer, true},
                                          {"b", ColumnType::boolean},
                                          {"hits", ColumnType::integer}};
  const auto schema = std::make_shared<const RowSchema>(fields, RowRole{.keys = 2});
  detail::RowColumns rows;
  rows.begin(schema);
  for (const bool null : {false, true}) {
    rows.column(0).put_text(rows.size(), "a \"b\"");
    null ? rows.column(1).put_null(rows.size()) : rows.column(1).put_integer(rows.size(), -7);
    rows.column(2).put_boolean(rows.size(), true);
    rows.column(3).put_integer(rows.size(), 1);
    rows.end_row();
  }
  detail::HeldAggregate held{detail::KeyFields({0, 1})(rows[0]), 0, 9, {1, 1}};
  detail::show_as_row(schema, true, held);
  EXPECT_EQ(held.key, R"(["a \"b\"",-7])");
  EXPECT_EQ(held.values, (std::vector<HeldValue::Cell>{true, 1}));
  held.key = detail::KeyFields({0, 1})(rows[1]);
  detail::show_as_row(schema, true, held);
  EXPECT_EQ(held.key, R"(["a \"b\"",null])");
  held.key = "as it is";
  detail::show_as_row(schema, false, held);
  EXPECT_EQ(held.key, "as it is");
}

TEST(Held, WhoHoldsNoAggregatesSaysSo) {
  Topology topology("none");
  topology.from(records(std::vector<std::vector<Hit>>(1)))
      .named("hits")
      .filter([](const Hit&) { return true; })
      .named("all")
      .to(each([](const Hit&) {}));
  TestDriver driver(topology);
  const auto code_of = [&](const char* name) {
    try {
      (void)driver.held(name);
    } catch (const Error& error) {
      return error.status().code();
    }
    return Code::ok;
  };
  EXPECT_EQ(code_of("all"), Code::parameter_invalid);
  EXPECT_EQ(code_of("none"), Code::name_invalid);
}

}  // namespace
}  // namespace millrace
