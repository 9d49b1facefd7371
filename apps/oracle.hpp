// The demo's oracle: compares what the engine ranks with rows that a plain script computed from the
// same file.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "demo_records.hpp"
#include "metrics/report.hpp"

namespace millrace::apps {

/// The expected top 20 channels of each five minutes of the first day. check() by the sink's
/// thread, report() by any.
class Oracle {
 public:
  /// `csv`: window_start_ms,rank,channel,edits,added,deleted with a header line.
  explicit Oracle(std::string_view csv);

  /// Compares a row with the expected one of its window and rank; rows of later days close the
  /// first one.
  void check(const Ranked<std::string_view, ChannelStats>& row);
  /// The input has ended: expected rows that never came are wrong.
  void close();
  detail::OracleReport report() const;

 private:
  struct Expected {
    std::string channel;
    ChannelStats stats;
    bool seen = false;
  };
  void close_locked();

  mutable std::mutex mutex_;
  std::map<std::pair<Time, std::uint32_t>, Expected> expected_;
  Time end_ = kTimeMin;
  bool closed_ = false;
  detail::OracleReport report_;
};

}  // namespace millrace::apps
