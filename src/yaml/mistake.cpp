// Mistakes with their line and a caret.
#include "yaml/mistake.hpp"

#include <algorithm>
#include <string_view>
#include <tuple>

#include <fmt/format.h>

namespace millrace::detail {
namespace {

constexpr std::size_t kShownMax = 160;

std::string_view line_of(const SourceText& source, std::size_t number) {
  std::string_view rest = source.text;
  for (std::size_t line = 1; line < number; ++line) {
    const std::size_t end = rest.find('\n');
    if (end == rest.npos) return {};
    rest.remove_prefix(end + 1);
  }
  std::string_view line = rest.substr(0, rest.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// A text of as many characters, with tabs where the line has them.
std::string indent_of(std::string_view line, std::size_t columns) {
  std::string indent;
  std::size_t seen = 1;
  for (std::size_t at = 0; at < line.size() && seen < columns; ++at) {
    if ((static_cast<unsigned char>(line[at]) & 0xc0) == 0x80) continue;
    indent += line[at] == '\t' ? '\t' : ' ';
    ++seen;
  }
  indent.append(columns > seen ? columns - seen : 0, ' ');
  return indent;
}

}  // namespace

std::string render(const Mistake& mistake) {
  const Place& place = mistake.place;
  std::string out = fmt::format("{}:{}:{}: error: {}\n", place.source ? place.source->path : "",
                                place.line, place.column, mistake.message);
  if (!place.source) return out;
  const std::string_view line = line_of(*place.source, place.line);
  if (line.empty() || line.size() > kShownMax) return out;
  const std::string number = std::to_string(place.line);
  out += fmt::format(" {} | {}\n", number, line);
  out += fmt::format(" {:{}} | {}^{}\n", "", number.size(), indent_of(line, place.column),
                     std::string(place.width > 1 ? place.width - 1 : 0, '~'));
  return out;
}

std::vector<Mistake> Mistakes::sorted() const {
  std::vector<Mistake> all = found_;
  std::vector<const SourceText*> files;
  for (const Mistake& one : all) {
    if (std::find(files.begin(), files.end(), one.place.source.get()) == files.end()) {
      files.push_back(one.place.source.get());
    }
  }
  const auto rank = [&](const Mistake& one) {
    const auto file = std::find(files.begin(), files.end(), one.place.source.get());
    return std::tuple(file - files.begin(), one.place.line, one.place.column);
  };
  std::stable_sort(all.begin(), all.end(),
                   [&](const Mistake& a, const Mistake& b) { return rank(a) < rank(b); });
  const auto same = [&](const Mistake& a, const Mistake& b) {
    return rank(a) == rank(b) && a.message == b.message;
  };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  return all;
}

}  // namespace millrace::detail
