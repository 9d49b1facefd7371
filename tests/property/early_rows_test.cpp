// Early rows that a single source makes deterministic, in each mode, against naive models: of
// windows of the wall clock, and of all input.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "early_rows.hpp"
#include "schedule_run.hpp"

namespace millrace::property {
namespace {

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
ByKey model_by_span(const std::vector<TimedHit>& events, Time span, RefireMode mode) {
  std::map<Time, std::vector<Hit>> ticks;
  for (const TimedHit& event : events) {
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
