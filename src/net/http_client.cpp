// A request over a socket; the server is Millrace's own, which closes behind an answer when asked.
#include "net/http_client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "env/posix_socket.hpp"

namespace millrace::detail {
namespace {

constexpr std::size_t kAnswerBytesMax = 64u << 20;

Status failed(const std::string& address, std::string_view why) {
  return {Code::source_failed,
          fmt::format("\"{}\" gives no answer: {}; give the address of the page that a running "
                      "topology has told, as 127.0.0.1:8080",
                      address, why)};
}

bool is_ready(const Descriptor& socket, short events, std::chrono::milliseconds patience) {
  pollfd wanted{socket.number(), events, 0};
  int found = 0;
  while ((found = ::poll(&wanted, 1, static_cast<int>(patience.count()))) < 0 && errno == EINTR) {
  }
  return found > 0;
}

/// One call of send or recv, when the socket is ready for it. Returns its count.
template <class Call>
Result<std::size_t> once(const Descriptor& socket, short events, const std::string& address,
                         std::chrono::milliseconds patience, Call&& call) {
  for (;;) {
    if (!is_ready(socket, events, patience)) {
      return failed(address, fmt::format("nothing came for {} ms", patience.count()));
    }
    const ssize_t count = call();
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EAGAIN && errno != EINTR) {
      return failed(address, std::generic_category().message(errno));
    }
  }
}

Status send_all(const Descriptor& socket, std::string_view text, const std::string& address,
                std::chrono::milliseconds patience) {
  while (!text.empty()) {
    const auto count = once(socket, POLLOUT, address, patience, [&] {
      return ::send(socket.number(), text.data(), text.size(), MSG_NOSIGNAL);
    });
    if (!count) return count.error();
    text.remove_prefix(*count);
  }
  return {};
}

Result<std::string> receive_all(const Descriptor& socket, const std::string& address,
                                std::chrono::milliseconds patience) {
  std::string all;
  char buffer[16384];
  while (all.size() < kAnswerBytesMax) {
    const auto count = once(socket, POLLIN, address, patience,
                            [&] { return ::recv(socket.number(), buffer, sizeof buffer, 0); });
    if (!count) return count.error();
    if (*count == 0) return all;
    all.append(buffer, *count);
  }
  return failed(address, "its answer is too long");
}

/// "HTTP/1.1 202 Accepted", headers, an empty line, the body.
Result<HttpAnswer> parse(const std::string& text, const std::string& address) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  HttpAnswer answer;
  const std::size_t end = text.find("\r\n\r\n");
  const char* const status = text.data() + std::min(kVersion.size(), text.size());
  const auto [after, error] = std::from_chars(status, text.data() + text.size(), answer.status);
  if (!text.starts_with(kVersion) || end == std::string::npos || error != std::errc()) {
    return failed(address, "what answers there does not speak HTTP");
  }
  answer.body = text.substr(end + 4);
  return answer;
}

}  // namespace

std::string encode_query(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

Result<HttpAnswer> http_ask(const std::string& method, const std::string& address,
                            const std::string& target, std::chrono::milliseconds patience) {
  const auto socket = connect_socket(address, Code::source_failed);
  if (!socket) return socket.error();
  const std::string request =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nX-Millrace: 1\r\nConnection: close\r\n\r\n",
                  method, target, address);
  if (Status status = send_all(*socket, request, address, patience); !status) return status;
  const auto text = receive_all(*socket, address, patience);
  if (!text) return text.error();
  return parse(*text, address);
}

}  // namespace millrace::detail
