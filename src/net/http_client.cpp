// A request and its answer over a connection of its own.
#include "net/http_client.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace millrace::detail {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr std::uint64_t kAnswerBytesMax = 64u << 20;

Status failed(const std::string& address, const std::string& why) {
  return {Code::source_failed,
          fmt::format("\"{}\" gives no answer: {}; give the address of the page that a running "
                      "topology has told, as 127.0.0.1:8080",
                      address, why)};
}

/// One step of a conversation after the other, each of which may take so long.
class Conversation {
 public:
  explicit Conversation(std::chrono::milliseconds patience) : patience_(patience) {}

  /// HOST:PORT; HOST may be "[::1]".
  bool connect(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    std::string host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const auto found = tcp::resolver(io_).resolve(host, address.substr(colon + 1), error_);
    return !error_ && step([&](auto done) { stream_.async_connect(found, done); });
  }
  bool send(const http::request<http::empty_body>& request) {
    return step([&](auto done) { http::async_write(stream_, request, done); });
  }
  bool receive(http::response_parser<http::string_body>& answer) {
    return step([&](auto done) { http::async_read(stream_, buffer_, answer, done); });
  }
  std::string why() const { return error_.message(); }

 private:
  template <class Start>
  bool step(Start&& start) {
    stream_.expires_after(patience_);
    start([this](beast::error_code error, const auto&...) { error_ = error; });
    io_.restart();
    io_.run();
    return !error_;
  }

  std::chrono::milliseconds patience_;
  asio::io_context io_;
  beast::tcp_stream stream_{io_};
  beast::flat_buffer buffer_;
  beast::error_code error_;
};

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
  if (address.find(':') == std::string::npos) return failed(address, "it has no port");
  http::request<http::empty_body> request(http::string_to_verb(method), target, 11);
  request.set(http::field::host, address);
  request.set("X-Millrace", "1");
  request.keep_alive(false);
  http::response_parser<http::string_body> answer;
  answer.body_limit(kAnswerBytesMax);
  Conversation talk(patience);
  if (!talk.connect(address) || !talk.send(request) || !talk.receive(answer)) {
    return failed(address, talk.why());
  }
  return HttpAnswer{answer.get().result_int(), std::move(answer.get().body())};
}

}  // namespace millrace::detail
