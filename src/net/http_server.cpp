// HttpServer over Boost.Beast: the only file that sees Boost.Asio or Beast.
#include "net/http_server.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <optional>
#include <thread>
#include <unordered_set>

#include "base/text.hpp"
#include "net/request_checks.hpp"

namespace millrace::detail {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

namespace {

constexpr std::chrono::milliseconds kStopTimeout{200};
/// Small, so that a slow client is behind by few frames in the kernel too.
constexpr int kLiveSendBufferBytes = 64 * 1024;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

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
std::vector<std::shared_ptr<Connection>> held_connections(const Core& core) {
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
    if (request.method() == http::verb::post)
      return write(core_.content->post(*path), false, false);
    const bool head = request.method() == http::verb::head;
    if (*path == core_.options.live_path) return upgrade(request);
    // A body is of no use here and would be taken for the next request: the connection ends with
    // the answer.
    const bool body = request.has_content_length() || request.chunked();
    write(core_.content->get(*path), head, request.keep_alive() && !body);
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

}  // namespace

HttpResponse http_error(unsigned status, std::string_view sentence) {
  HttpResponse response;
  response.status = status;
  response.body = "{\"error\":";
  append_json_string(response.body, sentence);
  response.body += "}\n";
  return response;
}

struct HttpServer::Impl {
  Core core;
  tcp::acceptor acceptor{core.io};
  asio::steady_timer accept_again{core.io};
  asio::steady_timer stop_deadline{core.io};
  tcp::endpoint endpoint;
  std::atomic<bool> notified{false};
  std::thread thread;

  Status listen();
  void accept();
  void serve(tcp::socket socket);
  void run();
  void begin_stop();
};

/// Binds the first free port; an address that is not loopback is never opened.
Status HttpServer::Impl::listen() {
  const std::string host = core.options.host == "localhost" ? "127.0.0.1" : core.options.host;
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error || !address.is_loopback()) {
    return {Code::address_refused,
            fmt::format(
                "page address \"{}\": only this machine's own addresses (127.0.0.1, ::1, "
                "localhost) can be "
                "used until access control exists; reach the page from elsewhere through ssh -L",
                core.options.host)};
  }
  const unsigned first = core.options.port;
  const unsigned last =
      first == 0 ? 0
                 : std::min(first + std::max<unsigned>(core.options.ports_tried, 1) - 1, 65535u);
  for (unsigned port = first; port <= last; ++port) {
    const tcp::endpoint wanted(address, static_cast<std::uint16_t>(port));
    error = {};
    acceptor = tcp::acceptor(core.io);
    acceptor.open(wanted.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(wanted, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (!error) {
      endpoint = acceptor.local_endpoint();
      return {};
    }
    if (error != asio::error::address_in_use) {
      return {Code::address_refused,
              fmt::format("page address {}:{}: it cannot be opened ({}); choose another with "
                          "--ui HOST:PORT",
                          host, port, error.message())};
    }
  }
  const std::string ports = first == last ? fmt::format("port {} is", first)
                                          : fmt::format("ports {} to {} are", first, last);
  return {Code::address_in_use,
          fmt::format("page address {}: {} taken by another program; choose another with "
                      "--ui HOST:PORT, or --ui off for none",
                      host, ports)};
}

void HttpServer::Impl::accept() {
  acceptor.async_accept([this](error_code error, tcp::socket socket) {
    if (!acceptor.is_open()) return;
    if (!error) {
      serve(std::move(socket));
      return accept();
    }
    // Out of descriptors, most likely: trying at once would only spin.
    core.log(LogLevel::warn, "page.accept_failed", "reason=\"" + error.message() + "\"");
    accept_again.expires_after(std::chrono::milliseconds(100));
    accept_again.async_wait([this](error_code stopped) {
      if (!stopped) accept();
    });
  });
}

void HttpServer::Impl::serve(tcp::socket socket) {
  if (core.connections.size() < core.options.clients_max) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    return std::make_shared<HttpConnection>(core, std::move(socket))->read();
  }
  static constexpr std::string_view kBusy =
      "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: application/json\r\n"
      "Content-Length: 39\r\n\r\n{\"error\":\"too many open connections\"}\r\n";
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(kBusy.data(), kBusy.size()), ignored);
}

void HttpServer::Impl::run() {
  for (;;) {
    try {
      core.io.run();
      return;
    } catch (const std::exception&
                 failure) {  // one client's trouble (such as no memory) is not the others'
      core.log(LogLevel::error, "page.client_failed", fmt::format("reason=\"{}\"", failure.what()));
    }
  }
}

void HttpServer::Impl::begin_stop() {
  core.stopping = true;
  acceptor.close();
  accept_again.cancel();
  if (core.connections.empty()) return core.io.stop();
  stop_deadline.expires_after(kStopTimeout);
  stop_deadline.async_wait([this](error_code) { core.io.stop(); });
  for (const auto& connection : held_connections(core)) connection->shut();
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpOptions options, HttpContent& content,
                                                      Log log) {
  auto impl = std::make_unique<Impl>();
  impl->core.options = std::move(options);
  impl->core.content = &content;
  impl->core.log = log;
  if (Status status = impl->listen(); !status) return status;
  impl->accept();
  impl->thread = std::thread([raw = impl.get()] { raw->run(); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() { stop(); }

void HttpServer::notify_live() {
  if (impl_->notified.exchange(true)) return;
  asio::post(impl_->core.io, [impl = impl_.get()] {
    impl->notified = false;
    for (const auto& connection : held_connections(impl->core)) connection->notify();
  });
}

std::uint16_t HttpServer::port() const { return impl_->endpoint.port(); }

std::string HttpServer::address() const {
  const std::string host = impl_->endpoint.address().to_string();
  const bool v6 = impl_->endpoint.address().is_v6();
  return fmt::format("http://{}{}{}:{}", v6 ? "[" : "", host, v6 ? "]" : "", port());
}

void HttpServer::stop() {
  if (!impl_->thread.joinable()) return;
  asio::post(impl_->core.io, [impl = impl_.get()] { impl->begin_stop(); });
  impl_->thread.join();
  for (const auto& connection : held_connections(impl_->core)) connection->drop();
  impl_->core.stopping = false;  // connections that end from here on have no loop to stop
}

}  // namespace millrace::detail
