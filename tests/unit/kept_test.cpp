// What a test driver shows of all that a component keeps, whatever it is, by the shapes of its
// image alone: the same that `millrace checkpoints show` prints.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "../hits.hpp"
#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"
#include "operator/kept_entries.hpp"

namespace millrace {
namespace {

using shared::at;
using shared::Hit;

/// "state key [start, end) value", sorted; times in seconds.
std::vector<std::string> told(const std::vector<KeptValue>& kept) {
  std::vector<std::string> told;
  const auto seconds = [](const std::optional<Timestamp>& time) {
    return time ? std::to_string(time->micros / 1'000'000) : "";
  };
  for (const KeptValue& one : kept) {
    std::string text = one.state;
    if (!one.key.empty()) text += " " + one.key;
    if (one.start || one.end) text += " [" + seconds(one.start) + "," + seconds(one.end) + ")";
    told.push_back(text + " " + one.value);
  }
  std::ranges::sort(told);
  return told;
}

/// The hits of one source, read by the component "kept".
class Kept {
 public:
  template <class Declare>
  explicit Kept(Declare declare) {
    declare(shared::hits(topology_).event_time(&Hit::when)).named("kept").to(each([](const auto&) {
    }));
    driver_.emplace(topology_);
    input_.emplace(driver_->input<Hit>("hits"));
  }
  Kept& pipe(std::vector<Hit> hits) {
    input_->pipe(std::move(hits));
    return *this;
  }
  std::vector<std::string> operator()() {
    for (const DeadLetter& letter : driver_->dead_letters()) ADD_FAILURE() << letter.reason;
    return told(driver_->kept("kept"));
  }

