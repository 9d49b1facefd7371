// MatchPlan: a pattern as the steps of a nondeterministic automaton, with repetitions unrolled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "pattern/pattern.hpp"

namespace millrace::detail {

/// In place of a step: when the time is over it is a whole match.
inline constexpr std::uint32_t kMatchAtEnd = 0xffff'ffff;

/// What must not come before a record is taken by a way.
struct MatchGuard {
  std::uint32_t condition = kNoCondition;
  bool next_only = false;  ///< looks at the first record alone
};

/// From one step to another, by taking a record.
struct MatchWay {
  std::uint32_t to = 0;
  Contiguity contiguity = Contiguity::followed_by;
  std::vector<MatchGuard> guards = {};
  std::uint64_t blocked_by = 0;  ///< ways before it, by bits: when one takes a record, it closes
};

/// What has been matched so far ends with a record of `stage`.
struct MatchStep {
  std::uint32_t stage = 0;  ///< of MatchPlan::stages
  std::uint32_t condition = kNoCondition;
  std::uint32_t until = kNoCondition;
  bool matches = false;  ///< it is a whole match
  std::vector<MatchWay> ways = {};
  std::uint64_t open = 0;  ///< those ways by bits that are open when it is reached
};

/// Follows Agrawal, Diao, Gyllstrom, Immerman: Efficient Pattern Matching over Event Streams
/// (SIGMOD 2008), where the ways that a record leaves open stay with one run instead of making
/// several.
struct MatchPlan {
  static constexpr std::size_t kWaysMax = 64;
  static constexpr std::size_t kStepsMax = 10'000;

  std::vector<MatchStep> steps;  ///< 0: nothing has been matched
  std::vector<std::string> stages;
  PatternShape shape;
  std::uint32_t skip_stage = 0;  ///< of stages

  /// 2010 where the pattern is invalid or too large.
  static Result<MatchPlan> of(const PatternShape& shape);
  /// The number of a stage; stages.size(): there is none of that name.
  std::uint32_t stage(std::string_view name) const;
};

}  // namespace millrace::detail
