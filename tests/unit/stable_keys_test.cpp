// Tests of which sinks can have idempotency keys, how keys are spelled, and what explain says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "folder_harness.hpp"
#include "millrace/millrace.hpp"
#include "record/arrival_path.hpp"
#include "running_topology.hpp"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;

struct KeyedReading {
  std::int64_t sensor = 0;
  Timestamp at;
};
using Readings = Stream<KeyedReading>;

Readings readings(Topology& topology) {
  return topology
      .from(records<KeyedReading>({{{1, {1'000'000}}, {2, {2'000'000}}}, {{1, {3'000'000}}}}))
      .named("readings")
      .event_time(&KeyedReading::at);
}
auto taking_keys() {
  return each([](const auto&, IdempotencyKey) {});
}

Readings without_time(Topology& topology) {
  return topology.from(records<KeyedReading>({{{1, {1'000'000}}}})).named("untimed");
}
auto by_sensor(const Readings& in) { return in.key_by(&KeyedReading::sensor); }

class TickingReading final : public Bolt<KeyedReading, KeyedReading> {
 public:
  void process(const KeyedReading& record, Output<KeyedReading>& out) { out.emit(record); }
  void tick(Output<KeyedReading>& out) { out.emit({}); }
};
class PassingReading final : public Bolt<KeyedReading, KeyedReading> {
 public:
  void process(const KeyedReading& record, Output<KeyedReading>& out) { out.emit(record); }
};

/// What validate() says of a topology whose sink "out" asks for keys of what `declare` makes.
template <class Declare>
std::string refusal(Declare declare) {
  Topology topology("keys");
  declare(topology, readings(topology)).to(taking_keys()).named("out");
  std::string text;
  for (const Status& problem : topology.declaration().graph.validate()) text += problem.to_string();
  return text;
}

TEST(StableKeys, AreThereBehindWhatHandlesRecordsOneByOneAndBehindWindows) {
  EXPECT_EQ(refusal([](Topology&, const Readings& in) {
              return in.filter([](const KeyedReading& of) { return of.sensor > 0; });
            }),
            "");
  EXPECT_EQ(refusal([](Topology&, const Readings& in) { return by_sensor(in).count(); }), "");
  EXPECT_EQ(refusal([](Topology&, const Readings& in) {
              return by_sensor(in).window(tumbling(1s)).count().top(3);
            }),
            "");
  EXPECT_EQ(refusal([](Topology&, const Readings& in) {
              return by_sensor(in).window(session(1s)).count();
            }),
            "");
  EXPECT_EQ(refusal([](Topology& topology, const Readings& in) {
              return topology.bolt("pass", PassingReading(), shuffle(in), {.tasks = 2});
            }),
            "");
}

TEST(StableKeys, AreRefusedWithTheReasonWhereTheyWouldNotBeStable) {
  EXPECT_THAT(
      refusal([](Topology& topology, const Readings&) {
        return topology.from(lines(exec("true"))).named("command");
      }),
      HasSubstr("each \"out\" asks for idempotency keys, but \"command\" cannot give again"));
  EXPECT_THAT(refusal([](Topology&, const Readings& in) {
                const auto all_of = [](const KeyedReading&) { return true; };
                return in.filter(all_of).merge(in.filter(all_of));
              }),
              HasSubstr("several ways lead to it from \"readings\""));
  EXPECT_THAT(refusal([](Topology& topology, const Readings& in) {
                return topology.bolt("pass", PassingReading(), all(in), {.tasks = 2});
              }),
              HasSubstr("every task of \"pass\" is given each record of"));
  EXPECT_THAT(refusal([](Topology& topology, const Readings& in) {
                return topology.bolt("tick", TickingReading(), shuffle(in), {.tick = 1s});
              }),
              HasSubstr("what the ticks of \"tick\" emit follows from the clock"));
  EXPECT_THAT(
      refusal([](Topology& topology, const Readings&) {
        return by_sensor(without_time(topology)).window(count_window(2)).count().named("counts");
      }),
      HasSubstr("without event time the rows of \"counts\" go by the order in which "
                "records come"));
  EXPECT_THAT(refusal([](Topology&, const Readings& in) {
                return by_sensor(in).window(tumbling(1s).early(every(2))).count().named("counts");
              }),
              HasSubstr("early rows by records or by the clock follow the order of arrival in the "
                        "windows of \"counts\""));
  EXPECT_THAT(refusal([](Topology&, const Readings& in) {
                return by_sensor(in).window(tumbling(1s).by_clock()).count().named("counts");
              }),
              HasSubstr("what \"counts\" makes goes by the clock"));
  EXPECT_THAT(refusal([](Topology&, const Readings& in) {
                return by_sensor(in).deduplicate().named("seldom");
              }),
              HasSubstr("nothing numbers the rows (deduplicate) of \"seldom\""));
  EXPECT_THAT(refusal([](Topology&, const Readings& in) {
                return in.map([](const KeyedReading& of) { return of; }).named("map").errors();
              }),
              HasSubstr("the dead letters of \"map\" are no records of a source"));
}

