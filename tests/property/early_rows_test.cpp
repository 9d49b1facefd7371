// Early rows that a single source makes deterministic, in each mode, against naive models: of
// windows of the wall clock, of sessions by records, and of all input.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "env/random.hpp"
#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"
#include "schedule_run.hpp"

namespace millrace::property {
namespace {

struct Hit {
  std::int32_t key = 0;
  std::int64_t number = 0;
  Timestamp when = {};
};
using Update = WindowUpdate<std::int32_t, std::int64_t>;

/// A row without its key.
struct Told {
  Time start = 0;
  Time end = 0;
  std::int64_t value = 0;
  Firing firing = Firing::early;
  bool retracted = false;
  friend bool operator==(const Told&, const Told&) = default;
};
std::string text_of(const Told& told) {
  return fmt::format("[{}, {}) {} {}{}", told.start, told.end, told.value,
                     static_cast<int>(told.firing), told.retracted ? " taken back" : "");
}
using ByKey = std::map<std::int32_t, std::vector<Told>>;

/// Both in words, where they differ.
std::string difference(const ByKey& wanted, const ByKey& got) {
  const auto text = [](const ByKey& rows) {
    std::string all;
    for (const auto& [key, list] : rows) {
      for (const Told& told : list) all += fmt::format("\n  {}: {}", key, text_of(told));
    }
    return all;
  };
  return wanted == got ? "" : fmt::format("wanted{}\ngot{}", text(wanted), text(got));
}

template <class Spec>
Spec in_mode(const Spec& spec, RefireMode mode) {
  if (mode == RefireMode::discarding) return spec.discarding();
  return mode == RefireMode::retracting ? spec.retracting() : spec.accumulating();
}
RefireMode draw_mode(detail::Random& random) { return static_cast<RefireMode>(random.below(3)); }

/// The sums of hits of one source by key in a kind of windows, run by a test driver.
template <class Spec>
class Driven {
 public:
  Driven(const Spec& spec, int tasks, Duration out_of_order, Timestamp start = {}) {
    topology_.from(records(std::vector<std::vector<Hit>>(1)))
        .named("hits")
        .event_time(&Hit::when, {.out_of_order = out_of_order})
        .key_by(&Hit::key)
        .window(spec)
        .sum(&Hit::number)
        .to(each([](const Update&) {}))
        .named("sums");
    driver_.emplace(topology_, TestDriverOptions{.parallelism = tasks, .start = start});
    input_.emplace(driver_->input<Hit>("hits"));
    output_.emplace(driver_->output<Update>("sums"));
  }
  void pipe(const Hit& hit) { input_->pipe(hit); }
  void pass(Duration span) { driver_->advance_clock(span); }
  void end() { input_->end(); }
  Time now() { return driver_->now().micros; }
  std::vector<Update> read() { return output_->read_all(); }
  ByKey rows() {
    ByKey rows;
    for (const Update& row : read()) rows[row.key].push_back(told_of(row));
    return rows;
  }
  static Told told_of(const Update& row) {
    return {row.window_start, row.window_end, row.value, row.firing, row.retracted};
  }

