// Handing requests to the coordinator, and reading what came of them.
#include "host/epoch_requests.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "base/text.hpp"

namespace millrace::detail {

void EpochRequests::begin(const std::string& folder, Clock& clock) {
  const std::lock_guard lock(mutex_);
  std::error_code none;
  folder_ = folder.empty() ? folder : std::filesystem::absolute(folder, none).string();
  clock_ = &clock;
}

PageAnswer EpochRequests::ask() {
  const std::lock_guard lock(mutex_);
  if (!ended_.empty()) return {409, "no checkpoint is made any more: " + ended_};
  if (folder_.empty()) {
    return {409, "this run keeps no state: start it with --state-dir DIR"};
  }
  if (asked_ == begun_) ++asked_;
  return {202, fmt::format("{{\"number\":{}}}\n", asked_)};
}

std::string EpochRequests::to_json() const {
  const std::lock_guard lock(mutex_);
  std::string text = fmt::format(
      "{{\"over\":{},\"done\":{},\"failed\":{},\"epoch\":{},\"took_ms\":{:.3f},\"folder\":", over_,
      done_, failed_, made_ ? std::to_string(*made_) : "null", static_cast<double>(took_ns_) / 1e6);
  append_json_string(text, folder_);
  text += fmt::format(",\"last_failed\":{},\"last_failure\":", last_failed_);
  append_json_string(text, last_failure_);
  return text + "}\n";
}

void EpochRequests::look(EpochCoordinator& epochs) {
  const std::lock_guard lock(mutex_);
  if (!is_over(epochs) || asked_ == begun_) return;
  begun_ = asked_;
  since_ns_ = clock_->steady_ns();
  epoch_ = epochs.ask();
}

/// True: none is under way any more.
bool EpochRequests::is_over(const EpochCoordinator& epochs) {
  if (over_ == begun_) return true;
  const auto outcome = epochs.outcome(epoch_);
  if (!outcome) return false;
  if (outcome->ok()) {
    over_ = begun_;
    ++done_;
    made_ = epoch_;
    took_ns_ = clock_->steady_ns() - since_ns_;
  } else {
    failed(outcome->message());
  }
  return true;
}

void EpochRequests::failed(const std::string& why) {
  over_ = begun_;
  ++failed_;
  last_failed_ = begun_;
  last_failure_ = why;
}

void EpochRequests::engine_ended(const EpochCoordinator& epochs) {
  const std::lock_guard lock(mutex_);
  if (!is_over(epochs)) begun_ = over_;
}

void EpochRequests::end(const std::string& why) {
  const std::lock_guard lock(mutex_);
  ended_ = why;
  if (asked_ == over_) return;
  begun_ = asked_;
  failed("no checkpoint is made any more: " + why);
}

}  // namespace millrace::detail
