// The demo's oracle: compares what the engine ranks with rows that a plain script computed from the
// same file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "demo_records.hpp"
#include "metrics/report.hpp"

namespace millrace::apps {

/// The channel that holds a rank in five minutes.
struct ChannelRow {
  Time window_start = 0;
  std::int64_t rank = 0;
  std::string_view channel;
  ChannelStats stats;
};

struct OracleFigures {
  std::uint64_t rows = 0;     ///< compared
  std::uint64_t wrong = 0;    ///< of them different from the expected row, or not expected
  std::uint64_t lost = 0;     ///< expected rows of windows that are over, which did not come
  std::uint64_t doubled = 0;  ///< rows that came again; not among `rows`
};

/// The expected top 20 channels of each five minutes of a day, which repeats: each day is compared
/// with the same rows. Rows come window by window; a window is compared when a row of a later one
/// comes, for its last row may be still to come before that. check() and close() by one thread,
/// the rest by any.
class Oracle {
 public:
  enum class Begin {
    first_day,  ///< all rows come, from the first of the first day on
    first_row,  ///< the run goes on from a state folder: what came before is not asked for
  };

  /// `csv`: window_start_ms,rank,channel,edits,added,deleted with a header line, of one day.
  explicit Oracle(std::string_view csv, Begin begin = Begin::first_day);

  void check(const ChannelRow& row);
  /// The input has ended with a whole day: all of its windows are over.
  void close();
  OracleFigures figures() const;
  /// The same for a run that nobody kills: what is lost or doubled is wrong.
  detail::OracleReport report() const;

 private:
  struct Expected {
    std::string channel;
    ChannelStats stats;
  };
  struct Window {
    Time start = 0;
    std::vector<Expected> rows;  // by rank, from 1
  };
  struct Arrived {
    std::int64_t rank;
    Expected row;
  };
  Time due() const { return windows_[next_].start + moved_; }
  void end_windows_before(Time limit);
  void compare(const Window& window);

  std::vector<Window> windows_;  // in their order
  const Begin begin_;
  mutable std::mutex mutex_;  // guards all below
  std::size_t next_ = 0;      // index of the first window that is not over
  Time moved_ = 0;            // by how much its day is later than the first
  Time window_ = kTimeMin;    // of `arrived_`
  std::vector<Arrived> arrived_;
  OracleFigures figures_;
};

}  // namespace millrace::apps
