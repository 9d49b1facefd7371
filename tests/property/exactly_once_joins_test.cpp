// Tests that joins in runs which are killed again and again show what one run without kills shows,
// whatever the schedule and the number of tasks.
#include <gtest/gtest.h>

#include "cut_run.hpp"

namespace millrace::detail {
namespace {

/// A record of the right side as one of its own type.
struct Other {
  std::int64_t key = 0;
  std::int64_t number = 0;
};

/// What it makes of a record depends on all before it of both sides, and on the timers in between.
struct Telling {
  using Context = KeyedContext<std::int64_t>;
  ValueState<std::int64_t> seen;

  void process(const Numbered& left, Context& context, Output<Numbered>& out) {
    seen.set((seen.value_or(0) * 3 + left.number) % 10'007);
    if (left.number % 4 == 0) context.timers().at(context.time() + 7);
    out.emit({left.key * 1'000 + left.number, *seen});
  }
  void process(const Other& right, Context&, Output<Numbered>& out) {
    seen.set((seen.value_or(0) * 5 + right.number) % 10'007);
    out.emit({-right.key * 1'000 - right.number, *seen});
  }
  void on_timer(Time time, Context& context, Output<Numbered>& out) {
    seen.set((seen.value_or(0) * 7 + time) % 10'007);
    out.emit({context.key() * 1'000'000 + time, *seen});
  }
};

/// Two replayable sources, joined by interval, by windows, as of event time, as tables, of
/// which groups are summed, by what rows name, in groups, with a global table, and connected.
struct JoinWorld {
  std::uint32_t partitions = 3;
  std::int64_t count = 60;
  MemoryStore store = {};
  std::array<Outbox, 8> outboxes = {};

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
    declare_further(topology, left, right);
  }
  template <class Keyed>
  void declare_further(Topology& topology, const Keyed& left, const Keyed& right) {
    using Group = CoGroup<std::int64_t, Numbered, Numbered>;
    const auto sum = [](const Group& group) {
      Numbered row{group.window_end * 10 + group.key, std::int64_t(group.left.size())};
      for (const Numbered& one : group.left) row.number = row.number * 3 + one.key + one.number;
      for (const Numbered& one : group.right) row.number = row.number * 7 + one.key + one.number;
      row.number %= 1'000'003;
      return row;
    };
    show(topology, left.join(right).window(sliding(Duration(6), Duration(3))).co_group(sum), 5);
    const auto named = [](const Numbered& of) { return (of.key + of.number) % 2; };
    const auto with = [](const Numbered& l, const Numbered* r) {
      return Numbered{l.key * 1'000 + l.number, r != nullptr ? r->key * 1'000 + r->number : -1};
    };
    show(topology, left.stream().join(right.table().global(), named).left(with), 6);
    const auto others = right.stream()
                            .map([](const Numbered& of) { return Other{of.key, of.number}; })
                            .key_by([](const Other& of) { return of.key % 2; });
    show(topology, left.connect(others).by_event_time().process(Telling{}), 7);
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