TEST(StableKeys, AreThereBehindJoinsPatternsAndWindowsThatEmitSeveralRows) {
  const auto pair = [](const KeyedReading& left, const KeyedReading&) { return left; };
  EXPECT_EQ(refusal([&](Topology&, const Readings& in) {
              const auto keyed = by_sensor(in);
              return keyed.join(keyed).within(1s, 1s).inner(pair);  // each side apart
            }),
            "");
  EXPECT_EQ(refusal([&](Topology&, const Readings& in) {
              return by_sensor(in).join(by_sensor(in)).window(tumbling(1s)).inner(pair);
            }),
            "");
  EXPECT_EQ(refusal([&](Topology&, const Readings& in) {
              const auto names = [](const KeyedReading& of) { return of.sensor; };
              return in.join(by_sensor(in).table().global(), names).inner(pair);
            }),
            "");
  EXPECT_EQ(refusal([](Topology&, const Readings& in) {
              return by_sensor(in)
                  .match(pattern<KeyedReading>("any"))
                  .select([](const Match<KeyedReading>& match) { return match.at(0).record; });
            }),
            "");
  EXPECT_EQ(refusal([](Topology&, const Readings& in) {
              return by_sensor(in)
                  .window(tumbling(10s).early(every(1s)).allowed_lateness(5s).retracting())
                  .count();
            }),
            "");
  EXPECT_EQ(
      refusal([](Topology&, const Readings& in) { return by_sensor(in).over(last(3)).count(); }),
      "");
}

TEST(StableKeys, AreRefusedWhereAJoinIsGivenWhatIsNotTheSameInEachRun) {
  const auto pair = [](const auto& left, const auto&) { return left; };
  const auto all_of = [](const KeyedReading&) { return true; };
  EXPECT_THAT(refusal([&](Topology& topology, const Readings& in) {
                const auto command = topology.from(json_lines<KeyedReading>(exec("true")))
                                         .named("command")
                                         .event_time(&KeyedReading::at);
                return by_sensor(in).as_of(by_sensor(command)).inner(pair);
              }),
              HasSubstr("\"command\" cannot give again"));
  EXPECT_THAT(
      refusal([&](Topology&, const Readings& in) {
        const auto twice = in.filter(all_of).merge(in.filter(all_of));
        return by_sensor(in).join(by_sensor(twice)).window(tumbling(1s)).inner(pair).named("both");
      }),
      HasSubstr("several ways lead to \"both\" from \"readings\", so that several "
                "records have one place there: give each way a join of its own"));
  EXPECT_THAT(refusal([&](Topology&, const Readings& in) {
                const auto keyed = by_sensor(in);
                return keyed.join(keyed).within(1s, 1s).inner(pair).merge(in);
              }),
              HasSubstr("several ways lead to it from \"readings\""));
  EXPECT_THAT(refusal([&](Topology&, const Readings& in) {
                const auto rows = by_sensor(in).window(tumbling(1s).by_clock()).count();
                const auto keyed = rows.key_by([](const auto& row) { return row.key; });
                return keyed.join(keyed).within(1s, 1s).inner(pair).named("both");
              }),
              HasSubstr("by the clock"));
}

/// All of a file.
std::string content_of(const std::string& path) {
  std::ostringstream all;
  all << std::ifstream(path).rdbuf();
  return all.str();
}

