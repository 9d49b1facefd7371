// What may follow a window as it is written: .offset(-2h), .last(100), .final_only()...
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "catalog/window_words.hpp"

namespace millrace::detail {

/// The windows as the step says; or why it cannot, in a sentence.
std::variant<RowCut, std::string> apply_step(const RowCut& cut, std::string_view step);

}  // namespace millrace::detail
