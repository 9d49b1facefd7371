// The face of `pattern`: patterns of records as data, their compilation into steps, and the matcher
// that runs them; knows nothing of the records' types.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace {

/// How near a record must stand to the one that was matched before it, among those of its key.
enum class Contiguity : std::uint8_t {
  next,             ///< directly behind it
  followed_by,      ///< the first that fits; what does not fit is passed over
  followed_by_any,  ///< any that fits; those that fit may be passed over, too
};

/// Which matches may begin where another one was found.
enum class AfterMatch : std::uint8_t {
  no_skip,         ///< all of them
  skip_to_next,    ///< none that begins with the same record
  skip_past_last,  ///< none that begins at or before the last record of the match
  skip_to_first,   ///< none that begins before the first record of a stage
  skip_to_last,    ///< none that begins before the last record of a stage
};

namespace detail {

/// In place of a condition: it always holds, or there is none.
inline constexpr std::uint32_t kNoCondition = std::numeric_limits<std::uint32_t>::max();
/// Without an upper bound.
inline constexpr std::uint32_t kAnyTimes = std::numeric_limits<std::uint32_t>::max();

enum class StageKind : std::uint8_t {
  single,           ///< takes records
  group,            ///< takes what its stages take
  not_next,         ///< the record behind the one matched before must not fit
  not_followed_by,  ///< none may fit up to the next one that is taken
};

/// One stage of a pattern. Conditions are numbers that the owner of the pattern gives a meaning.
struct StageShape {
  std::string name = {};  ///< unique in the pattern; a group may have none
  StageKind kind = StageKind::single;
  Contiguity contiguity = Contiguity::followed_by;  ///< to what was matched before
  std::uint32_t condition = kNoCondition;
  std::uint32_t times_min = 1;                 ///< 1 or more
  std::uint32_t times_max = 1;                 ///< times_min or more, or kAnyTimes
  Contiguity inner = Contiguity::followed_by;  ///< of the second time and further ones
  bool optional = false;
  bool greedy = false;  ///< what comes behind waits as long as the stage takes records
  std::uint32_t until = kNoCondition;  ///< a record for which it holds ends the repetition
  /// Of what must not come at the end of the pattern: so long behind the last record; 0: until the
  /// time of `within` is over.
  Duration lasting{0};
  std::vector<StageShape> stages = {};  ///< of a group
};

/// Why a pattern cannot be.
struct PatternProblem {
  std::string text = {};   ///< empty: it can
  std::string stage = {};  ///< the name of the stage where it is; empty: none alone, or a group
  std::string rule = {};   ///< or "within" or "skip", what is said of the whole
};

struct PatternShape {
  std::vector<StageShape> stages;
  /// Of a whole match, and between two records of it that are neighbours: the later time less the
  /// earlier one is below that. 0: no bound.
  Duration within{0};
  Duration within_neighbours{0};
  AfterMatch after_match = AfterMatch::no_skip;
  std::string skip_stage;     ///< of skip_to_first and skip_to_last
  bool fail_on_miss = false;  ///< a match that does not have that stage, or begins there, fails

  /// That of the last stage.
  Duration lasting() const { return stages.empty() ? Duration(0) : stages.back().lasting; }
  /// What cannot be matched, with stage, cause and fix.
  PatternProblem problem() const;
  /// The same as 2010.
  Status validate() const;
  /// "failed{3} next in? within 1min skip_past_last": one text for one shape, without conditions.
  std::string to_string() const;
};

}  // namespace detail
}  // namespace millrace
