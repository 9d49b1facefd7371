// Promise: an epoch of rows that lie on disk costs what has changed of them, and is never put
// together in memory.
#include <malloc.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "millrace/millrace.hpp"
#include "spill_harness.hpp"

namespace millrace::property {
namespace {

struct Told {
  std::int64_t who = 0;
  std::int64_t turns = 0;
  std::uint64_t bytes = 0;
};

/// A text that grows with each note, and how many there were.
struct Keeps {
  ValueState<std::string> text{{.name = "text"}};
  ValueState<std::int64_t> turns{{.name = "turns"}};

  void process(const Note& note, KeyedContext<std::int64_t>& context, Output<Told>& out) {
    turns.set(turns.value_or(0) + 1);
    text.set(text.value_or("") + std::string(static_cast<std::size_t>(note.key), 'x'));
    out.emit({context.key(), *turns, text.get()->size()});
  }
};

using ByNumber = detail::KeyFn<Note, std::int64_t Note::*>;
const auto kByNumber = key_by<Note>(&Note::number);

/// Notes of these numbers, which bring so many `bytes` each.
std::vector<OperatorStep> notes_of(std::int64_t first, std::int64_t end, std::int32_t bytes) {
  std::vector<OperatorStep> steps;
  while (first < end) {
    auto batch = std::make_shared<Batch<Note>>();
    for (int left = 200; left > 0 && first < end; --left) {
      batch->values.push_back({{}, "a note", bytes, first++});
      batch->times.push_back(1'000);
    }
    steps.push_back({.batch = std::move(batch)});
  }
  return steps;
}

OperatorTasks tasks_of_rows() {
  using Op = detail::KeyedProcess<Note, ByNumber, Keeps>;
  return OperatorTasks(
      [] { return std::make_unique<Op>(kByNumber, Keeps{}); }, {{&batch_type<Note>(), kByNumber}},
      [](std::uint32_t, const detail::BatchBase& base, std::size_t at) {
        const Told& told = static_cast<const Batch<Told>&>(base).values[at];
        return std::pair(fmt::format("{}", told.who), fmt::format("{} {}", told.turns, told.bytes));
      });
}
OperatorTasks tasks_of_sums() {
  using Row = Aggregate<std::int64_t, std::int64_t>;
  using Op = detail::RunningAggregate<Note, ByNumber, detail::CountKernel>;
  return OperatorTasks([] { return std::make_unique<Op>(kByNumber, detail::CountKernel{}); },
                       {{&batch_type<Note>(), kByNumber}},
                       [](std::uint32_t, const detail::BatchBase& base, std::size_t at) {
                         const Row& row = static_cast<const Batch<Row>&>(base).values[at];
                         return std::pair(fmt::format("{}", row.key), fmt::format("{}", row.value));
                       });
}

/// Takes half a kilobyte of each key, in memory as in images.
struct WideKernel {
  template <class T>
  using Eight = std::tuple<T, T, T, T, T, T, T, T>;
  using Acc = Eight<Eight<std::int64_t>>;
  using Value = std::int64_t;
  static constexpr bool kMerges = true;
  static constexpr bool kStaged = false;
  static constexpr bool kNothrow = false;
  static constexpr bool kOrdered = false;
  Acc init() const { return {}; }
  void add(Acc& acc, const Note&, const detail::Stamp&) const { ++count_of(acc); }
  void merge(Acc& acc, const Acc& newer) const { count_of(acc) += result(newer); }
  Value result(const Acc& acc) const { return std::get<0>(std::get<0>(acc)); }
  static std::int64_t& count_of(Acc& acc) { return std::get<0>(std::get<0>(acc)); }
};
/// One window has all notes.
template <class Kernel>
OperatorTasks tasks_of_windows() {
  using Row = Aggregate<std::int64_t, typename Kernel::Value>;
  using Op = detail::WindowAggregate<Note, ByNumber, Kernel>;
  return OperatorTasks([] { return std::make_unique<Op>(tumbling(1s), kByNumber, Kernel{}); },
                       {{&batch_type<Note>(), kByNumber}},
                       [](std::uint32_t, const detail::BatchBase& base, std::size_t at) {
                         const Row& row = static_cast<const Batch<Row>&>(base).values[at];
                         return std::pair(fmt::format("{}", row.key), fmt::format("{}", row.value));
                       });
}

void play_all(OperatorTasks& tasks, const std::vector<OperatorStep>& steps) {
  for (const OperatorStep& step : steps) tasks.play(step);
}

/// Of `keys` on disk each hundredth is changed before each of some epochs, then all go on in other
/// tasks: each has emitted what the same tasks do in memory.
void expect_changes_alone(OperatorTasks on_disk, OperatorTasks in_memory, std::uint64_t room) {
  constexpr std::int64_t kKeys = 40'000;
  SpillFolder folder;
  on_disk.when_open(folder.beyond(room));
  on_disk.start(1);
  in_memory.start(1);
  const auto both = [&](const std::vector<OperatorStep>& steps) {
    play_all(on_disk, steps);
    play_all(in_memory, steps);
  };
  both(notes_of(0, kKeys, 20));
  (void)on_disk.image();
  const std::uint64_t all = on_disk.image_bytes();
  EXPECT_GT(all, std::uint64_t{kKeys} * 9);
  std::vector<StatePart> parts;
  for (std::int64_t epoch = 0; epoch < 5; ++epoch) {  // one that fails, and behind it a whole one
    const std::int64_t first = epoch * 9'000;
    both(notes_of(first, first + kKeys / 100, 5));
    parts = on_disk.image([] {}, epoch == 1);
    if (epoch == 2) EXPECT_GT(on_disk.image_bytes(), all / 2);
    if (epoch != 2)
      EXPECT_LT(on_disk.image_bytes(), all / 10) << "epoch " << epoch << " of " << all;
  }
  EXPECT_GT(folder.misses(), 1'000u);
  on_disk.restore(parts, 3);
  both(notes_of(0, kKeys, 3));
  EXPECT_TRUE(on_disk.status().ok()) << on_disk.status().to_string();
  EXPECT_EQ(on_disk.lanes().size(), static_cast<std::size_t>(kKeys));
  EXPECT_EQ(first_difference(in_memory.lanes(), on_disk.lanes()), "");
}

TEST(SpilledImages, AnEpochOfRowsHasWhatHasChanged) {
  expect_changes_alone(tasks_of_rows(), tasks_of_rows(), 128u << 10);
}
TEST(SpilledImages, AnEpochOfAccumulatorsHasWhatHasChanged) {
  expect_changes_alone(tasks_of_sums(), tasks_of_sums(), 32u << 10);
}

/// What went to disk since is among it, and what memory has of its keys.
TEST(SpilledImages, AnEpochOfPanesHasWhatHasChanged) {
  constexpr std::int64_t kKeys = 40'000;
  SpillFolder folder;
  OperatorTasks on_disk = tasks_of_windows<detail::CountKernel>();
  OperatorTasks in_memory = tasks_of_windows<detail::CountKernel>();
  on_disk.when_open(folder.beyond(1u << 20));
  on_disk.start(1);
  in_memory.start(1);
  const auto both = [&](const std::vector<OperatorStep>& steps) {
    play_all(on_disk, steps);
    play_all(in_memory, steps);
  };
  both(notes_of(0, kKeys, 0));
  (void)on_disk.image();
  const std::uint64_t all = on_disk.image_bytes();
  EXPECT_GT(all, std::uint64_t{kKeys} * 6);
  EXPECT_GT(folder.keys(), 10'000u);
  std::vector<StatePart> parts;
  for (std::int64_t epoch = 0; epoch < 6; ++epoch) {  // one that fails, and behind it a whole one
    const std::int64_t first = epoch * 6'000;
    parts = on_disk.image([&] { both(notes_of(first, first + kKeys / 100, 0)); }, epoch == 2);
    if (epoch == 3) EXPECT_GT(on_disk.image_bytes(), all / 2);
    if (epoch != 3) EXPECT_LT(on_disk.image_bytes(), all / 5) << "epoch " << epoch << " of " << all;
  }
  parts = on_disk.image();
  on_disk.restore(parts, 3);
  both(notes_of(0, kKeys, 0));
  both({{.kind = OperatorStep::Kind::watermark, .watermark = kTimeMax}});
  EXPECT_TRUE(on_disk.status().ok()) << on_disk.status().to_string();
  EXPECT_EQ(on_disk.lanes().size(), static_cast<std::size_t>(kKeys));
  EXPECT_EQ(first_difference(in_memory.lanes(), on_disk.lanes()), "");
}

std::size_t heap_bytes() {
  const struct mallinfo2 all = mallinfo2();
  return all.uordblks + all.hblkhd;
}

struct Streamed {
  std::uint64_t bytes = 0;      ///< of all pieces
  std::uint64_t most_held = 0;  ///< on the heap at a time
};

/// Takes the image of the first task in pieces, which are let go; `between` happens between them.
template <class Between>
Streamed stream_image(OperatorTasks& tasks, Between&& between) {
  Streamed streamed;
  detail::StateWriter writer(0, 1);
  writer.chain({1, 0});
  writer.allow_pieces();
  const std::size_t before = heap_bytes();
  tasks.task<detail::Operator>(0).save_state(writer);
  EXPECT_TRUE(writer.status().ok());
  for (bool whole = false; !whole; between()) {
    whole = writer.advance(8192);
    const std::size_t now = heap_bytes();
    streamed.most_held = std::max(streamed.most_held, now - std::min(now, before));
    for (const StatePart& piece : writer.ready()) streamed.bytes += piece.bytes.size();
  }
  return streamed;
}

TEST(SpilledImages, AnImageIsNeverPutTogetherInMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer has a heap of its own";
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "a sanitizer has a heap of its own";
#endif
#endif
  struct Subject {
    OperatorTasks (*make)();
    std::int64_t keys;
    std::int32_t bytes;  ///< of a key
  };
  for (const Subject& subject : {Subject{tasks_of_rows, 30'000, 2'000},
                                 Subject{tasks_of_windows<WideKernel>, 80'000, 512}}) {
    SpillFolder folder;
    OperatorTasks tasks = subject.make();
    tasks.when_open(folder.beyond(1u << 20));
    tasks.start(1);
    play_all(tasks, notes_of(0, subject.keys, subject.bytes));
    EXPECT_GT(folder.keys(), 10'000u);
    const Streamed streamed = stream_image(tasks, [] {});
    EXPECT_GT(streamed.bytes, static_cast<std::uint64_t>(subject.keys * subject.bytes));
    EXPECT_LT(streamed.most_held, 14u << 20) << "of " << streamed.bytes;
    tasks.start(0);  // before its folder
  }
}

/// A task may be through before its first batch: its last image has to know where its rows are.
TEST(SpilledImages, RestoredRowsAreToldAtOnce) {
  for (const auto make : {tasks_of_rows, tasks_of_sums}) {
    OperatorTasks tasks = make();
    tasks.start(1);
    play_all(tasks, notes_of(0, 20'000, 20));
    SpillFolder folder;
    tasks.when_open(folder.beyond(64u << 10));
    tasks.restore(tasks.image(), 1);
    EXPECT_GT(folder.keys(), 10'000u);
    EXPECT_TRUE(tasks.status().ok()) << tasks.status().to_string();
    tasks.start(0);  // before its folder
  }
}

/// The image goes on reading what their window has left on disk.
TEST(SpilledImages, PanesMayFireWhileTheirImageIsWritten) {
  SpillFolder folder;
  OperatorTasks tasks = tasks_of_windows<detail::CountKernel>();
  tasks.when_open(folder.beyond(1u << 20));
  tasks.start(1);
  constexpr std::int64_t kKeys = 60'000;
  play_all(tasks, notes_of(0, kKeys, 0));
  const Streamed quiet = stream_image(tasks, [] {});
  const Streamed busy = stream_image(
      tasks, [&] { tasks.play({.kind = OperatorStep::Kind::watermark, .watermark = 2'000'000}); });
  EXPECT_EQ(busy.bytes, quiet.bytes);
  EXPECT_EQ(tasks.lanes().size(), static_cast<std::size_t>(kKeys));
}

/// What comes back, changes and goes again before its turn is there once, as it was.
TEST(SpilledImages, RowsMayComeAndGoWhileTheirImageIsWritten) {
  SpillFolder folder;
  OperatorTasks tasks = tasks_of_sums();
  tasks.when_open(folder.beyond(32u << 10));
  tasks.start(1);
  constexpr std::int64_t kKeys = 20'000;
  play_all(tasks, notes_of(0, kKeys, 0));
  std::int64_t first = kKeys;
  const Streamed quiet = stream_image(tasks, [] {});
  const Streamed busy = stream_image(tasks, [&] {
    first = first < 1'000 ? kKeys - 400 : first - 1'000;
    play_all(tasks, notes_of(first, first + 400, 0));
  });
  EXPECT_EQ(busy.bytes, quiet.bytes);
}

/// Rows come back while nobody goes on with their image, as its disk is slow.
TEST(SpilledImages, CopiesThatWaitForTheirImageAreCounted) {
  SpillFolder folder;
  OperatorTasks tasks = tasks_of_rows();
  tasks.when_open(folder.beyond(64u << 10));
  tasks.start(1);
  play_all(tasks, notes_of(0, 4'000, 500));
  for (const bool is_written : {true, false}) {
    std::optional<detail::StateWriter> writer(std::in_place, 0, 1);
    writer->allow_pieces();
    tasks.task<detail::Operator>(0).save_state(*writer);
    EXPECT_EQ(folder.copied_bytes(), 0u);
    play_all(tasks, notes_of(0, 2'000, 1));
    const std::uint64_t copied = folder.copied_bytes();
    EXPECT_GT(copied, 2'000u * 500 * 9 / 10);
    play_all(tasks, notes_of(0, 2'000, 1));  // they have left theirs
    EXPECT_EQ(folder.copied_bytes(), copied);
    if (is_written) {
      (void)writer->advance(1);
      EXPECT_LT(folder.copied_bytes(), copied / 2);
    }
    writer.reset();
    EXPECT_EQ(folder.copied_bytes(), 0u);
  }
  EXPECT_TRUE(tasks.status().ok()) << tasks.status().to_string();
}

}  // namespace
}  // namespace millrace::property