TEST(StableKeys, AreTheLastMembersOfJsonLines) {
  const FolderHarness folder;
  Topology topology("a/b");
  const auto in = readings(topology);
  const auto twice = [](const KeyedReading& of, Output<KeyedReading>& out) {
    out.emit(of);
    out.emit(of);
  };
  in.flat_map(twice).to(log(folder.path("twice"), {.idempotency_key = true})).named("twice");
  in.key_by(&KeyedReading::sensor)
      .window(tumbling(2s))
      .count()
      .named("counts")
      .to(log(folder.path("counts"), {.idempotency_key = true}))
      .named("50%");
  RunningTopology run(topology);
  ASSERT_TRUE(run.started()) << run.started().to_string();
  run.wait();
  const std::string lines = content_of(folder.path("twice"));
  EXPECT_THAT(lines, HasSubstr("\"idempotency_key\":\"a%2Fb/twice/readings/0/1-"));
  EXPECT_THAT(lines, HasSubstr("\"idempotency_key\":\"a%2Fb/twice/readings/1/0-"));
  EXPECT_THAT(lines, EndsWith("\"}\n"));
  const std::string rows = content_of(folder.path("counts"));
  EXPECT_THAT(rows, HasSubstr(",\"window_end\":"));
  EXPECT_THAT(rows, HasSubstr("\"idempotency_key\":\"a%2Fb/50%25/counts/"));
  EXPECT_THAT(rows, HasSubstr("/1999999\"}\n"));
  EXPECT_THAT(rows, HasSubstr("/3999999\"}\n"));
}

TEST(StableKeys, TellTheSidesOfAStreamThatIsJoinedWithItselfApart) {
  Topology topology("keys");
  const auto keyed = by_sensor(readings(topology));
  const auto pair = [](const KeyedReading& left, const KeyedReading&) { return left; };
  std::vector<std::string> keys;
  keyed.join(keyed).within(5s, 5s).inner(pair).to(
      each([&](const KeyedReading&, IdempotencyKey key) { keys.emplace_back(key.text); }));
  RunningTopology run(topology);
  ASSERT_TRUE(run.started()) << run.started().to_string();
  run.wait();
  EXPECT_EQ(keys.size(), 5u) << "two records of a key make four pairs, one makes one";
  EXPECT_THAT(keys, testing::Not(testing::Contains("")));
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), keys.size());
}

TEST(StableKeys, OfPlacesThatCannotBeToldApartAreEmpty) {
  std::string text = "{}";
  append_key_member(text, {});
  EXPECT_EQ(text, "{\"idempotency_key\":null}");
  const Arrival place = Arrival::at(0, 0, 7);
  EXPECT_TRUE(is_exact(place.child(0)));
  EXPECT_TRUE(is_exact(place.child(200'000)));
  EXPECT_FALSE(is_exact(place.child(70 + (1u << 18) - 1)));
  Arrival deep = place;
  for (int step = 0; step < 9; ++step) deep = deep.child(6);
  EXPECT_TRUE(is_exact(deep));
  EXPECT_FALSE(is_exact(deep.child(0)));
  EXPECT_FALSE(is_exact(deep.child(0).child(1)));
}

TEST(StableKeys, ExplainSaysWhatTheyDoForASink) {
  Topology topology("keys");
  topology.state_dir("state");
  topology.guarantee(exactly_once);
  const auto in = readings(topology);
  in.to(taking_keys()).named("with");
  in.to(each([](const KeyedReading&) {})).named("without");
  in.merge(in).to(each([](const KeyedReading&) {})).named("never");
  const Graph& graph = topology.declaration().graph;
  const std::string text = explain(graph, make_plan(graph, {}));
  const std::string again =
      ": at least once: it shows rows before their epoch is complete, so they come again after a "
      "crash. ";
  EXPECT_THAT(text, HasSubstr("  with" + again +
                              "A receiver that keeps their idempotency keys makes it exactly once"
                              "\n"));
  EXPECT_THAT(text, HasSubstr("  without" + again +
                              "With idempotency keys a receiver could make it exactly once\n"));
  EXPECT_THAT(text, HasSubstr("  never" + again +
                              "They can have no idempotency keys: several ways lead to it from"));
}

}  // namespace
}  // namespace millrace::detail
