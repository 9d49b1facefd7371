// Broadcast streams by event time whose tasks are cut at different times: each record sees the
// rules of its time, in as many tasks as before or in others.
#include <algorithm>
#include <map>
#include <set>

#include "millrace/millrace.hpp"
#include "operator_cuts.hpp"

namespace millrace::property {

/// The record of the broadcast stream.
struct Decree {
  Timestamp time;
  std::int64_t number = 0;
  std::int32_t of = 0;
  bool ends = false;
};
struct Obeyed {
  std::string lane;
  std::string text;
};

namespace {

using Decrees = std::map<std::int32_t, std::int64_t>;

/// The number of a record, and the decrees that it saw.
std::string seen(std::int64_t number, const Decrees& decrees) {
  std::string text = fmt::format("{}", number);
  for (const auto& [of, its] : decrees) text += fmt::format(" {}:{}", of, its);
  return text;
}

/// `State`: a BroadcastState of decrees.
template <class State>
void obey(State& state, const Decree& decree, BroadcastContext& context, Output<Obeyed>& out) {
  if (decree.ends) {
    state.erase(decree.of);
  } else {
    state.set(decree.of, decree.number);
  }
  out.emit({"told", fmt::format("task {} {}", context.task().index(), decree.number)});
}

struct Obeying {
  BroadcastState<std::int32_t, std::int64_t> decrees;
  void process(const Note& note, Output<Obeyed>& out) {
    out.emit({"seen", seen(note.number, Decrees(decrees.begin(), decrees.end()))});
  }
  void on_broadcast(const Decree& decree, BroadcastContext& context, Output<Obeyed>& out) {
    obey(decrees, decree, context, out);
  }
};
struct KeyedObeying {
  BroadcastState<std::int32_t, std::int64_t> decrees;
  ValueState<std::int64_t> count;
  void process(const Note& note, KeyedContext<std::int32_t>& context, Output<Obeyed>& out) {
    count.set(count.value_or(0) + 1);
    out.emit({"seen", seen(note.number, Decrees(decrees.begin(), decrees.end()))});
    out.emit({"counted", fmt::format("{} {}", context.key(), *count)});
  }
  void on_broadcast(const Decree& decree, BroadcastContext& context, Output<Obeyed>& out) {
    obey(decrees, decree, context, out);
  }
};

OperatorTasks::Show show_obeyed() {
  return [](std::uint32_t, const detail::BatchBase& base, std::size_t at) {
    const Obeyed& row = static_cast<const Batch<Obeyed>&>(base).values[at];
    return std::pair(row.lane, row.text);
  };
}

using Unkeyed =
    detail::BroadcastProcess<Note, detail::UnkeyedProcess<Note, Obeyed, Obeying>, Obeying>;
using Keyed = detail::BroadcastProcess<Note, detail::KeyedProcess<Note, NoteByKey, KeyedObeying>,
                                       KeyedObeying>;

template <class T>
void add(Batch<T>& batch, T value, Time behind, std::uint64_t place) {
  const Time time = value.time.micros;
  if (time < behind)
    batch.behind.push_back({static_cast<std::uint32_t>(batch.values.size()), behind});
  batch.values.push_back(std::move(value));
  batch.times.push_back(time);
  batch.arrivals.push_back(detail::Arrival::at(1, 0, place));
}

/// Tasks that are at different times, driven one by one, and what a naive look expects of them.
template <class Op>
class UnevenTasks {
 public:
  UnevenTasks(std::uint64_t seed, OperatorTasks::Make make, bool same_tasks)
      : random_(seed),
        tasks_(std::move(make), {{}, {.to_all = true}}, show_obeyed()),
        same_tasks_(same_tasks) {}

