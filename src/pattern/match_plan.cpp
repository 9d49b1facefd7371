// From stages to steps: a step is a place in the stages with how often each repetition was gone
// through.
#include "pattern/match_plan.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace millrace::detail {
namespace {

/// A stage at one depth, and how often it has been taken, the present time included.
struct Frame {
  std::uint32_t index = 0;
  std::uint32_t count = 0;
  friend auto operator<=>(const Frame&, const Frame&) = default;
};
using Place = std::vector<Frame>;

/// What is gathered on the way to the next record.
struct Passed {
  std::vector<MatchGuard> guards;
  std::uint64_t blockers = 0;
};

class Compiler {
 public:
  explicit Compiler(const PatternShape& shape) { plan_.shape = shape; }

  Result<MatchPlan> run() {
    number(plan_.shape.stages);
    plan_.skip_stage = plan_.stage(plan_.shape.skip_stage);
    plan_.steps.emplace_back();
    Place at;
    begin(at, 0, 0, Passed{}, nullptr);
    for (std::size_t step = 1; step < places_.size() + 1 && ok_; ++step) {
      now_ = step;
      Place place = places_[step - 1];
      behind(place, Passed{});
      ok_ = ok_ && plan_.steps.size() <= MatchPlan::kStepsMax;
    }
    if (!ok_) {
      return refused(
          "too large: at most 10,000 steps, and 64 stages that may come next; repeat less, or "
          "leave bounds open");
    }
    if (greedy_end_) {
      return refused(
          "greedy() at the end would wait for ever: a stage that is not optional must follow");
    }
    for (MatchStep& step : plan_.steps) {
      for (std::size_t way = 0; way < step.ways.size(); ++way) step.open |= std::uint64_t{1} << way;
    }
    return std::move(plan_);
  }

 private:
  Status refused(const char* why) const {
    return {Code::parameter_invalid, "pattern " + plan_.shape.to_string() + ": " + why};
  }
  void number(const std::vector<StageShape>& stages) {
    for (const StageShape& stage : stages) {
      if (stage.kind == StageKind::single) plan_.stages.push_back(stage.name);
      number(stage.stages);
    }
  }
  /// The stages that the frame at `depth` counts in.
  const std::vector<StageShape>& stages_at(const Place& place, std::size_t depth) const {
    const std::vector<StageShape>* stages = &plan_.shape.stages;
    for (std::size_t at = 0; at < depth; ++at) stages = &(*stages)[place[at].index].stages;
    return *stages;
  }

  /// What may come from stage `index` at `depth` on. `head`: instead of its own contiguity.
  void begin(Place& place, std::size_t depth, std::uint32_t index, Passed passed,
             const Contiguity* head) {
    const auto& stages = stages_at(place, depth);
    if (index == stages.size()) {
      if (depth == 0) return end(std::move(passed));
      place.resize(depth);
      return behind(place, std::move(passed));
    }
    const StageShape& stage = stages[index];
    if (stage.kind == StageKind::not_next || stage.kind == StageKind::not_followed_by) {
      passed.guards.push_back({stage.condition, stage.kind == StageKind::not_next});
      return begin(place, depth, index + 1, std::move(passed), nullptr);
    }
    const std::uint64_t first =
        take(place, depth, {index, 1}, passed, head ? *head : stage.contiguity);
    if (!stage.optional) return;
    if (stage.greedy) passed.blockers |= first;
    begin(place, depth, index + 1, std::move(passed), nullptr);
  }
  /// What may come behind the stage at the place's last frame.
  void behind(Place place, Passed passed) {
    const std::size_t depth = place.size() - 1;
    const Frame frame = place.back();
    const StageShape& stage = stages_at(place, depth)[frame.index];
    std::uint64_t again = 0;
    if (stage.times_max == kAnyTimes || frame.count < stage.times_max) {
      // Of a repetition without bound all times behind the least ones are alike.
      const bool alike = stage.times_max == kAnyTimes && frame.count >= stage.times_min;
      again = take(place, depth, {frame.index, alike ? frame.count : frame.count + 1}, passed,
                   stage.inner);
    }
    if (frame.count < stage.times_min) return;
    if (stage.greedy) passed.blockers |= again;
    place.resize(depth);
    begin(place, depth, frame.index + 1, std::move(passed), nullptr);
  }
  /// Ways into the stage of `frame`; of a single one its bit.
  std::uint64_t take(Place place, std::size_t depth, Frame frame, const Passed& passed,
                     Contiguity contiguity) {
    const StageShape& stage = stages_at(place, depth)[frame.index];
    place.resize(depth);
    place.push_back(frame);
    if (stage.kind == StageKind::group) {
      begin(place, depth + 1, 0, passed, &contiguity);
      return 0;
    }
    return add({step_of(place, stage), contiguity, passed.guards, passed.blockers});
  }
  void end(Passed passed) {
    if (now_ == 0) return;  // a match has records
    if (passed.guards.empty()) {
      plan_.steps[now_].matches = true;
      greedy_end_ |= passed.blockers != 0;
    } else {
      add({kMatchAtEnd, Contiguity::followed_by, std::move(passed.guards), passed.blockers});
    }
  }
  std::uint64_t add(MatchWay way) {
    std::vector<MatchWay>& ways = plan_.steps[now_].ways;
    if (ways.size() >= MatchPlan::kWaysMax || plan_.steps.size() > MatchPlan::kStepsMax) {
      ok_ = false;
      return 0;
    }
    ways.push_back(std::move(way));
    return std::uint64_t{1} << (ways.size() - 1);
  }
  std::uint32_t step_of(const Place& place, const StageShape& stage) {
    const auto [at, is_new] =
        numbers_.emplace(place, static_cast<std::uint32_t>(plan_.steps.size()));
    if (is_new) {
      plan_.steps.push_back({plan_.stage(stage.name), stage.condition, stage.until});
      places_.push_back(place);
    }
    return at->second;
  }

  MatchPlan plan_;
  std::map<Place, std::uint32_t> numbers_;
  std::vector<Place> places_;  ///< of the steps from 1 on
  std::size_t now_ = 0;        ///< the step whose ways are made
  bool ok_ = true;
  bool greedy_end_ = false;
};

}  // namespace

Result<MatchPlan> MatchPlan::of(const PatternShape& shape) {
  if (Status status = shape.validate(); !status.ok()) return status;
  return Compiler(shape).run();
}

std::uint32_t MatchPlan::stage(std::string_view name) const {
  return static_cast<std::uint32_t>(std::find(stages.begin(), stages.end(), name) - stages.begin());
}

}  // namespace millrace::detail
