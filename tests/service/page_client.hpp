// PageClient: raw sockets and requests for the tests of the page's server.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "service/service.hpp"

namespace millrace::detail {

using SteadyClock = std::chrono::steady_clock;

inline long ms_since(SteadyClock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - start).count();
}

/// A TCP connection to the server; reads give up after two seconds.
class Client {
 public:
  explicit Client(std::uint16_t port, int receive_buffer_bytes = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer_bytes > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  void send(std::string_view text) {
    EXPECT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), ssize_t(text.size()));
  }

  /// More bytes, or "" at the end of the connection or when none came in time.
  std::string receive(int timeout_ms = 2000) {
    pollfd ready{fd_, POLLIN, 0};
    if (::poll(&ready, 1, timeout_ms) <= 0) return "";
    char buffer[65536];
    const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
    return count > 0 ? std::string(buffer, static_cast<std::size_t>(count)) : "";
  }
  /// All up to the end of the connection.
  std::string receive_all() {
    std::string all;
    for (std::string part = receive(); !part.empty(); part = receive()) all += part;
    return all;
  }
  std::string receive_until(std::string_view mark) {
    std::string all;
    while (all.find(mark) == std::string::npos) {
      const std::string part = receive();
      if (part.empty()) break;
      all += part;
    }
    return all;
  }

 private:
  int fd_;
  bool connected_ = false;
};

inline PageOptions any_port() {
  PageOptions options;
  options.port = 0;
  return options;
}

inline std::unique_ptr<PageServer> started(const PageOptions& options = any_port()) {
  auto server = PageServer::start(options, Log());
  EXPECT_TRUE(server.has_value()) << server.error().to_string();
  return std::move(*server);
}

inline std::shared_ptr<Report> sample_report(std::size_t padding_bytes = 0) {
  auto report = std::make_shared<Report>();
  report->topology = "trending";
  report->state = "running";
  report->records_in = 39244;
  report->error = std::string(padding_bytes, 'x');
  report->views.push_back(
      {"Trending articles", "top", {{"page", "string"}}, {{std::string("Corbyn")}}, 1, {}, {}});
  return report;
}

inline std::string ask(const PageServer& server, const std::string& start_line,
                       const std::string& headers = "Host: localhost\r\n") {
  Client client(server.port());
  client.send(start_line + " HTTP/1.1\r\n" + headers + "Connection: close\r\n\r\n");
  return client.receive_all();
}

inline std::string upgrade_request(const std::string& headers) {
  return "GET /api/v1/live HTTP/1.1\r\nUpgrade: websocket\r\nConnection: "
         "Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         headers + "\r\n";
}

}  // namespace millrace::detail
