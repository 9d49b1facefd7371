// Random records through a class with every kind of state and timers, against a model of maps that
// handles one record after the other.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
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
  std::int64_t number = 0;
};
struct Shown {
  std::int32_t key = 0;
  std::string text;
};

constexpr std::int64_t kGrid = 16;
constexpr std::int64_t kTtl = 48;
/// Several records ask for one of few times, so that timers meet each other and the records.
Time timer_of(Time time, std::int64_t number) {
  return detail::floor_div(time + number % 64, kGrid) * kGrid;
}

/// How often the draws hit what is easily got wrong.
struct Hits {
  std::uint64_t equal_stamps = 0;
  std::uint64_t record_at_timer = 0;     // a record with exactly the time of a pending timer
  std::uint64_t waited = 0;              // a record beyond a pending timer
  std::uint64_t timer_at_watermark = 0;  // pending with the watermark exactly there
  std::uint64_t coalesced = 0;
  std::uint64_t removed = 0;
  std::uint64_t thrown = 0;
  std::uint64_t timer_thrown = 0;
  std::uint64_t expired_exactly = 0;  // looked at in the microsecond its time is over
  std::uint64_t expired = 0;
};

/// What the class shows of its states.
template <class List, class Map>
std::string shown(const char* what, Time time, std::optional<std::int64_t> value, const List& list,
                  const Map& map, std::optional<std::int64_t> sum) {
  std::string text = fmt::format("{} {} value {} list", what, time, value.value_or(-1));
  for (const auto entry : list) text += fmt::format(" {}", entry);
  text += " map";
  for (const auto& [key, entry] : map) text += fmt::format(" {}={}", key, entry);
  return text + fmt::format(" sum {}", sum.value_or(-1));
}

// ---- the class under test

struct EveryState {
  ValueState<std::int64_t> value;
  ListState<std::int64_t> list{{.ttl = Duration(kTtl)}};
  MapState<std::int64_t, std::int64_t> map{
      {.ttl = Duration(kTtl), .renewed = TtlRenewal::on_access}};
  ReducingState<std::int64_t> sum;

  using Context = KeyedContext<std::int32_t>;

