// Fuzz target: bytes as what a client sends to the page's server, over a real connection.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http_server.hpp"

namespace {

using namespace millrace;
using namespace millrace::detail;

/// Aborts where a promise to the content is broken: only clean paths, POST only where it may be.
class Content final : public HttpContent {
 public:
  HttpResponse get(std::string_view path, const Query&) override {
    if (path.empty() || path.front() != '/') std::abort();
    HttpResponse response;
    response.body = path;
    return response;
  }
  HttpResponse post(std::string_view path,
                    const std::vector<std::pair<std::string, std::string>>&) override {
    if (path != "/post") std::abort();
    return {};
  }
  std::shared_ptr<const std::string> live_text() override {
    return std::make_shared<const std::string>("{}");
  }
};

HttpServer& server() {
  static Content content;
  static const auto running = [] {
    HttpOptions options;
    options.live_path = "/live";
    options.post_paths = {"/post"};
    options.header_timeout = std::chrono::milliseconds(1000);
    auto started = HttpServer::start(options, content, Log());
    if (!started) std::abort();
    return std::move(*started);
  }();
  return *running;
}

}  // namespace

/// Every answer begins as HTTP does, and every connection ends once its client has nothing more.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server().port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return 0;  // out of ports for a moment
  }
  (void)!::send(fd, data, size, MSG_NOSIGNAL);
  ::shutdown(fd, SHUT_WR);
  std::string answer;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = ::recv(fd, buffer, sizeof buffer, 0)) > 0)
    answer.append(buffer, static_cast<std::size_t>(count));
  const bool hangs = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  ::close(fd);
  if (hangs) std::abort();
  if (!answer.empty() && !answer.starts_with("HTTP/1.1 ")) std::abort();
  return 0;
}
