// The face of `service`: PageServer, the live page of a running topology with its REST interface
// and live feed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/status.hpp"
#include "connector/served_table.hpp"
#include "metrics/report.hpp"

namespace millrace::detail {

/// Names and values of a request's query, in its order.
using PageQuery = std::vector<std::pair<std::string, std::string>>;

/// What is answered to a request that changes how the topology runs.
struct PageAnswer {
  unsigned status = 200;
  std::string text;  ///< below 400 JSON, else a sentence that says why not
};

struct PageOptions {
  std::string host = "127.0.0.1";  ///< 127.0.0.0/8, ::1 or "localhost"; any other is refused
  std::uint16_t port = 8080;       ///< 0: the system picks a free one
  bool port_may_move =
      false;              ///< when the port is taken, try up to 20 higher ones instead of failing
  int clients_max = 600;  ///< open connections, at least 1; one more is answered with 503
  std::chrono::milliseconds header_timeout{10'000};  ///< for a request to arrive
  std::chrono::milliseconds stall_timeout{
      30'000};  ///< a client that takes nothing for so long is dropped
  /// Pauses (false) or resumes the sources; called on the server's thread, must not block. Empty:
  /// /api/v1/activate and /api/v1/deactivate are refused.
  std::function<void(bool active)> set_active = {};
  /// Asks for other numbers of tasks, and tells how that went; both as set_active. Empty:
  /// /api/v1/rescale is refused.
  std::function<PageAnswer(const PageQuery& query)> rescale = {};
  std::function<std::string()> rescales = {};
  /// Asks for a checkpoint now, and tells what became of it; both as set_active. Empty:
  /// /api/v1/checkpoint is refused.
  std::function<PageAnswer()> checkpoint = {};
  std::function<std::string()> checkpoints = {};
  /// Asks for dead letters to be replayed, lists them, and tells of one; all as set_active. Empty:
  /// what is below /api/v1/dead-letters is refused.
  std::function<PageAnswer(const PageQuery& query)> replay_letters = {};
  std::function<std::string()> letters = {};
  std::function<PageAnswer(std::string_view offset)> letter = {};
  /// What is asked below /api/v1/tables.
  ServedTables tables = {};
};

/// Serves the page, the newest report as REST, and the live feed, to this machine only.
///
/// docs/formats/rest.md tells of each path. `/` carries the newest report and the history, so that
/// a reload shows both at once.
///
/// A report becomes text on the server's own thread and only when someone asks for it.
class PageServer {
 public:
  /// Listens and starts the server's thread. The sink of `log` must outlive the server.
  /// Errors: 5002 when the address is not loopback or cannot be opened; 5001 when the port is
  /// taken.
  static Result<std::unique_ptr<PageServer>> start(PageOptions options, Log log);

  ~PageServer();
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;

  /// Makes `report` the newest. Any thread. Cost: a pointer and a wake-up; never waits for clients.
  void publish(std::shared_ptr<const Report> report);

  /// "http://127.0.0.1:8080", the address that was really taken.
  std::string address() const;
  std::uint16_t port() const;

  /// Pushes the newest report to live clients, closes, and joins the thread; within 300 ms whatever
  /// clients do. May be called again.
  void stop();

 private:
  struct Impl;
  explicit PageServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::detail
