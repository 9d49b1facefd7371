// HostPage: the page of a run, if it is to have one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "host/epoch_requests.hpp"
#include "host/host.hpp"
#include "host/letter_requests.hpp"
#include "host/rescaling.hpp"
#include "service/service.hpp"
#include "topology/topology_graph.hpp"

namespace millrace::detail {

/// The tables in which streams of a topology end.
ServedTables served_tables(const Graph& graph);

/// One thread, but for what the page asks. Outlives the engines of the run.
class HostPage {
 public:
  /// Who takes what the page is asked, and outlives it; null: that is refused.
  struct Asked {
    Rescaling* rescaling = nullptr;
    EpochRequests* epochs = nullptr;
    LetterRequests* letters = nullptr;
    ServedTables tables = {};
  };
  /// As --ui says. Another call does nothing but say again how it went. Errors: 1002, 5001, 5002.
  Status start(const HostOptions& options, const Asked& asked, const Log& log);
  bool on() const { return page_ != nullptr; }
  /// Whether sources are to be read, as the page asked last.
  bool wants_active() const { return active_wanted_.load(); }
  void publish(std::shared_ptr<const Report> report) { page_->publish(std::move(report)); }
  /// Also on standard error, now and then.
  void tell_restoring(std::shared_ptr<const Report> report);
  void stop() { page_->stop(); }
  /// "127.0.0.1:8080", as --ui takes it; "off" when there is none.
  std::string address() const;
  /// On standard error, also how to reach it from another machine.
  void say_where(const std::string& topology) const;

 private:
  Result<PageOptions> options_of(const HostOptions& options, const Asked& asked);

  std::atomic<bool> active_wanted_{true};
  std::optional<Status> started_;     ///< empty: it was not
  std::int64_t told_ms_ = 0;          ///< how long it had been restoring when that was said
  std::unique_ptr<PageServer> page_;  // last: its thread stores what is wanted
};

}  // namespace millrace::detail
