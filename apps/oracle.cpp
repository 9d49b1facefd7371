// Reading the expected rows and comparing with them.
#include "oracle.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace millrace::apps {
namespace {

constexpr Time kDay = Time{24} * 3600 * 1'000'000;

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

bool equal(const ChannelStats& a, const ChannelStats& b) {
  return a.edits == b.edits && a.added == b.added && a.deleted == b.deleted;
}

}  // namespace

Oracle::Oracle(std::string_view csv, Begin begin) : begin_(begin) {
  take_line(csv);
  while (!csv.empty()) {
    std::string_view line = take_line(csv);
    std::array<std::string_view, 6> fields;
    for (auto& field : fields) {
      const std::size_t comma = std::min(line.find(','), line.size());
      field = line.substr(0, comma);
      line.remove_prefix(std::min(comma + 1, line.size()));
    }
    const Time start = number(fields[0]) * 1000;  // ranks follow each other, from 1
    if (windows_.empty() || windows_.back().start != start) windows_.push_back({start, {}});
    windows_.back().rows.push_back(
        {std::string(fields[2]), {number(fields[3]), number(fields[4]), number(fields[5])}});
  }
}

void Oracle::check(const ChannelRow& row) {
  const std::lock_guard lock(mutex_);
  if (row.window_start < window_) {
    ++figures_.doubled;
    return;
  }
  if (row.window_start > window_) {
    end_windows_before(row.window_start);
    if (window_ == kTimeMin && begin_ == Begin::first_row) figures_ = {};
    window_ = row.window_start;
  }
  arrived_.push_back({row.rank, {std::string(row.channel), row.stats}});
}

void Oracle::close() {
  const std::lock_guard lock(mutex_);
  if (window_ == kTimeMin) return;
  const Time day = (window_ - windows_.front().start) / kDay;
  end_windows_before(windows_.front().start + (day + 1) * kDay);
}

void Oracle::end_windows_before(Time limit) {
  while (due() < limit) {
    compare(windows_[next_]);
    if (++next_ < windows_.size()) continue;
    next_ = 0;
    moved_ += kDay;
  }
  // Nothing is expected in the window of those that are left.
  figures_.rows += arrived_.size();
  figures_.wrong += arrived_.size();
  arrived_.clear();
}

/// The window is over: what came of it, or nothing, is all.
void Oracle::compare(const Window& window) {
  std::vector<bool> came(window.rows.size());
  if (window_ == window.start + moved_) {
    for (const Arrived& arrived : arrived_) {
      const auto at = static_cast<std::size_t>(arrived.rank - 1);
      const bool expected = at < window.rows.size();
      if (expected && came[at]) {
        ++figures_.doubled;
        continue;
      }
      if (expected) came[at] = true;
      ++figures_.rows;
      const bool right = expected && window.rows[at].channel == arrived.row.channel &&
                         equal(window.rows[at].stats, arrived.row.stats);
      if (!right) ++figures_.wrong;
    }
    arrived_.clear();
  }
  figures_.lost += static_cast<std::uint64_t>(std::count(came.begin(), came.end(), false));
}

OracleFigures Oracle::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

detail::OracleReport Oracle::report() const {
  const OracleFigures now = figures();
  return {now.rows, now.wrong + now.lost + now.doubled};
}

}  // namespace millrace::apps
