// Reading the expected rows and comparing with them.
#include "oracle.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace millrace::apps {
namespace {

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The next line of `text`, which moves past it.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

Oracle::Oracle(std::string_view csv) {
  take_line(csv);
  while (!csv.empty()) {
    std::string_view line = take_line(csv);
    std::array<std::string_view, 6> fields;
    for (auto& field : fields) {
      const std::size_t comma = std::min(line.find(','), line.size());
      field = line.substr(0, comma);
      line.remove_prefix(std::min(comma + 1, line.size()));
    }
    const Time start = number(fields[0]) * 1000;
    end_ = std::max(end_, start + 1);
    expected_[{start, static_cast<std::uint32_t>(number(fields[1]))}] = {
        std::string(fields[2]), {number(fields[3]), number(fields[4]), number(fields[5])}, false};
  }
}

void Oracle::check(const Ranked<std::string_view, ChannelStats>& row) {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  if (row.window_start >= end_) return close_locked();
  ++report_.rows;
  const auto at = expected_.find({row.window_start, row.rank});
  if (at == expected_.end() || at->second.seen) {
    ++report_.wrong;
    return;
  }
  Expected& expected = at->second;
  expected.seen = true;
  const bool equal = expected.channel == row.key && expected.stats.edits == row.value.edits &&
                     expected.stats.added == row.value.added &&
                     expected.stats.deleted == row.value.deleted;
  if (!equal) ++report_.wrong;
}

void Oracle::close() {
  std::lock_guard lock(mutex_);
  close_locked();
}

void Oracle::close_locked() {
  if (closed_) return;
  closed_ = true;
  report_.wrong += static_cast<std::uint64_t>(std::count_if(
      expected_.begin(), expected_.end(), [](const auto& entry) { return !entry.second.seen; }));
}

detail::OracleReport Oracle::report() const {
  std::lock_guard lock(mutex_);
  return report_;
}

}  // namespace millrace::apps
