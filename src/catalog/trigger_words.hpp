// Triggers of early rows as they are written: "any_of(every(100), every(1s).by_clock())".
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "window/early_trigger.hpp"

namespace millrace::detail {

/// The trigger; or what is wrong, in a sentence. What cannot be although it is well written, such
/// as times() within any_of(), EarlyTrigger::validate says.
std::variant<EarlyTrigger, std::string> parse_trigger(std::string_view text);

}  // namespace millrace::detail
