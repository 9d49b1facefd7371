// Random disordered partitions through restore_order, deduplicate, latest and throttle, against
// models that see the whole input.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "env/sim_env.hpp"
#include "millrace/millrace.hpp"
#include "runtime/simulation.hpp"

namespace millrace::property {
namespace {

using detail::Random;

struct Note {
  Time time = 0;
  std::int32_t key = 0;
  std::string_view name;
  std::int64_t number = 0;  ///< its place: partition * 10,000 + index
};
struct Owned {
  Time time = 0;
  std::int32_t key = 0;
  std::int64_t number = 0;
  friend auto operator<=>(const Owned&, const Owned&) = default;
};

constexpr std::string_view kName = "a name that is longer than a slot";

std::vector<std::vector<Note>> draw(Random& random, std::int64_t disorder, std::int32_t keys) {
  std::vector<std::vector<Note>> partitions(1 + random.below(3));
  for (std::size_t at = 0; at < partitions.size(); ++at) {
    Time newest = random.between(-100, 100);
    for (std::size_t index = random.below(300); index > 0; --index) {
      if (!random.chance(0.4)) newest += random.between(0, 10);
      const Time time = newest - random.between(0, disorder);
      const auto number = static_cast<std::int64_t>(at * 10'000 + partitions[at].size());
      // Each key lives in one partition, so that the order of arrival is one.
      const auto key =
          static_cast<std::int32_t>(at) +
          static_cast<std::int32_t>(partitions.size()) *
              static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(keys)));
      partitions[at].push_back({time, key, kName, number});
    }
  }
  return partitions;
}

Status run(Topology& topology, Random& random, std::uint64_t seed) {
  const detail::Graph& graph = topology.declaration().graph;
  if (const auto problems = graph.validate(); !problems.empty()) return problems.front();
  detail::PlanOptions plan;
  plan.parallelism = static_cast<std::uint32_t>(1 + random.below(8));
  plan.fuse = random.chance(0.5);
  detail::RunOptions options;
  options.batch_records_max = 1 + random.below(random.chance(0.5) ? 4 : 300);
  detail::SimEnv env(seed);
  detail::Simulation simulation(graph, detail::make_plan(graph, plan), options, env,
                                {.seed = seed});
  return simulation.run().error();
}

auto keep_in(std::vector<Owned>& list) {
  return each([&list](const Note& note) {
    EXPECT_EQ(note.name, kName);
    list.push_back({note.time, note.key, note.number});
  });
}

TEST(Order, IsThatOfTimesAndPlacesWhateverTheSchedule) {
  std::uint64_t equal_stamps = 0, late_ones = 0, at_watermark = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Random random(seed);
    const std::int64_t disorder = random.between(0, 60);
    const std::int64_t bound = random.chance(0.5) ? disorder : random.between(0, disorder);
    const auto input = draw(random, disorder, 4);
    std::vector<Owned> expected, expected_late, found, late, by_key;
    for (const auto& partition : input) {
      Time newest = kTimeMin / 2;
      std::set<Time> seen;
      for (const Note& note : partition) {
        const bool behind = note.time < newest - bound;
        (behind ? expected_late : expected).push_back({note.time, note.key, note.number});
        late_ones += behind;
        at_watermark += note.time == newest - bound;
        equal_stamps += !seen.insert(note.time).second;
        newest = std::max(newest, note.time);
      }
    }
    std::ranges::sort(expected, {},
                      [](const Owned& row) { return std::pair(row.time, row.number); });
    std::ranges::sort(expected_late);
    Topology topology("order");
    auto notes =
        topology.from(records<Note>(input, static_cast<std::uint32_t>(1 + random.below(2))))
            .event_time(&Note::time, {.out_of_order = Duration(bound)});
    auto ordered = notes.restore_order();
    ordered.to(keep_in(found));
    ordered.late().to(keep_in(late));
    notes.key_by(&Note::key).restore_order().to(keep_in(by_key));
    ASSERT_EQ(run(topology, random, seed).to_string(), "ok");
    ASSERT_EQ(found, expected);
    std::ranges::sort(late);
    ASSERT_EQ(late, expected_late);
    std::ranges::stable_sort(expected, {}, &Owned::key);
    std::ranges::stable_sort(by_key, {}, &Owned::key);
    ASSERT_EQ(by_key, expected);
  }
  EXPECT_GT(equal_stamps, 1'000u);
  EXPECT_GT(late_ones, 1'000u);
  EXPECT_GT(at_watermark, 100u);
}

/// What each verb lets through of one key's records, which come in this order.
std::vector<Owned> deduplicated(const std::vector<Owned>& notes, std::int64_t within) {
  std::vector<Owned> kept;
  for (const Owned& note : notes) {
    if (kept.empty() || (within > 0 && note.time >= kept.back().time + within))
      kept.push_back(note);
  }
  return kept;
}
std::vector<Owned> throttled(const std::vector<Owned>& notes, std::size_t limit, std::int64_t per) {
  std::vector<Owned> passed;
  for (const Owned& note : notes) {
    const auto recent = std::ranges::count_if(
        passed, [&](const Owned& other) { return other.time > note.time - per; });
    if (static_cast<std::size_t>(recent) < limit) passed.push_back(note);
  }
  return passed;
}
std::vector<Owned> latest(const std::vector<Owned>& notes, std::int64_t span) {
  std::vector<Owned> rows;
  for (std::size_t at = 0; at < notes.size();) {
    const Time over = notes[at].time + span;
    Owned row = notes[at];
    for (; at < notes.size() && notes[at].time < over; ++at) row = notes[at];
    rows.push_back(row);
  }
  return rows;
}

TEST(Picks, AreThoseOfTheModels) {
  std::uint64_t at_span = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Random random(seed);
    const std::int64_t span = random.between(1, 40);
    const std::size_t limit = 1 + random.below(4);
    const auto input = draw(random, 0, 3);  // in order: the models follow the time
    std::map<std::int32_t, std::vector<Owned>> keys;
    for (const auto& partition : input) {
      for (const Note& note : partition) {
        auto& of_key = keys[note.key];
        at_span += !of_key.empty() && note.time == of_key.back().time + span;
        of_key.push_back({note.time, note.key, note.number});
      }
    }
    std::vector<Owned> first, once, few, last;
    Topology topology("picks");
    auto notes =
        topology.from(records<Note>(input)).event_time(&Note::time).map([](const Note& note) {
          return Owned{note.time, note.key, note.number};
        });
    auto keyed = notes.key_by(&Owned::key);
    const auto into = [](std::vector<Owned>& list) {
      return each([&list](const Owned& row) { list.push_back(row); });
    };
    keyed.deduplicate(Duration(span)).to(into(first));
    keyed.deduplicate().to(into(once));
    keyed.throttle(static_cast<std::uint32_t>(limit), Duration(span)).to(into(few));
    keyed.latest(Duration(span)).to(into(last));
    ASSERT_EQ(run(topology, random, seed).to_string(), "ok");
    std::vector<Owned> expected_first, expected_once, expected_few, expected_last;
    const auto add = [](std::vector<Owned>& to, std::vector<Owned> rows) {
      to.insert(to.end(), rows.begin(), rows.end());
    };
    for (const auto& [key, of_key] : keys) {
      add(expected_first, deduplicated(of_key, span));
      add(expected_once, deduplicated(of_key, 0));
      add(expected_few, throttled(of_key, limit, span));
      add(expected_last, latest(of_key, span));
    }
    for (auto* rows : {&first, &once, &few, &last})
      std::ranges::stable_sort(*rows, {}, &Owned::key);
    ASSERT_EQ(first, expected_first);
    ASSERT_EQ(once, expected_once);
    ASSERT_EQ(few, expected_few);
    ASSERT_EQ(last, expected_last);
  }
  EXPECT_GT(at_span, 100u);
}

}  // namespace
}  // namespace millrace::property