  void process(const Note& note, Context& context, Output<Shown>& out) {
    const std::int64_t number = note.number;
    switch (number % 8) {
      case 0:
        value.set(number);
        break;
      case 1:
        value.clear();
        map.set(number % 5, number);
        break;
      case 2:
        list.add(number);
        break;
      case 3:
        map.update(number % 5, [](std::int64_t& count) { ++count; });
        break;
      case 4:
        context.timers().at(timer_of(note.time, number));
        break;
      case 5:
        context.timers().remove(timer_of(note.time, number / 8));
        break;
      case 6:
        sum.add(number % 10);
        break;
      default:
        all_and_throw(note, context, out);
    }
    show("record", note.time, context, out);
  }
  void on_timer(Time time, Context& context, Output<Shown>& out) {
    sum.add(1);
    const std::int64_t now = *sum.get();
    list.erase_first(1);
    if (now % 3 == 0) value.update([](std::int64_t& to) { to += 1'000; });
    if (now % 7 == 0) {
      show("withdrawn", time, context, out);
      map.clear();
      context.timers().at(time + 5);
      throw std::runtime_error("at seven");
    }
    if (now % 5 == 1) context.timers().at(time + kGrid);
    show("timer", time, context, out);
  }

  void all_and_throw(const Note& note, Context& context, Output<Shown>& out) {
    value.set(1);
    list.add(1);
    list.add(2);
    if (note.number % 3 == 0) list.erase_first(1);
    if (note.number % 5 == 0) list.clear();
    list.add(3);
    map.update(note.number % 5, [](std::int64_t& count) { count += 7; });
    map.erase(note.number / 8 % 5);
    if (note.number % 7 == 0) map.clear();
    map.set(9, 9);
    sum.add(5);
    if (note.number % 2 == 0) sum.clear();
    context.timers().at(timer_of(note.time, note.number / 8));
    context.timers().remove(timer_of(note.time, note.number / 16));
    show("withdrawn", note.time, context, out);
    throw std::runtime_error("as asked");
  }
  void show(const char* what, Time time, Context& context, Output<Shown>& out) {
    const std::int64_t* number = value.get();
    const std::int64_t* added = sum.get();
    out.emit({context.key(),
              shown(what, time, number ? std::optional(*number) : std::nullopt, list.all(),
                    map.all(), added ? std::optional(*added) : std::nullopt)});
  }
};

// ---- the model: one key

struct ModelKey {
  std::optional<std::int64_t> value;
  std::vector<std::int64_t> list;
  Time list_written = 0;
  std::map<std::int64_t, std::int64_t> map;
  Time map_seen = 0;
  std::optional<std::int64_t> sum;
  std::set<Time> timers;

  void count(Time now, Hits& hits) const {
    hits.expired_exactly += !list.empty() && list_written + kTtl == now;
    hits.expired += !list.empty() && list_written + kTtl <= now;
  }
  /// A record sees what is not over at its own time, also behind one that did not see it.
  bool list_is_over(Time now) const { return list_written + kTtl <= now; }
  bool map_is_over(Time now) const { return map_seen + kTtl <= now; }
  std::string show(const char* what, Time now) {
    if (!map.empty() && !map_is_over(now)) map_seen = std::max(map_seen, now);
    return shown(what, now, value, list_is_over(now) ? std::vector<std::int64_t>() : list,
                 map_is_over(now) ? std::map<std::int64_t, std::int64_t>() : map, sum);
  }
  void write_list(Time now) {
    if (list_is_over(now)) list.clear();
    list_written = list.empty() ? now : std::max(list_written, now);
  }
  void write_map(Time now) {
    if (map_is_over(now)) map.clear();
    map_seen = map.empty() ? now : std::max(map_seen, now);
  }

  /// False: threw, nothing happened.
  bool process(const Note& note, std::vector<std::string>& rows, Hits& hits) {
    count(note.time, hits);
    switch (note.number % 8) {
      case 0:
        value = note.number;
        break;
      case 1:
        value.reset();
        write_map(note.time);
        map[note.number % 5] = note.number;
        break;
      case 2:
        write_list(note.time);
        list.push_back(note.number);
        break;
      case 3:
        write_map(note.time);
        ++map[note.number % 5];
        break;
      case 4:
        hits.coalesced +=
            !timers.insert(std::max(note.time, timer_of(note.time, note.number))).second;
        break;
      case 5:
        hits.removed += timers.erase(timer_of(note.time, note.number / 8));
        break;
      case 6:
        sum = sum.value_or(0) + note.number % 10;
        break;
      default:
        ++hits.thrown;
        return false;
    }
    rows.push_back(show("record", note.time));
    return true;
  }
  void fire(Time time, std::vector<std::string>& rows, Hits& hits) {
    count(time, hits);
    const std::int64_t now = sum.value_or(0) + 1;
    if (now % 7 == 0) {
      ++hits.timer_thrown;
      return;
    }
    sum = now;
    write_list(time);
    if (!list.empty()) list.erase(list.begin());
    if (now % 3 == 0) value = value.value_or(0) + 1'000;
    if (now % 5 == 1) timers.insert(time + kGrid);
    rows.push_back(show("timer", time));
  }
};

/// A partition's records one by one; before each, the timers that its watermark has passed.
class Model {
 public:
  explicit Model(std::int64_t bound) : bound_(bound) {}

  void take(const Note& note) {
    if (newest_) fire_before(*newest_ - bound_);
    waiting_.push_back(note);
    ModelKey& key = keys_[note.key];
    hits.record_at_timer += key.timers.contains(note.time);
    hits.waited += !key.timers.empty() && *key.timers.begin() < note.time;
    hits.equal_stamps += newest_ == note.time;
    if (newest_) hits.timer_at_watermark += key.timers.contains(*newest_ - bound_);
    handle_waiting();
    newest_ = newest_ ? std::max(*newest_, note.time) : note.time;
  }
  void end() { fire_before(kTimeMax); }

  std::map<std::int32_t, std::vector<std::string>> rows;
  std::uint64_t failed = 0;
  Hits hits;

 private:
  /// Whoever has no earlier timer pending, in the order of arrival.
  void handle_waiting() {
    for (std::size_t at = 0; at < waiting_.size();) {
      const Note note = waiting_[at];
      ModelKey& key = keys_[note.key];
      if (!key.timers.empty() && *key.timers.begin() < note.time) {
        ++at;
        continue;
      }
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(at));
      failed += !key.process(note, rows[note.key], hits);
      at = 0;  // a timer that it removed may have held others
    }
  }
  void fire_before(Time watermark) {
    while (true) {
      std::optional<std::pair<Time, std::int32_t>> next;
      for (const auto& [key, state] : keys_) {
        if (state.timers.empty() || *state.timers.begin() >= watermark) continue;
        const std::pair<Time, std::int32_t> at(*state.timers.begin(), key);
        if (!next || at < *next) next = at;
      }
      if (!next) return;
      ModelKey& key = keys_[next->second];
      key.timers.erase(next->first);
      key.fire(next->first, rows[next->second], hits);
      handle_waiting();
    }
  }

  std::int64_t bound_;
  std::optional<Time> newest_;
  std::map<std::int32_t, ModelKey> keys_;
  std::vector<Note> waiting_;
};

std::vector<Note> draw_notes(Random& random, std::size_t count, std::int64_t bound,
                             std::int32_t first_key, std::int32_t step) {
  std::vector<Note> notes;
  Time newest = random.between(-300, 300);
  for (std::size_t at = 0; at < count; ++at) {
    if (!random.chance(0.3)) newest += random.between(0, 12);
    if (random.chance(0.02)) newest += 200;
    Time time = newest - random.between(0, bound);
    if (random.chance(0.2)) time = std::max(newest - bound, detail::floor_div(time, kGrid) * kGrid);
    const auto key = first_key + step * static_cast<std::int32_t>(random.below(4));
    notes.push_back({time, key, random.between(0, 4'000)});
    newest = std::max(newest, time);
  }
  return notes;
}

void expect_as_the_model(std::uint64_t seed, Hits& hits) {
  SCOPED_TRACE(fmt::format("seed {}", seed));
  Random random(seed);
  const std::int64_t bound = random.chance(0.4) ? 0 : random.between(1, 60);
  const auto partitions = static_cast<std::int32_t>(1 + random.below(3));
  std::vector<std::vector<Note>> input;
  std::map<std::int32_t, std::vector<std::string>> expected;
  std::uint64_t failed = 0;
  for (std::int32_t at = 0; at < partitions; ++at) {
    input.push_back(draw_notes(random, random.below(400), bound, at, partitions));
    Model model(bound);
    for (const Note& note : input.back()) model.take(note);
    model.end();
    expected.merge(model.rows);
    failed += model.failed;
    const Hits& more = model.hits;
    hits.equal_stamps += more.equal_stamps;
    hits.record_at_timer += more.record_at_timer;
    hits.waited += more.waited;
    hits.timer_at_watermark += more.timer_at_watermark;
    hits.coalesced += more.coalesced;
    hits.removed += more.removed;
    hits.thrown += more.thrown;
    hits.timer_thrown += more.timer_thrown;
    hits.expired_exactly += more.expired_exactly;
    hits.expired += more.expired;
  }
  std::map<std::int32_t, std::vector<std::string>> found;
  Topology topology("state");
  topology.from(records<Note>(input, static_cast<std::uint32_t>(1 + random.below(2))))
      .event_time(&Note::time, {.out_of_order = Duration(bound)})
      .key_by(&Note::key)
      .process(EveryState{})
      .to(each([&found](const Shown& row) { found[row.key].push_back(row.text); }));
  const detail::Graph& graph = topology.declaration().graph;
  ASSERT_TRUE(graph.validate().empty());
  detail::PlanOptions plan;
  plan.parallelism = static_cast<std::uint32_t>(1 + random.below(8));
  plan.fuse = random.chance(0.5);
  detail::RunOptions options;
  options.batch_records_max = 1 + random.below(random.chance(0.5) ? 4 : 300);
  detail::SimEnv env(seed);
  detail::Simulation simulation(graph, detail::make_plan(graph, plan), options, env,
                                {.seed = seed});
  ASSERT_EQ(simulation.run().error().to_string(), "ok");
  std::erase_if(expected, [](const auto& entry) { return entry.second.empty(); });
  for (const auto& [key, rows] : expected) {
    SCOPED_TRACE(fmt::format("key {}", key));
    for (std::size_t at = 0; at < std::min(rows.size(), found[key].size()); ++at) {
      ASSERT_EQ(found[key][at], rows[at])
          << "row " << at << ", behind " << (at > 0 ? rows[at - 1] : "");
    }
    ASSERT_EQ(found[key].size(), rows.size());
  }
  ASSERT_EQ(found.size(), expected.size());
  for (const auto& component : simulation.report().components) {
    if (component.name != "process") continue;
    ASSERT_EQ(component.dead_lettered, failed);
  }
}

TEST(State, IsAsTheModelSaysWhateverTheSchedule) {
  Hits hits;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    expect_as_the_model(seed, hits);
    if (HasFatalFailure()) return;
  }
  for (const std::uint64_t count :
       {hits.equal_stamps, hits.record_at_timer, hits.waited, hits.timer_at_watermark,
        hits.coalesced, hits.removed, hits.thrown, hits.timer_thrown, hits.expired_exactly,
        hits.expired}) {
    EXPECT_GT(count, 50u);
  }
}

}  // namespace
}  // namespace millrace::property
