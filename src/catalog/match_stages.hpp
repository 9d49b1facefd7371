// The stages of a pattern as a file lists them.
#pragma once

#include <optional>
#include <vector>

#include "catalog/entry.hpp"
#include "catalog/match_names.hpp"
#include "millrace/pattern.hpp"

namespace millrace::detail {

/// What a stage takes.
const std::vector<ParamInfo>& match_stage_params();

/// The stages that take rows, in their order, as far as their names can be read.
std::vector<MatchStageName> match_stage_names(const ConfigNode& list);

/// The pattern that `stages`, `within`, `within_neighbours`, `skip` and `fail_on_miss` say;
/// nullopt: a mistake was noted. `stages`: the names of its stages.
std::optional<TypedPattern<RowRef>> match_pattern(const Making& making,
                                                  const std::vector<MatchStageName>& stages,
                                                  std::string& note);

}  // namespace millrace::detail