 private:
  Topology topology_{"early"};
  std::optional<TestDriver> driver_;
  std::optional<TestInput<Hit>> input_;
  std::optional<TestOutput<Update>> output_;
};

/// Tells a row of `all`, of which `fresh` came since the rows that stand; these it replaces.
void tell(std::vector<Told>& rows, std::vector<Told>& standing, RefireMode mode, Told row,
          std::int64_t all, std::int64_t fresh) {
  if (mode == RefireMode::retracting) {
    for (Told old : standing) {
      old.firing = row.firing;
      old.retracted = true;
      rows.push_back(old);
    }
  }
  row.value = mode == RefireMode::discarding ? fresh : all;
  rows.push_back(row);
  standing = {row};
}

constexpr Time kUnit = 50'000;  ///< windows, spans and arrivals are multiples of it

struct ClockCase {
  Time size;
  Time slide;
  Time span;
  RefireMode mode;
};
struct Seen {
  Time time;
  Hit hit;
};
/// A row and when it is due.
using Due = std::pair<Told, Time>;

/// The rows of a window with what came in it, in order.
std::vector<Due> model_window(const std::vector<Seen>& in, Time start, const ClockCase& with) {
  std::vector<Due> dues;
  std::vector<Told> standing;
  std::size_t told = 0;
  const auto sum = [&in](std::size_t from, std::size_t to) {
    std::int64_t sum = 0;
    for (std::size_t at = from; at < to; ++at) sum += in[at].hit.number;
    return sum;
  };
  const auto emit = [&](Firing firing, Time at, std::size_t held) {
    std::vector<Told> rows;
    tell(rows, standing, with.mode, {start, start + with.size, 0, firing}, sum(0, held),
         sum(told, held));
    for (const Told& row : rows) dues.emplace_back(row, at);
    told = held;
  };
  for (Time tick = start + with.span; tick < start + with.size; tick += with.span) {
    const auto held = static_cast<std::size_t>(
        std::ranges::count_if(in, [tick](const Seen& one) { return one.time < tick; }));
    if (held > told) emit(Firing::early, tick, held);
  }
  if (with.mode != RefireMode::discarding || told < in.size())
    emit(Firing::on_time, start + with.size, in.size());
  return dues;
}

using Window = std::pair<std::int32_t, Time>;  ///< key and start

std::map<Window, std::vector<Due>> model_clock(const std::vector<Seen>& seen,
                                               const ClockCase& with) {
  std::map<Window, std::vector<Seen>> windows;
  for (const Seen& one : seen) {
    Time start = one.time - one.time % with.slide;
    for (; start > one.time - with.size; start -= with.slide)
      windows[{one.hit.key, start}].push_back(one);
  }
  std::map<Window, std::vector<Due>> rows;
  for (const auto& [window, in] : windows) rows[window] = model_window(in, window.second, with);
  return rows;
}

TEST(EarlyRows, OfWindowsOfTheWallClock) {
  int early = 0;
  int at_a_tick = 0;
  for_each_seed([&](std::uint64_t seed) {
    detail::Random random(seed ^ 0xc10c);
    const Time slide = random.between(2, 8) * kUnit;
    const Time size = random.chance(0.5) ? slide : slide + random.between(0, 8) * kUnit;
    const ClockCase with{size, slide, random.between(1, size / kUnit - 1) * kUnit,
                         draw_mode(random)};
    const Windows windows = sliding(Duration(size), Duration(slide));
    const auto spec = in_mode(windows.early(every(Duration(with.span))), with.mode).by_clock();
    Driven driven(spec, static_cast<int>(random.between(1, 3)), 0s,
                  Timestamp{1'700'000'000'000'000});
    std::vector<Seen> seen;
    std::map<Window, std::vector<Due>> came;
    const auto pass = [&] {
      driven.pass(Duration(kUnit));
      for (const Update& row : driven.read())
        came[{row.key, row.window_start}].emplace_back(driven.told_of(row), driven.now());
    };
    for (int step = 0; step < 30; ++step) {
      for (std::uint64_t left = random.below(5); left > 0; --left) pass();
      const Hit hit{static_cast<std::int32_t>(random.below(2)), random.between(-5, 5)};
      seen.push_back({driven.now(), hit});
      driven.pipe(hit);
      at_a_tick += driven.now() % with.span == 0;
    }
    for (Time left = size + slide; left >= 0; left -= kUnit) pass();
    const auto wanted = model_clock(seen, with);
    EXPECT_EQ(came.size(), wanted.size()) << "MILLRACE_SEED=" << seed;
    for (const auto& [window, dues] : wanted) {
      const auto& got = came[window];
      EXPECT_EQ(got.size(), dues.size()) << "MILLRACE_SEED=" << seed << ' ' << windows.to_string();
      for (std::size_t at = 0; at < std::min(got.size(), dues.size()); ++at) {
        EXPECT_EQ(text_of(got[at].first), text_of(dues[at].first)) << "MILLRACE_SEED=" << seed;
        const bool is_early = dues[at].first.firing == Firing::early;
        early += is_early;
        EXPECT_GE(got[at].second, dues[at].second) << "MILLRACE_SEED=" << seed;
        EXPECT_LE(got[at].second, dues[at].second + (is_early ? 100'000 : 0));
      }
    }
    return !testing::Test::HasFailure();
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GT(early, 200) << "hardly an early row";
  EXPECT_GT(at_a_tick, 20) << "hardly a record at a multiple of the span";
}

/// A hit, and how late it is as its source says it.
struct Event {
  Hit hit;
  std::optional<Time> behind;  ///< the watermark, where it is behind it
  Time watermark;              ///< after it
};

std::vector<Event> events_of(const std::vector<Hit>& hits, Time out_of_order) {
  std::vector<Event> events;
  Time newest = kTimeMin;
  for (const Hit& hit : hits) {
    const Time time = hit.when.micros;
    const bool late = newest != kTimeMin && time < newest - out_of_order;
    const std::optional<Time> behind = late ? std::optional(newest - out_of_order) : std::nullopt;
    newest = std::max(newest, time);
    events.push_back({hit, behind, newest - out_of_order});
  }
  return events;
}

struct SessionCase {
  Time gap;
  Time lateness;
  Time out_of_order;
  std::int64_t records;  ///< an early row after so many
  RefireMode mode;
};
struct SessionHits {
  int early = 0;
  int late = 0;
  int joined = 0;         ///< rows that replace those of several sessions
  int last_to_count = 0;  ///< time + lateness = W
  int too_late = 0;
  int exactly_gap = 0;
};

struct ModelSession {
  Time first;
  Time last;
  std::int64_t all;
  std::int64_t fresh;
  std::int64_t fresh_records;
  bool over;
  std::vector<Told> standing;
};

/// The sessions of a key, as a list that is looked through for each record.
class ModelKey {
 public:
  ModelKey(const SessionCase& with, SessionHits& hits) : with_(with), hits_(hits) {}

  void take(const Event& event) {
    const Time time = event.hit.when.micros;
    if (!event.behind) return put(time, event.hit.number, time);
    hits_.last_to_count += time + with_.lateness == *event.behind;
    if (time + with_.lateness < *event.behind) {
      ++hits_.too_late;
    } else {
      waiting_.insert({{*event.behind, time, waiting_.size() + taken_}, event.hit.number});
    }
  }
  void advance(Time watermark) {
    while (true) {
      Time when = waiting_.empty() ? kTimeMax : std::get<0>(waiting_.begin()->first);
      const bool record_first = when != kTimeMax;
      const Time turn = when;
      for (const ModelSession& one : sessions_) {
        if (!one.over) when = std::min(when, one.last);
      }
      if (when == kTimeMax || (when >= watermark && watermark != kTimeMax)) return;
      if (record_first && turn == when) {
        const auto [place, number] = *waiting_.begin();
        waiting_.erase(waiting_.begin());
        ++taken_;
        put(std::get<1>(place), number, turn);
        continue;
      }
      for (ModelSession& one : sessions_) {
        if (one.over || one.last != when) continue;
        one.over = true;
        if (one.fresh_records > 0 || with_.mode != RefireMode::discarding)
          emit(one, Firing::on_time);
      }
    }
  }
  const std::vector<Told>& rows() const { return rows_; }

 private:
  void put(Time time, std::int64_t number, Time turn) {
    ModelSession made{time, time + with_.gap, number, number, 1, false, {}};
    std::vector<ModelSession> kept;
    for (ModelSession& one : sessions_) {  // in the order of time
      if (one.last < time || one.first > time + with_.gap) {
        kept.push_back(one);
        continue;
      }
      hits_.exactly_gap += one.last == time || one.first == time + with_.gap;
      made.first = std::min(made.first, one.first);
      made.last = std::max(made.last, one.last);
      made.all += one.all;
      made.fresh += one.fresh;
      made.fresh_records += one.fresh_records;
      made.standing.insert(made.standing.end(), one.standing.begin(), one.standing.end());
    }
    made.over = made.last < turn;
    if (made.over) {
      emit(made, Firing::late);
    } else if (made.fresh_records >= with_.records) {
      emit(made, Firing::early);
    }
    const auto behind = std::ranges::find_if(
        kept, [&made](const ModelSession& one) { return one.first > made.first; });
    kept.insert(behind, made);
    sessions_ = std::move(kept);
  }
  void emit(ModelSession& session, Firing firing) {
    hits_.early += firing == Firing::early;
    hits_.late += firing == Firing::late;
    hits_.joined += session.standing.size() > 1;
    tell(rows_, session.standing, with_.mode, {session.first, session.last, 0, firing}, session.all,
         session.fresh);
    session.fresh = 0;
    session.fresh_records = 0;
  }

  SessionCase with_;
  SessionHits& hits_;
  std::vector<ModelSession> sessions_;
  /// Late ones by the watermark that they are behind, then by time and arrival.
  std::map<std::tuple<Time, Time, std::size_t>, std::int64_t> waiting_;
  std::size_t taken_ = 0;
  std::vector<Told> rows_;
};

ByKey model_sessions(const std::vector<Event>& events, const SessionCase& with, SessionHits& hits) {
  std::map<std::int32_t, ModelKey> keys;
  for (const Event& event : events) {
    keys.try_emplace(event.hit.key, with, hits).first->second.take(event);
    for (auto& [key, model] : keys) model.advance(event.watermark);
  }
  ByKey rows;
  for (auto& [key, model] : keys) {
    model.advance(kTimeMax);
    if (!model.rows().empty()) rows[key] = model.rows();
  }
  return rows;
}

/// Times that wander, often to a gap from another hit or to where one is just not too late.
std::vector<Hit> draw_hits(detail::Random& random, const SessionCase& with) {
  std::vector<Hit> hits;
  Time newest = 0;
  for (int n = 0; n < 60; ++n) {
    Time time = newest + random.between(-with.out_of_order - with.lateness - 3, with.gap + 10);
    auto key = static_cast<std::int32_t>(random.below(2));
    if (!hits.empty() && random.chance(0.35)) {
      const Hit& before =
          hits[hits.size() - 1 - random.below(std::min<std::size_t>(hits.size(), 6))];
      key = before.key;
      time = before.when.micros + (random.chance(0.5) ? 1 : -1) * with.gap + random.between(-1, 1);
    } else if (random.chance(0.2)) {
      time = newest - with.out_of_order - with.lateness + random.between(-1, 1);
    }
    newest = n == 0 ? time : std::max(newest, time);
    hits.push_back({key, random.between(-9, 9), {time}});
  }
  return hits;
}

TEST(EarlyRows, OfSessionsByRecords) {
  SessionHits hits;
  for_each_seed([&](std::uint64_t seed) {
    bool good = true;
    for (int round = 0; round < 5 && good; ++round) {
      detail::Random random(seed * 31 + static_cast<std::uint64_t>(round));
      const SessionCase with{random.between(1, 20), random.chance(0.2) ? 0 : random.between(1, 60),
                             random.between(0, 15), random.between(1, 5), draw_mode(random)};
      const auto late = session(Duration(with.gap)).allowed_lateness(Duration(with.lateness));
      const auto spec =
          in_mode(late.early(every(static_cast<std::size_t>(with.records))), with.mode);
      Driven driven(spec, static_cast<int>(random.between(1, 3)), Duration(with.out_of_order));
      const std::vector<Hit> input = draw_hits(random, with);
      for (const Hit& hit : input) driven.pipe(hit);
      driven.end();
      const std::string wrong = difference(
          model_sessions(events_of(input, with.out_of_order), with, hits), driven.rows());
      EXPECT_EQ(wrong, "") << "MILLRACE_SEED=" << seed << ' ' << spec.to_string();
      good = wrong.empty();
    }
    return good;
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GT(hits.early, 100) << "hardly an early row";
  EXPECT_GT(hits.late, 100) << "hardly a late row";
  EXPECT_GT(hits.joined, 10) << "hardly a row that replaced several";
  EXPECT_GT(hits.last_to_count, 10) << "hardly a record of exactly the lateness";
  EXPECT_GT(hits.too_late, 10) << "hardly a record beyond it";
  EXPECT_GT(hits.exactly_gap, 10) << "hardly a record exactly at a gap";
}

/// What a key's rows tell, one after the other.
struct ModelAll {
  std::int64_t all = 0;
  std::int64_t fresh = 0;
  std::int64_t fresh_records = 0;
  std::vector<Told> standing = {};
  std::vector<Told> rows = {};

  void add(std::int64_t number) {
    all += number;
    fresh += number;
    ++fresh_records;
  }
  void emit(Firing firing, RefireMode mode) {
    if (fresh_records == 0 && (mode == RefireMode::discarding || firing == Firing::early)) return;
    tell(rows, standing, mode, {kTimeMin, kTimeMax, 0, firing}, all, fresh);
    fresh = 0;
    fresh_records = 0;
  }
};

ByKey rows_of(std::map<std::int32_t, ModelAll>& keys, RefireMode mode) {
  ByKey rows;
  for (auto& [key, all] : keys) {
    all.emit(Firing::on_time, mode);
    rows[key] = all.rows;
  }
  return rows;
}
ByKey model_by_records(const std::vector<Hit>& hits, std::int64_t records, RefireMode mode) {
  std::map<std::int32_t, ModelAll> keys;
  for (const Hit& hit : hits) {
    ModelAll& all = keys[hit.key];
    all.add(hit.number);
    if (all.fresh_records >= records) all.emit(Firing::early, mode);
  }
  return rows_of(keys, mode);
}
/// A record counts from its time on, or from the watermark that it is behind.
ByKey model_by_span(const std::vector<Event>& events, Time span, RefireMode mode) {
  std::map<Time, std::vector<Hit>> ticks;
  for (const Event& event : events) {
    const Time from = event.behind.value_or(event.hit.when.micros);
    ticks[detail::floor_div(from, span)].push_back(event.hit);
  }
  std::map<std::int32_t, ModelAll> keys;
  for (const auto& [tick, hits] : ticks) {
    for (const Hit& hit : hits) keys[hit.key].add(hit.number);
    for (auto& [key, all] : keys) all.emit(Firing::early, mode);
  }
  return rows_of(keys, mode);
}

TEST(EarlyRows, OfAllInput) {
  int rows = 0;
  for_each_seed([&](std::uint64_t seed) {
    detail::Random random(seed ^ 0xa11);
    const SessionCase drawn{random.between(1, 20), random.between(0, 40), random.between(0, 15),
                            random.between(1, 7), draw_mode(random)};
    const Time span = random.between(1, 30);
    const std::vector<Hit> input = draw_hits(random, drawn);
    const auto run = [&](const RefiringWindows& spec, const ByKey& wanted) {
      Driven driven(spec, static_cast<int>(random.between(1, 3)), Duration(drawn.out_of_order));
      for (const Hit& hit : input) driven.pipe(hit);
      driven.end();
      const std::string wrong = difference(wanted, driven.rows());
      EXPECT_EQ(wrong, "") << "MILLRACE_SEED=" << seed << ' ' << spec.to_string();
      for (const auto& [key, list] : wanted) rows += static_cast<int>(list.size());
      return wrong.empty();
    };
    const auto records = static_cast<std::size_t>(drawn.records);
    return run(in_mode(global().early(every(records)), drawn.mode),
               model_by_records(input, drawn.records, drawn.mode)) &&
           run(in_mode(global().early(every(Duration(span))), drawn.mode),
               model_by_span(events_of(input, drawn.out_of_order), span, drawn.mode));
  });
  if (std::getenv("MILLRACE_SEED") == nullptr) EXPECT_GT(rows, 1000);
}

}  // namespace
}  // namespace millrace::property
