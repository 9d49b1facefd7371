// HttpServer: a small loopback-only HTTP and WebSocket server on one thread of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/status.hpp"

namespace millrace::detail {

/// One answer. HEAD requests get its headers alone.
struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string cache_control = "no-store";
  std::string body;
};

/// {"error": sentence} with `status`; every refusal of the server looks like this.
HttpResponse http_error(unsigned status, std::string_view sentence);

/// What a server serves. Called on the server's own thread only, one call at a time; must not
/// block.
class HttpContent {
 public:
  virtual ~HttpContent() = default;
  /// Names and values, as decode_query() gives them.
  using Query = std::vector<std::pair<std::string, std::string>>;
  /// Answers GET and HEAD. `path` is percent-decoded and without the query; it starts with '/'.
  virtual HttpResponse get(std::string_view path, const Query& query) = 0;
  /// Answers POST to one of HttpOptions::post_paths. A body is not read.
  virtual HttpResponse post(std::string_view /*path*/, const Query& /*query*/) {
    return http_error(405, "nothing changes");
  }
  /// The newest text for live clients; nullptr when there is none yet.
  virtual std::shared_ptr<const std::string> live_text() = 0;
};

struct HttpOptions {
  std::string host = "127.0.0.1";  ///< 127.0.0.0/8, ::1 or "localhost" (which is 127.0.0.1)
  std::uint16_t port = 0;          ///< 0: the system picks a free one
  std::uint16_t ports_tried =
      1;  ///< how many ports from `port` on are tried when they are taken, at least 1
  std::size_t clients_max = 256;        ///< open connections; one more gets 503
  std::string live_path;                ///< where the WebSocket is; no other path can be upgraded
  std::vector<std::string> post_paths;  ///< where POST is taken, from those who may; see below
  std::vector<std::pair<std::string, std::string>> headers;  ///< added to every answer
  std::size_t header_bytes_max = 8192;  ///< of a request line with its headers; more gets 431
  std::chrono::milliseconds header_timeout{
      10'000};  ///< for a whole request to arrive, also between two requests
  std::chrono::milliseconds stall_timeout{
      30'000};  ///< a client that takes nothing for so long is dropped
};

/// Serves `content` to browsers and tools of this machine.
///
/// Only GET and HEAD, only requests whose Host names this machine (a page of another site that has
/// its own name point here is refused with 421), and WebSockets only for pages that this server
/// served (403). POST is taken only at `post_paths`, only with the header `X-Millrace`, which no
/// page of another site can add unasked, and from no other origin (403). Live clients each have at
/// most one frame under way and one due: a newer text replaces the one due, so a slow client skips
/// texts and never holds up the others or `notify_live`.
class HttpServer {
 public:
  /// Listens and starts the thread. `content` must outlive the server; so must the sink of `log`.
  /// Errors: 5002 for an address that is not loopback or cannot be used; 5001 when the port is
  /// taken.
  static Result<std::unique_ptr<HttpServer>> start(HttpOptions options, HttpContent& content,
                                                   Log log);

  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Tells the server that `live_text` has a newer text. Any thread; never blocks; calls in quick
  /// succession are joined into one.
  void notify_live();

  /// The port listened on.
  std::uint16_t port() const;
  /// "http://127.0.0.1:8080", for people to open.
  std::string address() const;

  /// Sends live clients what is due and a close, then ends the thread; within 200 ms whatever
  /// clients do. May be called again.
  void stop();

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::detail
