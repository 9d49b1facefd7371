// Cutting calls apart.
#include "operator/call_words.hpp"

#include <charconv>

namespace millrace::detail {

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<std::uint64_t> count_of(std::string_view text) {
  std::uint64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, count);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return count;
}

std::optional<Call> parse_call(std::string_view text) {
  text = without_blanks(text);
  const std::size_t open = text.find('(');
  if (open == text.npos || open == 0 || text.back() != ')') return std::nullopt;
  Call call{std::string(without_blanks(text.substr(0, open))), {}};
  std::string_view inside = without_blanks(text.substr(open + 1, text.size() - open - 2));
  if (inside.find_first_of("()") != inside.npos) return std::nullopt;
  while (!inside.empty()) {
    const std::size_t comma = inside.find(',');
    call.args.emplace_back(without_blanks(inside.substr(0, comma)));
    if (call.args.back().empty()) return std::nullopt;
    if (comma == inside.npos) break;
    inside.remove_prefix(comma + 1);
    if (without_blanks(inside).empty()) return std::nullopt;
  }
  return call;
}

std::optional<OuterCall> outer_call(std::string_view text) {
  text = without_blanks(text);
  const std::size_t open = text.find('(');
  if (open == text.npos || open == 0 || text.back() != ')') return std::nullopt;
  return OuterCall{without_blanks(text.substr(0, open)),
                   without_blanks(text.substr(open + 1, text.size() - open - 2))};
}

std::vector<std::string_view> cut_steps(std::string_view text) {
  std::vector<std::string_view> steps;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    depth += text[at] == '(' ? 1 : text[at] == ')' ? -1 : 0;
    if (text[at] != '.' || depth != 0 || at == 0 || text[at - 1] != ')') continue;
    steps.push_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  steps.push_back(text.substr(begin));
  return steps;
}

std::vector<std::string_view> cut_arguments(std::string_view inside) {
  std::vector<std::string_view> arguments;
  if (without_blanks(inside).empty()) return arguments;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t at = 0; at < inside.size(); ++at) {
    depth += inside[at] == '(' ? 1 : inside[at] == ')' ? -1 : 0;
    if (inside[at] != ',' || depth != 0) continue;
    arguments.push_back(without_blanks(inside.substr(begin, at - begin)));
    begin = at + 1;
  }
  arguments.push_back(without_blanks(inside.substr(begin)));
  return arguments;
}

}  // namespace millrace::detail
