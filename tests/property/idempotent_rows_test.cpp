// Tests of the idempotency keys of joins, patterns and windows that emit several rows: in runs that
// are killed again and again, with other numbers of readers and tasks, each row has the key that it
// has in one run.
#include <gtest/gtest.h>

#include <chrono>

#include <fmt/format.h>

#include "kept_keys.hpp"

namespace millrace::detail {
namespace {

/// Times of a partition that go up and down; each seventh record is far behind.
Stream<Numbered> timed(const Stream<Numbered>& numbers, std::int64_t step) {
  return numbers.event_time(
      [step](const Numbered& of) {
        const std::int64_t on_time = of.number * (step + of.key % 2) + (of.number * 7 + of.key) % 6;
        return of.number % 7 == 6 ? on_time - 40 : on_time;
      },
      {.out_of_order = Duration(2)});
}
std::string text_of(const Numbered& of) { return fmt::format("{} {}", of.key, of.number); }
std::string text_of(const Numbered* of) { return of != nullptr ? text_of(*of) : "none"; }

/// A row of user code: what it was made of.
struct Told {
  std::string text;
};

// ---- joins

struct JoinedKeys : KeptWorld {
  static constexpr std::uint64_t kCutWithin = 40000;
  JoinedKeys() : KeptWorld(13) {}

  void declare(Topology& topology, std::uint32_t tasks) {
    const auto half = [](const Numbered& of) { return of.key % 2; };
    const auto left = timed(numbers(topology, "lefts", tasks), 3).key_by(half);
    const auto right = timed(numbers(topology, "rights", tasks), 5).key_by(half);
    declare_streams(left, right);
    declare_tables(left, right);
  }

 private:
  static Told full(const Numbered* l, const Numbered* r) {
    return {text_of(l) + " and " + text_of(r)};
  }
  static Told with(const Numbered& l, const Numbered* r) { return full(&l, r); }
  static Told pair(const Numbered& l, const Numbered& r) { return full(&l, &r); }
  auto told(std::size_t at) {
    return shows(at, [](const Told& row) { return row.text; });
  }
  auto changes(std::size_t at) {
    return shows(at, [](const Change<Told>& change) {
      return fmt::format("{} {}", static_cast<int>(change.kind), change.record.text);
    });
  }

  template <class Keyed>
  void declare_streams(const Keyed& left, const Keyed& right) {
    const auto near = left.join(right).within(Duration(2), Duration(3)).full(full);
    near.to(told(0));
    near.late_left().to(shows(1, [](const Numbered& of) { return text_of(of); }));
    const auto apart = left.stream().flat_map([](const Numbered& of, Output<Numbered>& out) {
      for (std::int64_t at = 0; at < of.number % 3; ++at) out.emit({of.key, of.number * 10 + at});
    });
    const auto again = apart.key_by([](const Numbered& of) { return of.key % 2; });
    left.join(again).within(Duration(4), Duration(4)).inner(pair).to(told(2));
    const auto window = sliding(Duration(8), Duration(4));
    left.join(right).window(window).allowed_lateness(Duration(2)).full(full).to(told(3));
    left.join(left)
        .window(window)
        .co_group([](const CoGroup<std::int64_t, Numbered, Numbered>& group, Output<Told>& out) {
          for (const Numbered& one : group.left) out.emit({text_of(one)});
        })
        .to(told(4));
    left.as_of(right).nearest(Duration(4)).left(with).to(told(5));
    const auto sums = left.window(tumbling(Duration(4))).sum(&Numbered::number);
    sums.key_by([](const auto& row) { return row.key; })
        .join(right)
        .within(Duration(6), Duration(6))
        .left([](const auto& row, const Numbered* r) {
          return Told{fmt::format("{} {} and {}", row.value, row.window_end, text_of(r))};
        })
        .to(told(6));
    near.key_by(&Told::text)
        .join(left.stream().key_by([](const Numbered& of) { return "none and " + text_of(of); }))
        .within(Duration(9), Duration(9))
        .left([](const Told& row, const Numbered* l) {
          return Told{row.text + ", then " + text_of(l)};
        })
        .to(told(7));
  }
  template <class Keyed>
  void declare_tables(const Keyed& left, const Keyed& right) {
    left.table().join(right.table()).full(full).to(changes(8));
    left.table().join(left.table()).inner(pair).to(changes(9));
    const auto named = [](const Numbered& of) { return of.number % 2; };
    left.table().join(right.table(), named).left(with).to(changes(10));
    left.stream().join(right.table().global(), named).left(with).to(told(11));
    left.table().changes().to(shows(12, [](const Change<Numbered>& change) {
      return fmt::format("{} {}", static_cast<int>(change.kind), text_of(change.record));
    }));
  }
};

TEST(IdempotentRows, OfJoinsHaveTheSameKeysInKilledRuns) { expect_keys_hold<JoinedKeys>(); }

// ---- patterns

struct MatchedKeys : KeptWorld {
  static constexpr std::uint64_t kCutWithin = 12000;
  MatchedKeys() : KeptWorld(7) {}

