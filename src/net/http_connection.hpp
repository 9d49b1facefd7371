// HttpConnection: a client's requests, checked and answered one after the other.
#pragma once

#include <algorithm>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "net/live_connection.hpp"
#include "net/request_checks.hpp"

namespace millrace::detail::page {

using Response = http::response<http::string_body>;

inline std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

/// Requests and answers, one after the other.
class HttpConnection final : public Connection {
 public:
  HttpConnection(Core& core, tcp::socket socket) : Connection(core), stream_(std::move(socket)) {}

  void read() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(core_.options.header_bytes_max));
    stream_.expires_after(
        core_.options.header_timeout);  // for the whole header: a slow writer gains nothing
    http::async_read_header(
        stream_, buffer_, *parser_,
        [this, self = shared_from_this()](error_code error, std::size_t) { answer(error); });
  }

  void shut() override {
    if (!writing_) stream_.close();
  }

  void drop() override { stream_.close(); }

 private:
  void answer(error_code error) {
    const Request& request = parser_->get();
    if (error == http::error::end_of_stream || error == beast::error::timeout) return;
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return write(http_error(431, "the request's header is too long"), false, false);
    }
    if (error == http::error::body_limit) {
      return write(http_error(413, "the request announces a long body: bodies are not read here"),
                   false, false);
    }
    if (error.category() == http::make_error_code(http::error::bad_method).category()) {
      return write(http_error(400, "this is not an HTTP request: " + error.message()), false,
                   false);
    }
    if (error) return;
    if (refused(request)) return;
    const auto path = decode_path(view(request.target()));
    if (!path) return write(http_error(400, "the request's path cannot be read"), false, false);
    const bool posts = std::ranges::count(core_.options.post_paths, *path) > 0;
    if (refused_method(request, posts)) return;
    const auto query = decode_query(view(request.target()));
    if (!query) return write(http_error(400, "the request's query cannot be read"), false, false);
    if (request.method() == http::verb::post)
      return write(core_.content->post(*path, *query), false, false);
    const bool head = request.method() == http::verb::head;
    if (*path == core_.options.live_path) return upgrade(request);
    // A body is of no use here and would be taken for the next request: the connection ends with
    // the answer.
    const bool body = request.has_content_length() || request.chunked();
    write(core_.content->get(*path, *query), head, request.keep_alive() && !body);
  }

  /// Writes a refusal and returns true when the request may not be answered.
  bool refused(const Request& request) {
    if (!names_this_machine(view(request[http::field::host]))) {
      write(http_error(
                421,
                "the Host header must be localhost, 127.0.0.1 or [::1]: this page answers only to "
                "the names of its own machine"),
            false, false);
      return true;
    }
    return false;
  }

  /// Writes a refusal and returns true unless it is GET or HEAD, or a POST that may be.
  bool refused_method(const Request& request, bool posts) {
    if (request.method() == http::verb::get || request.method() == http::verb::head) return false;
    if (request.method() != http::verb::post || !posts) {
      write(http_error(405,
                       "only GET and HEAD are answered here: the page and most of its "
                       "interface are for reading"),
            false, false);
      return true;
    }
    // A form or script of another site can send a POST here, but not with a header of its own: the
    // browser would ask first, by OPTIONS, and be refused.
    if (request.find("X-Millrace") == request.end() || from_elsewhere(request)) {
      write(http_error(403,
                       "this changes how the topology runs: send the header X-Millrace: 1, "
                       "and not from a page of another site"),
            false, false);
      return true;
    }
    return false;
  }

  /// Whether a browser sends it for a page that this server has not served.
  static bool from_elsewhere(const Request& request) {
    const auto origin = request.find(http::field::origin);  // tools send none; browsers always do
    return origin != request.end() &&
           view(origin->value()) != "http://" + std::string(view(request[http::field::host]));
  }

  void upgrade(const Request& request) {
    if (!websocket::is_upgrade(request)) {
      return write(http_error(426, "this is the live feed: connect to it as a WebSocket"), false,
                   false);
    }
    if (from_elsewhere(request)) {
      return write(
          http_error(403, "the live feed is open only to the page that this address serves"), false,
          false);
    }
    stream_.expires_never();
    std::make_shared<LiveConnection>(core_, std::move(stream_))->accept(request);
  }

  void write(HttpResponse content, bool head, bool keep_alive) {
    const auto status = static_cast<http::status>(content.status);
    response_ = Response(status, 11);
    response_.set(http::field::content_type, content.content_type);
    response_.set(http::field::cache_control, content.cache_control);
    if (content.status == 405) response_.set(http::field::allow, "GET, HEAD");
    if (content.status == 426) {
      response_.set(http::field::connection, "upgrade");
      response_.set(http::field::upgrade, "websocket");
    }
    for (const auto& [name, value] : core_.options.headers) response_.set(name, value);
    response_.body() = std::move(content.body);
    response_.prepare_payload();
    response_.keep_alive(keep_alive);
    if (head) response_.body().clear();  // the length stays: it is that of the GET
    writing_ = true;
    stream_.expires_after(core_.options.stall_timeout);
    http::async_write(stream_, response_,
                      [this, self = shared_from_this()](error_code error, std::size_t) {
                        writing_ = false;
                        if (error || core_.stopping) return;
                        if (response_.keep_alive()) return read();
                        error_code ignored;
                        stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
                      });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{64 * 1024};
  std::optional<http::request_parser<http::empty_body>> parser_;
  Response response_;
  bool writing_ = false;
};

}  // namespace millrace::detail::page
