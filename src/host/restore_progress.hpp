// RestoreProgress: how far a start has come with a large checkpoint, for the page and for people.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "env/env.hpp"
#include "metrics/report.hpp"

namespace millrace::detail {

/// Told while a checkpoint is read; tells others four times a second, from a quarter of a second
/// on: who waits for less wants to know nothing. One thread.
class RestoreProgress {
 public:
  /// `tell` gets a report whose state is "restoring". `clock` outlives it.
  RestoreProgress(std::string topology, Clock& clock,
                  std::function<void(std::shared_ptr<const Report>)> tell);

  /// So many bytes of so many are read.
  void read(std::uint64_t bytes, std::uint64_t bytes_all);
  /// That, for who reads; this outlives it.
  std::function<void(std::uint64_t bytes, std::uint64_t bytes_all)> reader() {
    return [this](std::uint64_t bytes, std::uint64_t bytes_all) { read(bytes, bytes_all); };
  }

 private:
  const std::string topology_;
  Clock& clock_;
  const std::function<void(std::shared_ptr<const Report>)> tell_;
  std::int64_t begun_ns_ = 0;  ///< 0: nothing is read
  std::int64_t told_ns_ = 0;
  std::uint64_t read_ = 0;
};

/// "restoring: 1200 of 3000 MB, 4.5 s left".
std::string to_text(const RestoreReport& restore);

}  // namespace millrace::detail
