// Operators of tests whose keys lie on disk most of the time.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "operator/spill_place.hpp"
#include "operator_cuts.hpp"

namespace millrace::property {

/// What happens to operators of which one has its keys on disk and another one in memory.
struct Act {
  OperatorStep step;
  std::uint32_t restore = 0;  ///< in place of a step: its image goes on in so many tasks
  std::size_t image = 0;      ///< an epoch, while which so many of the acts that follow happen
  bool fails = false;         ///< that epoch does
};

/// Plays the act, and where it is an epoch, those that happen while it is written, but for the last
/// of all; where the next one is.
inline std::size_t play_act(OperatorTasks& tasks, const std::vector<Act>& acts, std::size_t at) {
  const Act& act = acts[at++];
  if (act.restore != 0) {
    tasks.restore(tasks.image(), act.restore);
  } else if (act.image == 0) {
    tasks.play(act.step);
  } else {
    const auto play_on = [&, end = std::min(acts.size() - 1, at + act.image)] {
      while (at < end && acts[at].restore == 0 && acts[at].image == 0 &&
             acts[at].step.kind != OperatorStep::Kind::clock)
        tasks.play(acts[at++].step);
    };
    (void)tasks.image(play_on, act.fails);
  }
  return at;
}

/// A folder for what operators have on disk, which goes with it, and what they told of it.
class SpillFolder {
 public:
  SpillFolder() {
    char made[] = "/tmp/millrace-spilled-XXXXXX";
    root_ = ::mkdtemp(made);
  }
  ~SpillFolder() { std::filesystem::remove_all(root_); }
  SpillFolder(const SpillFolder&) = delete;
  SpillFolder& operator=(const SpillFolder&) = delete;

  /// For OperatorTasks::when_open: beyond `most_bytes` its keys go to disk.
  std::function<void(detail::Operator&, const detail::OperatorContext&)> beyond(
      std::uint64_t most_bytes) {
    return [=, this](detail::Operator& op, const detail::OperatorContext& context) {
      dynamic_cast<detail::Spills&>(op).spill_to(place(*context.state, most_bytes));
    };
  }
  /// A place of its own for keys that `state` counts, beyond so many bytes.
  detail::SpillPlace place(const detail::MemoryMeter& state, std::uint64_t most_bytes) {
    detail::SpillPlace made;
    made.tables = &detail::log_tables();
    made.folder = fmt::format("{}/{}", root_, figures_.size());
    made.state = &state;
    made.state_max_bytes = most_bytes;
    made.figures = &figures_.emplace_back();
    made.copies = &copies_;
    return made;
  }
  /// Nobody has put anything on disk, or all who did are gone.
  bool is_empty() const { return std::filesystem::is_empty(root_); }
  /// Look-ups of all operators so far that found their key in memory, and on disk.
  std::uint64_t hits() const { return sum_of(&detail::SpillFigures::hits); }
  std::uint64_t misses() const { return sum_of(&detail::SpillFigures::misses); }
  /// Keys on disk of all operators so far, as each told last.
  std::uint64_t keys() const { return sum_of(&detail::SpillFigures::keys); }
  /// Of the operator that has most.
  std::uint64_t most_keys() const {
    std::uint64_t most = 0;
    for (const detail::SpillFigures& figures : figures_) most = std::max(most, figures.keys.load());
    return most;
  }
  /// What rows that came back have left for images that are not written.
  std::uint64_t copied_bytes() const { return copies_.bytes(); }

 private:
  std::uint64_t sum_of(std::atomic<std::uint64_t> detail::SpillFigures::* figure) const {
    std::uint64_t sum = 0;
    for (const detail::SpillFigures& figures : figures_) sum += figures.*figure;
    return sum;
  }

  std::string root_;
  std::deque<detail::SpillFigures> figures_;
  detail::MemoryMeter copies_;
};

/// Texts of a slot, of a table's arena, and of neither.
inline const std::vector<std::string>& names() {
  static const std::vector<std::string> kMany = [] {
    std::vector<std::string> made;
    for (int at = 0; at < 120; ++at)
      made.push_back(std::string(static_cast<std::size_t>(at % 23), 'n') + fmt::format("{}", at));
    return made;
  }();
  return kMany;
}

/// A few keys come all the time, the others now and then.
inline Note note_of_many(Random& random, Time time) {
  const std::uint64_t key = random.chance(0.4) ? random.below(6) : random.below(names().size());
  return {
      {time}, names()[key], static_cast<std::int32_t>(random.below(90)), random.between(-30, 60)};
}

/// As compare(), but the run that is cut has all keys on disk that no batch asks for.
template <class Steps>
void compare_spilled(Subject subject, Steps&& steps_of) {
  SpillFolder folder;
  subject.task_counts = 4;  // each that opens a table makes files
  subject.seeds = (seeds() + 9) / 10;
  subject.when_cut_open = folder.beyond(0);
  compare(subject, steps_of);
  EXPECT_GT(folder.misses(), 0u);
}

}  // namespace millrace::property