  static Told told(const Match<Numbered>& match) {
    Told row{fmt::format("at {}:", match.time().micros)};
    for (std::size_t at = 0; at < match.size(); ++at)
      row.text += ' ' + text_of(match.at(at).record);
    return row;
  }
  auto texts(std::size_t at) {
    return shows(at, [](const Told& row) { return row.text; });
  }

  void declare(Topology& topology, std::uint32_t tasks) {
    const auto stream = timed(numbers(topology, "numbers", tasks), 3);
    const auto keyed = stream.key_by([](const Numbered& of) { return of.key % 2; });
    const auto is = [](std::int64_t rest) {
      return [rest](const Numbered& of) { return of.number % 3 == rest; };
    };
    const auto whole = [](const Match<Numbered>& match) { return told(match); };
    const auto start = pattern<Numbered>("a").where(is(0));
    const auto several = start.followed_by_any("b").where(is(1)).times(1, 2).within(Duration(12));
    const auto matches = keyed.match(several).select(whole, whole);
    matches.to(texts(0));
    matches.timed_out().to(texts(1));
    matches.late().to(shows(2, [](const Numbered& of) { return text_of(of); }));
    const auto held = start.one_or_more().followed_by("b").where(is(2)).within(Duration(15));
    keyed.match(held.skip_past_last())
        .all_rows([](const Match<Numbered>& match, const auto& one) {
          return Told{told(match).text + " of it " + text_of(one.record)};
        })
        .to(texts(3));
    const auto absent = start.followed_by_any("b").where(is(1)).not_followed_by("c").where(
        [](const Numbered& of) { return of.number % 7 == 0; });
    keyed.match(absent.within(Duration(12))).select(whole).to(texts(4));
    const auto sums = stream.key_by(&Numbered::key).window(tumbling(Duration(4))).count();
    using Row = std::decay_t<decltype(sums)>::Record;
    const auto quiet = pattern<Row>("one")
                           .followed_by_any("two")
                           .not_followed_by("much")
                           .where([](const Row& row) { return row.value > 5; })
                           .within(Duration(13));
    sums.key_by(&Row::key)
        .match(quiet)
        .select([](const Match<Row>& match) {
          return Told{fmt::format("{} {} {} {}", match.at(0).record.key, match.at(0).time.micros,
                                  match.at(1).time.micros, match.time().micros)};
        })
        .to(texts(5));
    const auto told_of = matches.key_by([](const Told&) { return 0; });
    told_of.join(keyed.stream().key_by([](const Numbered&) { return 0; }))
        .within(Duration(1), Duration(1))
        .left([](const Told& row, const Numbered* of) {
          return Told{row.text + ", then " + text_of(of)};
        })
        .to(texts(6));
  }
};

TEST(IdempotentRows, OfPatternsHaveTheSameKeysInKilledRuns) { expect_keys_hold<MatchedKeys>(); }

// ---- windows with several rows, and rows of each record

struct UpdatedKeys : KeptWorld {
  static constexpr std::uint64_t kCutWithin = 12000;
  UpdatedKeys() : KeptWorld(9) {}

  auto updates(std::size_t at) {
    return shows(at, [](const auto& row) {
      return fmt::format("{} {} {} {} {} {}", row.key, row.value, row.window_start, row.window_end,
                         static_cast<int>(row.firing), row.retracted);
    });
  }
  auto rows(std::size_t at) {
    return shows(at, [](const auto& row) {
      return fmt::format("{} {} {} {}", row.key, row.value, row.window_start, row.window_end);
    });
  }

  void declare(Topology& topology, std::uint32_t tasks) {
    const auto keyed = timed(numbers(topology, "numbers", tasks), 3).key_by([](const Numbered& of) {
      return of.key % 2;
    });
    const auto early =
        tumbling(Duration(24)).allowed_lateness(Duration(3)).early(every(Duration(6)));
    const auto sums = keyed.window(early).sum(&Numbered::number);
    sums.to(updates(0));
    sums.late().to(shows(1, [](const Numbered& of) { return text_of(of); }));
    const auto taken_back =
        sliding(Duration(24), Duration(12)).allowed_lateness(Duration(6)).early(every(Duration(4)));
    keyed.window(taken_back.retracting()).sum(&Numbered::number).to(updates(2));
    keyed.window(taken_back.discarding()).count().to(updates(3));
    const auto sessions = session(Duration(3)).allowed_lateness(Duration(6));
    const auto few = keyed.stream()
                         .filter([](const Numbered& of) { return of.number % 5 < 3; })
                         .key_by(&Numbered::key);
    few.window(sessions.early(every(Duration(4))).retracting()).count().to(updates(4));
    const auto last =
        keyed.window(tumbling(Duration(12)).allowed_lateness(Duration(3)).final_only());
    last.sum(&Numbered::number).to(rows(5));
    keyed.over(millrace::last(3)).sum(&Numbered::number).to(rows(6));
    keyed.window(count_window(4, 2)).sum(&Numbered::number).to(rows(7));
    keyed.over(millrace::last(Duration(7))).count().to(rows(8));
  }
};

TEST(IdempotentRows, OfWindowsThatEmitSeveralHaveTheSameKeysInKilledRuns) {
  expect_keys_hold<UpdatedKeys>();
}

}  // namespace
}  // namespace millrace::detail
