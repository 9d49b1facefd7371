// Random graphs in which records fail at random: a slow model that walks the tree of each message
// says when it may be acked.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "env/random.hpp"
#include "schedule_run.hpp"

namespace millrace::property {
namespace {

struct Leaf {
  std::uint32_t message = 0;
  std::uint64_t path = 0;  ///< which of the records that were made of it
};

std::uint64_t mixed(std::uint64_t a, std::uint64_t b, std::uint64_t c = 0) {
  return detail::hash_combine(detail::hash_combine(detail::hash_combine(detail::kHashSeed, a), b),
                              c);
}

enum class Kind { filter, flat_map, bolt, takes };

/// A component: a pure function from a record to records, that fails at some the first few times.
struct Part {
  Kind kind = Kind::filter;
  std::uint64_t salt = 0;
  std::vector<std::size_t> from;  ///< parts before it; empty: the source
  bool shuffled = false;
  std::uint64_t fails_one_in = 1;

  std::vector<Leaf> made_of(const Leaf& leaf) const {
    const std::uint64_t drawn = mixed(leaf.path, salt);
    if (kind == Kind::filter) return drawn % 4 == 0 ? std::vector<Leaf>() : std::vector{leaf};
    std::vector<Leaf> made;
    for (std::uint64_t at = 0; at < drawn % 3; ++at)
      made.push_back({leaf.message, mixed(leaf.path, salt, at + 1)});
    return made;
  }
  /// How often it fails at that record.
  int failures(const Leaf& leaf) const {
    const std::uint64_t drawn = mixed(leaf.path, salt, 77);
    return drawn % fails_one_in == 0 ? 1 + static_cast<int>(drawn / 7919 % 2) : 0;
  }
};

struct World {
  std::vector<Part> parts;
  std::vector<bool> is_read;  ///< by part
  std::uint32_t messages = 0;
  int windows_of_each = 0;  ///< that a message lies in, beside the parts

  std::mutex mutex;
  std::map<std::tuple<std::size_t, std::uint32_t, std::uint64_t>, int> tries;
  std::map<std::pair<std::size_t, std::uint64_t>, int> delivered;  ///< by last part and path
  std::set<std::pair<std::size_t, std::uint64_t>> in_hand;         ///< the same, of part and path
  std::map<std::uint32_t, int> fired;  ///< windows of each message whose rows were written
  std::map<std::uint32_t, int> acked;
  std::string wrong;

  static Leaf root(std::uint32_t message) { return {message, mixed(message, 1)}; }

