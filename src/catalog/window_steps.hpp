// What may follow a window as it is written: .offset(-2h), .last(100), .final_only()...
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "catalog/window_words.hpp"

namespace millrace::detail {

/// "a(1).b(c(2)).d()" cut behind its calls: "a(1)", "b(c(2))", "d()".
std::vector<std::string_view> cut_steps(std::string_view text);

/// The windows as the step says; or why it cannot, in a sentence.
std::variant<RowCut, std::string> apply_step(const RowCut& cut, std::string_view step);

}  // namespace millrace::detail