  void run() {
    begin(static_cast<std::uint32_t>(1 + random_.below(4)));
    tasks_.start(static_cast<std::uint32_t>(reached_.size()));
    for (int step = 0; step < 60; ++step) {
      const std::uint64_t what = random_.below(10);
      if (what < 4) {
        notes(random_.below(reached_.size()));
      } else if (what < 6) {
        decrees();
      } else if (what < 9) {
        go_on(random_.below(reached_.size()));
      } else {
        cut();
      }
    }
    for (std::size_t at = 0; at < reached_.size(); ++at)
      tasks_.template task<Op>(at).advance(kTimeMax, tasks_.outputs());
  }
  void check(std::uint64_t seed) {
    ASSERT_TRUE(tasks_.status().ok()) << tasks_.status().to_string();
    const Lanes& lanes = tasks_.lanes();
    const auto sorted = [&](const char* lane) {
      auto rows = lanes.contains(lane) ? lanes.at(lane) : std::vector<std::string>();
      std::ranges::sort(rows);
      return rows;
    };
    ASSERT_EQ(sorted("seen"), expected()) << "seed " << seed;
    if (!same_tasks_) return;
    std::vector<std::string> told;
    for (std::size_t task = 0; task < reached_.size(); ++task) {
      for (const Given<Decree>& one : decrees_)
        told.push_back(fmt::format("task {} {}", task, one.value.number));
    }
    std::ranges::sort(told);
    ASSERT_EQ(sorted("told"), told) << "seed " << seed << ": each task tells each once";
  }
  std::size_t uneven_cuts() const { return uneven_cuts_; }
  std::size_t late() const { return late_; }

 private:
  template <class T>
  struct Given {
    Time turn;  ///< of what is late the watermark that it was behind
    T value;
  };

  void begin(std::uint32_t tasks) { reached_.assign(tasks, kBegin); }
  Time draw_time(Time watermark) {
    return watermark + (random_.chance(0.2) ? -random_.between(1, 20) : random_.between(0, 40));
  }
  Op& task(std::size_t at) { return tasks_.template task<Op>(at); }

  void notes(std::size_t at) {
    Batch<Note> batch;
    for (std::uint64_t left = 1 + random_.below(4); left > 0; --left) {
      const Time time = draw_time(reached_[at]);
      const Note note{{time}, kNames[1], key_of(at), number_};
      notes_.push_back({std::max(time, reached_[at]), note});
      late_ += time < reached_[at];
      add(batch, note, reached_[at], static_cast<std::uint64_t>(number_++));
    }
    task(at).process_input(0, batch, true, tasks_.outputs());
  }
  /// Of a key that goes to that task.
  std::int32_t key_of(std::size_t at) {
    for (;;) {
      const auto key = static_cast<std::int32_t>(random_.below(1000));
      const auto tasks = static_cast<std::uint32_t>(reached_.size());
      if (detail::task_of_hash(detail::KeyTraits<std::int32_t>::hash(key), tasks) == at) return key;
    }
  }
  void decrees() {
    const auto count = 1 + random_.below(3);
    std::vector<Decree> drawn;
    for (std::uint64_t left = count; left > 0; --left) {
      const Time time = draw_time(furthest_);
      drawn.push_back(
          {{time}, number_++, static_cast<std::int32_t>(random_.below(4)), random_.chance(0.3)});
      decrees_.push_back({std::max(time, furthest_), drawn.back()});
      late_ += time < furthest_;
    }
    for (std::size_t at = 0; at < reached_.size(); ++at) {
      Batch<Decree> batch;
      for (const Decree& decree : drawn)
        add(batch, decree, furthest_, static_cast<std::uint64_t>(decree.number));
      task(at).process_input(1, batch, true, tasks_.outputs());
    }
  }
  /// The watermark of a task is the least of its records' and that of the decrees.
  void go_on(std::size_t at) {
    if (random_.chance(0.4)) furthest_ += random_.between(0, 40);
    const Time next = std::min(furthest_, reached_[at] + random_.between(0, 60));
    if (next <= reached_[at]) return;
    reached_[at] = next;
    task(at).advance(next, tasks_.outputs());
  }
  void cut() {
    const auto image = tasks_.image();
    const auto [least, most] = std::ranges::minmax(reached_);
    uneven_cuts_ += least < most;
    if (same_tasks_) return tasks_.restore(image, static_cast<std::uint32_t>(reached_.size()));
    begin(static_cast<std::uint32_t>(1 + random_.below(4)));
    std::ranges::fill(reached_, least);
    tasks_.restore(image, static_cast<std::uint32_t>(reached_.size()));
  }

