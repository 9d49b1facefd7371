// Calls as they are written in parameters, in their parts: "a(1, b(2)).c()".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::detail {

/// Text without the blanks around it.
std::string_view without_blanks(std::string_view text);

/// A whole number that is not negative; nullopt: it is none.
std::optional<std::uint64_t> count_of(std::string_view text);

/// "name(a, b)" in its parts; nullopt when it is not of that form.
struct Call {
  std::string name;
  std::vector<std::string> args;
};
std::optional<Call> parse_call(std::string_view text);

/// The same with calls in the parentheses: what stands there as it is.
struct OuterCall {
  std::string_view name;
  std::string_view inside;
};
std::optional<OuterCall> outer_call(std::string_view text);

/// "a(1).b(c(2)).d()" cut behind its calls: "a(1)", "b(c(2))", "d()".
std::vector<std::string_view> cut_steps(std::string_view text);
/// "a, b(c, d)" cut at its commas: "a", "b(c, d)"; none of "".
std::vector<std::string_view> cut_arguments(std::string_view inside);

}  // namespace millrace::detail
