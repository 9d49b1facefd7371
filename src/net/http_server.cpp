// HttpServer over Boost.Beast: the only file that is compiled with Asio and Beast.
#include "net/http_server.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>

#include "base/text.hpp"
#include "net/http_connection.hpp"
#include "net/live_connection.hpp"

namespace millrace::detail {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds kStopTimeout{200};

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
  page::Core core;
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
    return std::make_shared<page::HttpConnection>(core, std::move(socket))->read();
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