  /// Throws the first few times that `part` meets that record.
  void meet(std::size_t part, const Leaf& leaf) {
    const std::lock_guard lock(mutex);
    if (++tries[{part, leaf.message, leaf.path}] <= parts[part].failures(leaf))
      throw std::runtime_error("not yet");
  }
  /// The row of the messages of a key in a window.
  void fire(std::uint32_t key, Time start, Time end) {
    const std::lock_guard lock(mutex);
    for (std::uint32_t message = key; message < messages; message += kKeys)
      if (time_of(message) >= start && time_of(message) < end) ++fired[message];
  }
  static constexpr std::uint32_t kKeys = 3;
  static Time time_of(std::uint32_t message) { return Time{message} * 1'000'000; }
  void deliver(std::size_t part, const Leaf& leaf) {
    const std::lock_guard lock(mutex);
    ++delivered[{part, leaf.path}];
  }
  /// Calls visit(part, leaf) for what every part is given of a message.
  template <class Visit>
  void walk(std::uint32_t message, Visit&& visit) const {
    for (std::size_t part = 0; part < parts.size(); ++part) {
      if (parts[part].from.empty()) walk_from(part, root(message), visit);
    }
  }
  template <class Visit>
  void walk_from(std::size_t part, const Leaf& leaf, Visit&& visit) const {
    visit(part, leaf);
    for (const Leaf& made : parts[part].made_of(leaf)) {
      for (std::size_t next = 0; next < parts.size(); ++next) {
        for (const std::size_t from : parts[next].from) {
          if (from == part) walk_from(next, made, visit);
        }
      }
    }
  }
  bool ever_fails(std::uint32_t message) const {
    bool fails = false;
    walk(message,
         [&](std::size_t part, const Leaf& leaf) { fails |= parts[part].failures(leaf) > 0; });
    return fails;
  }
  /// How often each record that leaves a last part is wanted.
  std::map<std::pair<std::size_t, std::uint64_t>, int> wanted(std::uint32_t message) const {
    std::map<std::pair<std::size_t, std::uint64_t>, int> all;
    walk(message, [&](std::size_t part, const Leaf& leaf) {
      if (is_read[part]) return;
      for (const Leaf& made : parts[part].made_of(leaf)) ++all[{part, made.path}];
    });
    return all;
  }
  /// The whole tree of a message must be handled when it is acked, and nothing of it in hand.
  void ack(std::uint32_t message) {
    const std::lock_guard lock(mutex);
    if (++acked[message] > 1) wrong = fmt::format("message {} was acked twice", message);
    for (const auto& [leaf, times] : wanted(message)) {
      if (delivered[leaf] < times)
        wrong = fmt::format("message {} was acked before all of it was written", message);
    }
    // What is left of a try that failed may still be in hand when a later one is done, which may be
    // late for its windows.
    if (ever_fails(message)) return;
    if (fired[message] < windows_of_each)
      wrong = fmt::format("message {} was acked before its windows had fired", message);
    walk(message, [&](std::size_t part, const Leaf& leaf) {
      if (in_hand.contains({part, leaf.path}))
        wrong = fmt::format("message {} was acked while a bolt had it in hand", message);
    });
  }
};

std::shared_ptr<World> draw_world(detail::Random& random) {
  auto world = std::make_shared<World>();
  world->messages = static_cast<std::uint32_t>(1 + random.below(1500));
  world->windows_of_each = static_cast<int>(random.below(3));
  const std::size_t count = 1 + random.below(6);
  const std::uint64_t fails_one_in = 5 + random.below(200);
  world->is_read.resize(count);
  for (std::size_t at = 0; at < count; ++at) {
    Part part;
    part.kind = static_cast<Kind>(random.below(4));
    part.salt = random();
    part.shuffled = random.chance(0.5);
    part.fails_one_in = fails_one_in;
    for (std::size_t from = 0; from < at; ++from) {
      if (random.chance(from + 1 == at ? 0.7 : 0.2)) part.from.push_back(from);
    }
    for (const std::size_t from : part.from) world->is_read[from] = true;
    world->parts.push_back(std::move(part));
  }
  return world;
}

struct Names : ReliableSpout<Leaf> {
  explicit Names(std::shared_ptr<World> of) : world(std::move(of)) {
    for (std::uint32_t at = world->messages; at > 0; --at) waiting.push_back(at - 1);
  }
  bool next(MessageOutput<Leaf>& out) override {
    if (waiting.empty()) return false;
    out.emit(World::root(waiting.back()), waiting.back());
    waiting.pop_back();
    return true;
  }
  void ack(MessageId id) override { world->ack(static_cast<std::uint32_t>(id)); }
  void fail(MessageId id) override { waiting.push_back(static_cast<std::uint32_t>(id)); }
  std::shared_ptr<World> world;
  std::vector<std::uint32_t> waiting;
};

struct Makes : Bolt<Leaf, Leaf> {
  Makes(std::shared_ptr<World> of, std::size_t number) : world(std::move(of)), part(number) {}
  void process(const Leaf& leaf, Output<Leaf>& out) override {
    for (const Leaf& made : world->parts[part].made_of(leaf)) out.emit(made);
    world->meet(part, leaf);
  }
  std::shared_ptr<World> world;
  std::size_t part;
};

/// Holds each message until it has been given a few more.
struct Takes : AckingBolt<Leaf, Leaf> {
  Takes(std::shared_ptr<World> of, std::size_t number) : world(std::move(of)), part(number) {}
  Takes(const Takes& other) : world(other.world), part(other.part) {}
  void process(const Leaf& leaf, Message& message, AnchoredOutput<Leaf>& out) override {
    for (const Leaf& made : world->parts[part].made_of(leaf)) out.emit(made);
    world->meet(part, leaf);
    if (mixed(leaf.path, 5) % 3 == 0) return;
    {
      const std::lock_guard lock(world->mutex);
      world->in_hand.insert({part, leaf.path});
    }
    held.emplace_back(leaf.path, std::move(message));
    if (held.size() > 5) let_go();
  }
  void finish(AnchoredOutput<Leaf>&) override {
    while (!held.empty()) let_go();
  }
  void let_go() {
    {
      const std::lock_guard lock(world->mutex);
      world->in_hand.erase({part, held.back().first});
    }
    held.back().second.ack();
    held.pop_back();
  }
  std::shared_ptr<World> world;
  std::size_t part;
  std::vector<std::pair<std::uint64_t, Message>> held;
};

Stream<Leaf> add_part(Topology& topology, const std::shared_ptr<World>& world, std::size_t at,
                      const Stream<Leaf>& in) {
  const bool shuffled = world->parts[at].shuffled;
  switch (world->parts[at].kind) {
    case Kind::filter:
      return in.filter([world, at](const Leaf& leaf) {
        world->meet(at, leaf);
        return !world->parts[at].made_of(leaf).empty();
      });
    case Kind::flat_map:
      return in.flat_map([world, at](const Leaf& leaf, Output<Leaf>& out) {
        for (const Leaf& made : world->parts[at].made_of(leaf)) out.emit(made);
        world->meet(at, leaf);
      });
    case Kind::bolt:
      return topology.bolt("", Makes(world, at), shuffled ? shuffle(in) : none(in));
    case Kind::takes:
      return topology.bolt("", Takes(world, at), shuffled ? shuffle(in) : none(in));
  }
  return in;
}

void declare(Topology& topology, const std::shared_ptr<World>& world, bool named) {
  topology.guarantee(at_least_once, {.tries_max = 255, .retry_after = 0ms, .pending_max = 300});
  std::vector<Leaf> roots;
  for (std::uint32_t at = 0; at < world->messages; ++at) roots.push_back(World::root(at));
  Stream<Leaf> source =
      named ? topology.spout("in", Names(world)) : topology.from(records<Leaf>({roots}));
  if (world->windows_of_each > 0) {
    source = source.event_time([](const Leaf& leaf) { return World::time_of(leaf.message); });
    source.key_by([](const Leaf& leaf) { return leaf.message % World::kKeys; })
        .window(world->windows_of_each == 1 ? tumbling(50s) : sliding(100s, 50s))
        .count()
        .to(each([world](const Aggregate<std::uint32_t, std::int64_t>& row) {
          world->fire(row.key, row.window_start, row.window_end);
        }));
  }
  std::vector<Stream<Leaf>> streams;
  for (std::size_t at = 0; at < world->parts.size(); ++at) {
    const auto& from = world->parts[at].from;
    Stream<Leaf> in = from.empty() ? source : streams[from.front()];
    for (std::size_t more = 1; more < from.size(); ++more) in = in.merge(streams[from[more]]);
    streams.push_back(add_part(topology, world, at, in));
    if (!world->is_read[at])
      streams.back().to(each([world, at](const Leaf& leaf) { world->deliver(at, leaf); }));
  }
}

std::string check(World& world, bool named) {
  if (!world.wrong.empty()) return world.wrong;
  for (std::uint32_t message = 0; message < world.messages; ++message) {
    if (named && world.acked[message] != 1) return fmt::format("message {} was not acked", message);
    const bool fails = world.ever_fails(message);
    for (const auto& [leaf, times] : world.wanted(message)) {
      const int got = world.delivered[leaf];
      if (got < times || (got > times && !fails))
        return fmt::format("message {}: {} wanted, {} times written", message, times, got);
    }
  }
  return {};
}

TEST(MessageTrees, AreAckedWhenAllOfThemIsHandled) {
  for_each_seed([](std::uint64_t seed) {
    detail::Random random(seed ^ 0xac5);
    const std::uint64_t world_seed = random();
    for (int turn = 0; turn < 4; ++turn) {
      detail::Random again(world_seed);
      const auto world = draw_world(again);
      const bool named = turn % 2 == 0;
      Schedule schedule = draw_schedule(random, turn < 2);
      schedule.acked = true;
      schedule.run.speed = 0;
      const Outcome outcome =
          run_once([&](Topology& topology, Rows&) { declare(topology, world, named); }, schedule);
      const std::string where =
          fmt::format("MILLRACE_SEED={}, turn {}: {}", seed, turn, schedule.to_string());
      EXPECT_TRUE(outcome.status.ok()) << where << ": " << outcome.status.to_string();
      EXPECT_EQ(check(*world, named), "") << where;
      EXPECT_EQ(outcome.report.dead_letters, 0u) << where;
      if (::testing::Test::HasFailure()) return false;
    }
    return true;
  });
}

}  // namespace
}  // namespace millrace::property
