// What may follow a window as it is written: .offset(-2h), .allowed_lateness(10s), .final_only()...
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "catalog/window_words.hpp"

namespace millrace::detail {

/// "a(1).b(c(2)).d()" cut behind its calls: "a(1)", "b(c(2))", "d()".
std::vector<std::string_view> cut_steps(std::string_view text);

/// `windows` as the step says; or why it cannot, in a sentence.
std::variant<RowWindows, std::string> apply_step(const RowWindows& windows, std::string_view step);

}  // namespace millrace::detail
