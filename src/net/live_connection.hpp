// What a server's connections share, and LiveConnection: a WebSocket that texts are pushed to.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "net/http_server.hpp"

/// Of http_server.cpp alone, which is the one file that is compiled with Beast.
namespace millrace::detail::page {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Request = http::request<http::empty_body>;

/// Small, so that a slow client is behind by few frames in the kernel too.
inline constexpr int kLiveSendBufferBytes = 64 * 1024;

class Connection;

/// What connections share; used by the server's thread only.
struct Core {
  HttpOptions options;
  HttpContent* content = nullptr;
  Log log;
  std::unordered_set<Connection*> connections;
  bool stopping = false;
  asio::io_context io{1};  // last: its handlers own connections, which leave the set when they go
};

/// A client's connection; registers itself with the server for as long as it lives.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(Core& core) : core_(core) { core_.connections.insert(this); }
  virtual ~Connection() {
    core_.connections.erase(this);
    if (core_.stopping && core_.connections.empty()) core_.io.stop();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// A newer live text exists.
  virtual void notify() {}
  /// Finish what is under way, then go.
  virtual void shut() = 0;
  /// Go at once.
  virtual void drop() = 0;

 protected:
  Core& core_;
};

/// The connections of now, held, so that what is done with one may end another.
inline std::vector<std::shared_ptr<Connection>> held_connections(const Core& core) {
  std::vector<std::shared_ptr<Connection>> held;
  for (Connection* connection : core.connections) {
    if (auto pointer = connection->weak_from_this().lock()) held.push_back(std::move(pointer));
  }
  return held;
}

/// A WebSocket that texts are pushed to. It hears nothing but control frames.
class LiveConnection final : public Connection {
 public:
  LiveConnection(Core& core, beast::tcp_stream stream)
      : Connection(core), socket_(std::move(stream)) {}

  void accept(const Request& request) {
    error_code ignored;
    beast::get_lowest_layer(socket_).socket().set_option(
        asio::socket_base::send_buffer_size(kLiveSendBufferBytes), ignored);
    beast::get_lowest_layer(socket_).expires_never();  // the timeouts below take over
    // Pings go out at half the time: a client that neither answers nor takes a frame is dropped at
    // its end.
    socket_.set_option(websocket::stream_base::timeout{core_.options.header_timeout,
                                                       core_.options.stall_timeout, true});
    socket_.set_option(websocket::stream_base::decorator([this](websocket::response_type& answer) {
      for (const auto& [name, value] : core_.options.headers) answer.set(name, value);
    }));
    socket_.read_message_max(1024);
    socket_.async_accept(request, [this, self = shared_from_this()](error_code error) {
      if (error) return;
      open_ = true;
      socket_.text(true);
      listen();
      notify();
      if (core_.stopping) shut();
    });
  }

  void notify() override {
    if (!open_) return;
    if (writing_) {
      due_ = true;
    } else {
      send();
    }
  }

  void shut() override {
    // One that is still being accepted or written to closes when that is done.
    if (open_ && !writing_) close(websocket::close_code::going_away);
  }

  void drop() override { beast::get_lowest_layer(socket_).close(); }

 private:
  void send() {
    frame_ = core_.content->live_text();
    due_ = false;
    if (!frame_) return;
    writing_ = true;
    socket_.async_write(asio::buffer(*frame_),
                        [this, self = shared_from_this()](error_code error, std::size_t) {
                          writing_ = false;
                          frame_.reset();
                          if (error) {
                            open_ = false;
                            beast::get_lowest_layer(socket_).close();
                          } else if (due_) {
                            send();
                          } else if (core_.stopping) {
                            close(websocket::close_code::going_away);
                          }
                        });
  }

  /// Reads for the sake of pongs and the close; the feed takes no messages.
  void listen() {
    socket_.async_read(heard_, [this, self = shared_from_this()](error_code error, std::size_t) {
      open_ = false;
      if (!error) close(websocket::close_code::policy_error);
    });
  }

  void close(websocket::close_code code) {
    open_ = false;
    socket_.async_close(code, [self = shared_from_this()](error_code) {});
  }

  websocket::stream<beast::tcp_stream> socket_;
  beast::flat_buffer heard_;
  std::shared_ptr<const std::string> frame_;  ///< under way
  bool open_ = false;
  bool writing_ = false;
  bool due_ = false;  ///< a newer text came while writing
};

}  // namespace millrace::detail::page