  std::vector<std::string> expected() const {
    std::vector<Given<Decree>> decrees = decrees_;
    std::ranges::stable_sort(decrees, {}, &Given<Decree>::turn);
    std::vector<std::string> rows;
    for (const Given<Note>& note : notes_) {
      Decrees now;
      for (const Given<Decree>& decree : decrees) {
        if (decree.turn > note.turn) break;
        if (decree.value.ends) {
          now.erase(decree.value.of);
        } else {
          now[decree.value.of] = decree.value.number;
        }
      }
      rows.push_back(seen(note.value.number, now));
    }
    std::ranges::sort(rows);
    return rows;
  }

  static constexpr Time kBegin = 1'000;
  Random random_;
  OperatorTasks tasks_;
  bool same_tasks_;
  std::vector<Time> reached_;  ///< the watermark of each task
  Time furthest_ = kBegin;     ///< of the decrees
  std::int64_t number_ = 0;
  std::vector<Given<Note>> notes_;
  std::vector<Given<Decree>> decrees_;
  std::size_t uneven_cuts_ = 0;
  std::size_t late_ = 0;
};

template <class Op>
void check_cuts(const OperatorTasks::Make& make) {
  std::size_t uneven = 0, late = 0;
  for (std::uint64_t seed = 1; seed <= 5 * seeds(); ++seed) {
    UnevenTasks<Op> tasks(seed, make, seed % 2 == 0);
    tasks.run();
    tasks.check(seed);
    if (::testing::Test::HasFatalFailure()) return;
    uneven += tasks.uneven_cuts();
    late += tasks.late();
  }
  EXPECT_GT(uneven, 3 * seeds());
  EXPECT_GT(late, 10 * seeds());
}

TEST(BroadcastCuts, RecordsWithoutAKeySeeTheRulesOfTheirTime) {
  check_cuts<Unkeyed>([] { return std::make_unique<Unkeyed>(by_event_time, Obeying{}); });
}
TEST(BroadcastCuts, RecordsOfAKeySeeTheRulesOfTheirTime) {
  const auto key = key_by<Note>(&Note::key);
  check_cuts<Keyed>([key] { return std::make_unique<Keyed>(by_event_time, key, KeyedObeying{}); });
}

/// One of two tasks has applied what the other must not see yet.
TEST(BroadcastCuts, RestoresFromTheTaskThatIsBehind) {
  const auto batch = [](auto... records) {
    using T = std::common_type_t<decltype(records)...>;
    Batch<T> made;
    (add(made, records, kTimeMin, static_cast<std::uint64_t>(records.number)), ...);
    return made;
  };
  for (const std::size_t ahead : {0u, 1u}) {
    OperatorTasks tasks([] { return std::make_unique<Unkeyed>(by_event_time, Obeying{}); },
                        {{}, {.to_all = true}}, show_obeyed());
    tasks.start(2);
    for (const std::size_t at : {0u, 1u}) {
      auto decrees = batch(Decree{{10}, 10, 1}, Decree{{20}, 20, 1}, Decree{{30}, 30, 1});
      tasks.task<Unkeyed>(at).process_input(1, decrees, true, tasks.outputs());
    }
    tasks.task<Unkeyed>(ahead).advance(25, tasks.outputs());
    tasks.task<Unkeyed>(1 - ahead).advance(15, tasks.outputs());
    tasks.restore(tasks.image(), 2);
    for (const std::size_t at : {0u, 1u}) {
      auto notes = batch(Note{{16}, kNames[1], 0, 16}, Note{{25}, kNames[1], 0, 25},
                         Note{{35}, kNames[1], 0, 35});
      tasks.task<Unkeyed>(at).process_input(0, notes, true, tasks.outputs());
      tasks.task<Unkeyed>(at).advance(kTimeMax, tasks.outputs());
    }
    ASSERT_TRUE(tasks.status().ok()) << tasks.status().to_string();
    const std::vector<std::string> once = {"16 1:10", "25 1:20", "35 1:30"};
    std::vector<std::string> rows = once;
    rows.insert(rows.end(), once.begin(), once.end());
    EXPECT_EQ(tasks.lanes().at("seen"), rows);
    std::vector<std::string> told = tasks.lanes().at("told");
    std::ranges::sort(told);
    EXPECT_EQ(told, (std::vector<std::string>{"task 0 10", "task 0 20", "task 0 30", "task 1 10",
                                              "task 1 20", "task 1 30"}));
  }
}

}  // namespace
}  // namespace millrace::property
