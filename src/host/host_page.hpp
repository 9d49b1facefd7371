// HostPage: the page of a run, if it is to have one.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "host/host.hpp"
#include "host/rescaling.hpp"
#include "service/service.hpp"

namespace millrace::detail {

/// One thread, but for what the page asks. Outlives the engines of the run.
class HostPage {
 public:
  /// As --ui says. `rescaling` takes what the page is asked, and outlives it; null: that is
  /// refused. Errors: 1002, 5001, 5002.
  Status start(const HostOptions& options, Rescaling* rescaling, const Log& log);
  bool on() const { return page_ != nullptr; }
  /// Whether sources are to be read, as the page asked last.
  bool wants_active() const { return active_wanted_.load(); }
  void publish(std::shared_ptr<const Report> report) { page_->publish(std::move(report)); }
  void stop() { page_->stop(); }
  /// "127.0.0.1:8080", as --ui takes it; "off" when there is none.
  std::string address() const;
  /// On standard error, also how to reach it from another machine.
  void say_where(const std::string& topology) const;

 private:
  std::atomic<bool> active_wanted_{true};
  std::unique_ptr<PageServer> page_;  // last: its thread stores what is wanted
};

}  // namespace millrace::detail
