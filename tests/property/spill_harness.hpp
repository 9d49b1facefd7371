// Operators of tests whose keys lie on disk most of the time.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <deque>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include "operator/spill_place.hpp"
#include "operator_cuts.hpp"

namespace millrace::property {

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

  /// For who opens it: beyond `most_bytes` of what `state` counts its keys go to disk.
  detail::SpillPlace place(const detail::MemoryMeter* state, std::uint64_t most_bytes) {
    detail::SpillPlace place;
    place.tables = &detail::log_tables();
    place.folder = fmt::format("{}/{}", root_, figures_.size());
    place.state = state;
    place.state_max_bytes = most_bytes;
    place.figures = &figures_.emplace_back();
    return place;
  }
  /// For OperatorTasks::when_open: the same of each operator.
  std::function<void(detail::Operator&, const detail::OperatorContext&)> beyond(
      std::uint64_t most_bytes) {
    return [=, this](detail::Operator& op, const detail::OperatorContext& context) {
      dynamic_cast<detail::Spills&>(op).spill_to(place(context.state, most_bytes));
    };
  }
  /// Nobody has put anything on disk, or all who did are gone.
  bool is_empty() const { return std::filesystem::is_empty(root_); }
  /// Look-ups of all operators so far that found their key in memory, and on disk.
  std::uint64_t hits() const { return sum_of(&detail::SpillFigures::hits); }
  std::uint64_t misses() const { return sum_of(&detail::SpillFigures::misses); }

 private:
  std::uint64_t sum_of(std::atomic<std::uint64_t> detail::SpillFigures::* figure) const {
    std::uint64_t sum = 0;
    for (const detail::SpillFigures& figures : figures_) sum += figures.*figure;
    return sum;
  }

  std::string root_;
  std::deque<detail::SpillFigures> figures_;
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
