// Random patterns of all constructs, and random records for them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "env/random.hpp"
#include "naive_matches.hpp"

namespace millrace::property {

/// A random condition: of the kind of a record, or of its value and those before it too.
struct Asked {
  int kinds = 0;            ///< by bits
  bool looks_back = false;  ///< and its value is no less than that of the record before
  bool by_count = false;    ///< and less than three records of `stage` are there
  std::string stage = {};

  bool holds(const std::vector<Letter>& letters, const Taken& before, int at) const {
    const Letter& letter = letters[static_cast<std::size_t>(at)];
    if ((kinds >> letter.kind & 1) == 0) return false;
    if (looks_back && !before.empty() &&
        letter.value < letters[static_cast<std::size_t>(before.back().first)].value)
      return false;
    if (!by_count) return true;
    return std::count_if(before.begin(), before.end(),
                         [&](const auto& taken) { return taken.second == stage; }) < 3;
  }
};

struct DrawnPattern {
  detail::PatternShape shape;
  std::vector<Asked> conditions;
};

class PatternDraw {
 public:
  explicit PatternDraw(detail::Random& random) : random_(random) {}

  DrawnPattern draw() {
    DrawnPattern drawn;
    drawn.shape.stages = stages(1 + random_.below(4), 0);
    detail::StageShape& last = drawn.shape.stages.back();
    if (last.kind == detail::StageKind::not_followed_by && random_.chance(0.6))
      last.lasting = Duration(random_.between(1, 6));
    if (random_.chance(0.5)) drawn.shape.within = Duration(random_.between(1, 12));
    if (random_.chance(0.25)) drawn.shape.within_neighbours = Duration(random_.between(1, 6));
    drawn.shape.after_match = static_cast<AfterMatch>(random_.below(5));
    if (drawn.shape.after_match >= AfterMatch::skip_to_first) {
      drawn.shape.skip_stage = names_[random_.below(names_.size())];
      drawn.shape.fail_on_miss = random_.chance(0.5);
    }
    drawn.conditions = std::move(conditions_);
    return drawn;
  }

 private:
  std::uint32_t condition() {
    if (random_.chance(0.04)) return detail::kNoCondition;
    Asked asked{.kinds = 1 << random_.below(4)};
    if (random_.chance(0.3)) asked.kinds |= 1 << random_.below(4);
    asked.looks_back = random_.chance(0.15);
    asked.by_count = random_.chance(0.1);
    if (asked.by_count && !names_.empty()) asked.stage = names_[random_.below(names_.size())];
    conditions_.push_back(asked);
    return static_cast<std::uint32_t>(conditions_.size() - 1);
  }
  Contiguity contiguity() {
    constexpr Contiguity kAll[] = {Contiguity::next, Contiguity::followed_by,
                                   Contiguity::followed_by, Contiguity::followed_by_any};
    return kAll[random_.below(4)];
  }
  std::vector<detail::StageShape> stages(std::size_t count, int depth) {
    std::vector<detail::StageShape> list;
    for (std::size_t at = 0; at < count; ++at) {
      detail::StageShape stage;
      stage.contiguity = contiguity();
      const bool is_not = at > 0 && random_.chance(0.2);
      const bool is_group = !is_not && depth < 2 && random_.chance(depth == 0 ? 0.2 : 0.1);
      if (is_not) {
        stage.kind =
            random_.chance(0.4) ? detail::StageKind::not_next : detail::StageKind::not_followed_by;
      } else if (is_group) {
        stage.kind = detail::StageKind::group;
        stage.stages = stages(1 + random_.below(3), depth + 1);
      }
      if (!is_group) {
        stage.condition = condition();
        stage.name = std::string(1, static_cast<char>('a' + names_.size()));
        names_.push_back(stage.name);
      }
      if (!is_not) repetition(stage);
      list.push_back(std::move(stage));
    }
    return list;
  }
  void repetition(detail::StageShape& stage) {
    if (random_.chance(0.45)) {
      stage.times_min = static_cast<std::uint32_t>(random_.between(1, 3));
      stage.times_max = random_.chance(0.5)
                            ? detail::kAnyTimes
                            : stage.times_min + static_cast<std::uint32_t>(random_.below(3));
      stage.inner = contiguity();
    }
    stage.optional = random_.chance(0.25);
    stage.greedy = stage.kind == detail::StageKind::single && random_.chance(0.25);
    if (stage.times_max == detail::kAnyTimes && random_.chance(0.25)) stage.until = condition();
  }

  detail::Random& random_;
  std::vector<std::string> names_;
  std::vector<Asked> conditions_;
};

inline std::vector<Letter> draw_letters(detail::Random& random) {
  std::vector<Letter> letters(random.below(11));
  Time time = random.between(-5, 5);
  for (Letter& letter : letters) {
    time += random.chance(0.3) ? 0 : random.between(0, 3);
    letter = {time, static_cast<int>(random.below(random.chance(0.5) ? 3 : 4)),
              static_cast<int>(random.below(4))};
  }
  return letters;
}

}  // namespace millrace::property
