// Tests that joins in runs which are killed again and again show what one run without kills shows,
// whatever the schedule and the number of tasks.
#include <gtest/gtest.h>

#include "cut_run.hpp"

namespace millrace::detail {
namespace {

/// Two replayable sources, joined by interval, by windows, as of event time, as tables, of
/// which groups are summed, and by what rows name.
struct JoinWorld {
  std::uint32_t partitions = 3;
  std::int64_t count = 60;
  MemoryStore store = {};
  std::array<Outbox, 5> outboxes = {};

  /// Of different keys the partitions of one source have records at different times.
  auto numbers(Topology& topology, const std::string& name, std::uint32_t tasks) {
    Node node;
    node.name = node.kind = name;
    node.tasks = tasks;
    node.output = &batch_type<Numbered>();
    node.make_source = [this] { return std::make_unique<Numbers>(partitions, count); };
    Declaration& declaration = topology.declaration();
    const NodeId id = declaration.graph.add(std::move(node));
    const std::int64_t step = name == "lefts" ? 3 : 5;
    return Stream<Numbered>(declaration, {{id, 0}})
        .event_time([step](const Numbered& of) { return of.number * (step + of.key % 2); })
        .key_by([](const Numbered& of) { return of.key % 2; });
  }
  void declare(Topology& topology, std::uint32_t tasks) {
    const auto left = numbers(topology, "lefts", tasks);
    const auto right = numbers(topology, "rights", tasks);
    const auto number = [](const Numbered* of) {
      return of != nullptr ? of->key * 1'000 + of->number : -1;
    };
    const auto both = [number](const Numbered* l, const Numbered* r) {
      return Numbered{number(l), number(r)};
    };
    const auto either = [number](const Numbered& l, const Numbered* r) {
      return Numbered{number(&l), number(r)};
    };
    show(topology, left.join(right).within(Duration(2), Duration(3)).full(both), 0);
    show(topology, left.join(right).window(sliding(Duration(6), Duration(3))).left(either), 1);
    show(topology, left.as_of(right).nearest(Duration(4)).left(either), 2);
    const auto tables = left.table().join(right.table()).full(both);
    const auto sums = group_by(tables, [](const Numbered& of) { return of.number % 3; })
                          .sum(&Numbered::key)
                          .map([](const auto& change) {
                            return Numbered{change.record.key * 10 + std::int64_t(change.kind),
                                            change.record.value};
                          });
    show(topology, sums, 3);
    const auto named = left.table()
                           .join(right.table(), [](const Numbered& of) { return of.number % 2; })
                           .left(either);
    const auto signed_rows = named.map([](const Change<Numbered>& change) {
      return Numbered{change.record.key * 10 + std::int64_t(change.kind), change.record.number};
    });
    show(topology, signed_rows, 4);
  }

 private:
  void show(Topology& topology, const Stream<Numbered>& rows, std::size_t at) {
    rows.named("join " + std::to_string(at));
    Node node;
    node.name = node.kind = "rows " + std::to_string(at);
    node.tasks = 1;
    node.inputs = rows.inputs({});
    node.make_sink = [this, at] { return std::make_unique<OutboxSink>(outboxes[at]); };
    (void)topology.declaration().graph.add(std::move(node));
  }
};

/// False: the run could not be.
bool live(JoinWorld& world, Random& random, bool last) {
  Topology topology("joins");
  world.declare(topology, static_cast<std::uint32_t>(1 + random.below(3)));
  return run_until_cut(topology, world.store, random, last ? 0 : 1500);
}

TEST(ExactlyOnce, JoinsOfKilledRunsShowWhatOneRunShows) {
  JoinWorld whole;
  Random one(1);
  ASSERT_TRUE(live(whole, one, true));
  for (const Outbox& outbox : whole.outboxes) ASSERT_GT(outbox.seen().size(), 100u);
  std::size_t epochs = 0;
  property::for_each_seed([&](std::uint64_t seed) {
    Random random(seed);
    JoinWorld world;
    const std::uint64_t kills = 1 + random.below(6);
    for (std::uint64_t kill = 0; kill <= kills; ++kill) {
      if (!live(world, random, kill == kills)) return false;
      const auto newest = world.store.newest();
      if (newest && *newest && (*newest)->finished) break;
    }
    epochs += static_cast<std::size_t>(world.store.writes());
    for (std::size_t at = 0; at < world.outboxes.size(); ++at) {
      EXPECT_EQ(world.outboxes[at].seen(), whole.outboxes[at].seen())
          << "MILLRACE_SEED=" << seed << ", join " << at;
    }
    return !testing::Test::HasFailure();
  });
  EXPECT_GT(epochs, 50u);
}

}  // namespace
}  // namespace millrace::detail
