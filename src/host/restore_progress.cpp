// Bytes and time so far into what is left.
#include "host/restore_progress.hpp"

#include <fmt/format.h>

#include <utility>

#include "host/version.hpp"

namespace millrace::detail {
namespace {

constexpr std::int64_t kTellNs = 250'000'000;

}  // namespace

RestoreProgress::RestoreProgress(std::string topology, Clock& clock,
                                 std::function<void(std::shared_ptr<const Report>)> tell)
    : topology_(std::move(topology)), clock_(clock), tell_(std::move(tell)) {}

void RestoreProgress::read(std::uint64_t bytes, std::uint64_t bytes_all) {
  const std::int64_t now_ns = clock_.steady_ns();
  if (begun_ns_ == 0 || bytes < read_) begun_ns_ = told_ns_ = now_ns;  // or another one
  read_ = bytes;
  if (now_ns - told_ns_ < kTellNs || bytes == 0) return;
  told_ns_ = now_ns;
  const double took_ms = static_cast<double>(now_ns - begun_ns_) / 1e6;
  const double left = static_cast<double>(bytes_all - bytes) / static_cast<double>(bytes);
  auto report = std::make_shared<Report>();
  report->topology = topology_;
  report->version = kVersion;
  report->state = "restoring";
  report->at = clock_.wall_us();
  report->uptime_ms = (now_ns - begun_ns_) / 1'000'000;
  report->restore = RestoreReport{bytes, bytes_all, static_cast<std::int64_t>(took_ms * left)};
  tell_(std::move(report));
}

std::string to_text(const RestoreReport& restore) {
  constexpr double kMega = 1e6;
  return fmt::format(
      "restoring: {:.0f} of {:.0f} MB, {:.1f} s left", static_cast<double>(restore.bytes) / kMega,
      static_cast<double>(restore.bytes_all) / kMega, static_cast<double>(restore.left_ms) / 1e3);
}

}  // namespace millrace::detail