 private:
  Topology topology_{"kept"};
  std::optional<TestDriver> driver_;
  std::optional<TestInput<Hit>> input_;
};

template <class Spec>
Kept sums(const Spec& spec) {
  return Kept(
      [&](const auto& hits) { return hits.key_by(&Hit::key).window(spec).sum(&Hit::number); });
}

using Told = std::vector<std::string>;

TEST(Kept, PanesAndSessionsByKey) {
  EXPECT_EQ(sums(sliding(10s, 5s)).pipe({{1, 1, at(2)}, {2, 2, at(3)}, {1, 4, at(6)}})(),
            (Told{"panes 1 [0,) 1", "panes 1 [5,) 4", "panes 2 [0,) 2"}));
  EXPECT_EQ(sums(session(10s)).pipe({{1, 1, at(2)}, {1, 2, at(9)}, {2, 4, at(12)}})(),
            (Told{"sessions 1 [2,19) 3", "sessions 2 [12,22) 4"}));
}

TEST(Kept, WindowsThatEmitAgain) {
  Kept windows = sums(tumbling(10s).allowed_lateness(10s).early(every(4s)));
  windows.pipe({{1, 1, at(2)}, {1, 2, at(5)}, {2, 4, at(12)}, {1, 8, at(3)}});
  const Told now = windows();
  EXPECT_NE(std::ranges::find(now, "late 1 [3,3) 8"), now.end()) << "it waits for the watermark";
  for (const std::string& one : now) EXPECT_EQ(one.find("\"bytes\""), std::string::npos) << one;
  Kept sessions = sums(session(10s).allowed_lateness(20s).retracting());
  sessions.pipe({{1, 1, at(2)}, {1, 2, at(13)}, {2, 4, at(30)}});
  EXPECT_EQ(sessions(),
            (Told{"sessions 1 [13,23) 2", "sessions 1 [2,12) 1", "sessions 2 [30,40) 4"}));
}

TEST(Kept, WindowsByRecords) {
  Kept count = sums(count_window(4, 2));
  Kept last([](const auto& hits) {
    return hits.key_by(&Hit::key).over(millrace::last(2)).sum(&Hit::number);
  });
  Kept span([](const auto& hits) {
    return hits.key_by(&Hit::key).over(millrace::last(3s)).sum(&Hit::number);
  });
  for (std::int64_t number = 1; number <= 4; ++number) {
    for (Kept* one : {&count, &last, &span}) one->pipe({{1, number, at(number)}});
  }
  EXPECT_EQ(count(), (Told{R"(records 1 {"count":1,"newer":3,"open":3,"waiting":1})"}));
  EXPECT_EQ(last().size(), 1u);
  EXPECT_NE(last().front().find(R"("waiting":1})"), std::string::npos) << last().front();
  EXPECT_NE(span().front().find(R"("waiting":1})"), std::string::npos) << span().front();
}

struct Sums {
  std::int64_t hits = 0;
  double mean = 0;
  double deviation = 0;
  std::int64_t names = 0;
  std::int64_t about = 0;
  double middle = 0;
  double exact = 0;
  std::vector<std::string> all = {};
  std::vector<Frequent<std::string>> top = {};
};

TEST(Kept, EveryAccumulatorSaysWhatItHas) {
  const auto number = [](const Hit& hit) { return static_cast<double>(hit.number); };
  Kept kept([&](const auto& hits) {
    return hits.key_by(&Hit::key)
        .window(tumbling(10s))
        .aggregate(count().as(&Sums::hits), mean(number).as(&Sums::mean),
                   stddev(number).as(&Sums::deviation), distinct(&Hit::name).as(&Sums::names),
                   distinct_approx(&Hit::name).as(&Sums::about), median(number).as(&Sums::middle),
                   exact_sum(number).as(&Sums::exact), list(&Hit::name, 10).as(&Sums::all),
                   top_k_approx(&Hit::name, 2, 10).as(&Sums::top));
  });
  kept.pipe({{1, 2, at(2), "a"}, {1, 4, at(3), "b"}, {1, 6, at(4), "a"}});
  const Told now = kept();
  ASSERT_EQ(now.size(), 1u);
  for (const char* part :
       {R"("count":3,"mean":4,"variance":2.66)", R"({"distinct":2})", R"({"distinct_approx":2})",
        R"("p50":4)", R"({"value":"a","count":2})"}) {
    EXPECT_NE(now[0].find(part), std::string::npos) << part << " in " << now[0];
  }
}

TEST(Kept, RecordsThatWait) {
  Kept kept([](const auto& hits) { return hits.key_by(&Hit::key).restore_order(); });
  kept.pipe({{1, 1, at(2), "first"}, {2, 2, at(3), "second"}});
  EXPECT_EQ(kept(), (Told{"held [,3) {\"key\":2,\"number\":2,\"when\":\"1970-01-01T00:00:03Z\","
                          "\"name\":\"second\"}"}));
}

TEST(Kept, RecordsThatMayFindPartners) {
  const auto declare = [](bool by_windows) {
    return [by_windows](const auto& hits) {
      const auto join = hits.key_by(&Hit::key).join(
          hits.filter([](const Hit& hit) { return hit.number > 1; }).key_by(&Hit::key));
      const auto first = [](const Hit& left, const Hit&) { return left; };
      return by_windows ? join.window(tumbling(10s)).inner(first)
                        : join.within(5s, 5s).inner(first);
    };
  };
  const Told expected{
      R"(:left 2 [,3) {"key":2,"number":1,"when":"1970-01-01T00:00:03Z","name":"a"})",
      R"(:left 2 [,4) {"key":2,"number":2,"when":"1970-01-01T00:00:04Z","name":"b"})",
      R"(:right 2 [,4) {"key":2,"number":2,"when":"1970-01-01T00:00:04Z","name":"b"})"};
  for (const bool by_windows : {false, true}) {
    Kept kept(declare(by_windows));
    EXPECT_EQ(kept.pipe({{2, 1, at(3), "a"}, {2, 2, at(4), "b"}})(), expected) << by_windows;
  }
}

/// Counts, and wakes up later.
struct Counting {
  ValueState<std::int64_t> count;
  MapState<std::string, int> names;
  ValueState<std::int64_t> brief{{.ttl = 1h}};
  void process(const Hit& hit, KeyedContext<std::int32_t>& context, Output<Hit>&) {
    count.set(count.value_or(0) + 1);
    names.set(hit.name, 1);
    brief.set(hit.number);
    context.timers().at(at(60));
  }
  void on_timer(Time, KeyedContext<std::int32_t>&, Output<Hit>&) {}
};

TEST(Kept, StatesAndTimersOfProcess) {
  Kept kept([](const auto& hits) { return hits.key_by(&Hit::key).process(Counting()); });
  kept.pipe({{7, 5, at(2), "a"}, {7, 6, at(3), "b"}});
  EXPECT_EQ(kept(), (Told{R"(:timers 7 {"event":["1970-01-01T00:01:00Z"],"clock":[]})", "brief 7 6",
                          "count 7 2", R"(names 7 {"a":1,"b":1})"}));
}

TEST(Kept, MarksAndRanks) {
  Kept once([](const auto& hits) { return hits.key_by(&Hit::key).deduplicate(10s); });
  EXPECT_EQ(once.pipe({{1, 1, at(2)}})().size(), 1u);
  Kept top([](const auto& hits) { return hits.key_by(&Hit::key).top(2, &Hit::number); });
  const Told ranked = top.pipe({{1, 5, at(2), "x"}, {1, 9, at(3), "y"}})();
  ASSERT_EQ(ranked.size(), 3u);  // places, records, how many came
  EXPECT_EQ(ranked[0], "best 1 [2,1]");
  EXPECT_NE(ranked[1].find(R"("name":"y")"), std::string::npos) << ranked[1];
  for (const Told& all : {once(), ranked}) {
    for (const std::string& one : all) EXPECT_EQ(one.find("\"bytes\""), std::string::npos) << one;
  }
}

TEST(Kept, WhatCannotBeToldIsCounted) {
  detail::StatePart strange{"odd", "a shape of tomorrow", detail::PartOwner::task, 0, "12345"};
  detail::StatePart cut{"sum", "{key:text,value:int64}", detail::PartOwner::key_group, 3, "\3ab"};
  Told all;
  detail::tell_parts(std::vector{strange, cut}, [&](const detail::KeptEntry& entry) {
    all.push_back(entry.state + " " + entry.value);
  });
  EXPECT_EQ(all, (Told{R"(odd {"shape":"a shape of tomorrow","bytes":5})",
                       R"(sum {"shape":"{key:text,value:int64}","bytes":3})"}));
}

TEST(Kept, WhoKeepsNothingHasNothing) {
  Kept kept([](const auto& hits) { return hits.filter([](const Hit&) { return true; }); });
  EXPECT_TRUE(kept.pipe({{1, 1, at(1)}})().empty());
}

}  // namespace
}  // namespace millrace
