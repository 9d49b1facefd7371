// Addresses, connecting within a time limit, listening.
#include "env/posix_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace millrace::detail {
namespace {

constexpr int kConnectMs = 5'000;
constexpr std::string_view kUnix = "unix:";

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

Status refused(Code code, const std::string& address, std::string_view what, std::string_view why,
               std::string_view advice) {
  return Status(code, fmt::format("\"{}\" {}: {}; {}", address, what, why, advice));
}

std::string words(int error) { return std::generic_category().message(error); }

Result<std::vector<Address>> unix_address(const std::string& address, Code code) {
  const std::string path = address.substr(kUnix.size());
  Address found;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof to.sun_path) {
    return refused(code, address, "is no address",
                   fmt::format("the path has {} bytes", path.size()),
                   fmt::format("give one of 1 to {}", sizeof to.sun_path - 1));
  }
  std::memcpy(to.sun_path, path.data(), path.size());
  std::memcpy(&found.bytes, &to, sizeof to);
  found.size = sizeof to;
  return std::vector{found};
}

Result<std::vector<Address>> addresses_of(const std::string& address, bool listens, Code code) {
  if (address.starts_with(kUnix)) return unix_address(address, code);
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size()) {
    return refused(code, address, "is no address", "there is no port",
                   "write HOST:PORT, as 127.0.0.1:9000, or unix:PATH");
  }
  // The system would take a greater number modulo 65536.
  const std::string port = address.substr(colon + 1);
  if (port.find_first_not_of("0123456789") != std::string::npos || port.size() > 5 ||
      std::stoul(port) > 65'535) {
    return refused(code, address, "is no address", fmt::format("\"{}\" is no port", port),
                   "give one from 1 to 65535, as in 127.0.0.1:9000");
  }
  std::string host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (listens ? AI_PASSIVE : 0);
  addrinfo* list = nullptr;
  const int failed =
      ::getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &hints, &list);
  if (failed != 0) {
    return refused(code, address, "is no address", ::gai_strerror(failed),
                   "write HOST:PORT, as 127.0.0.1:9000, or unix:PATH");
  }
  std::vector<Address> found;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    Address& to = found.emplace_back();
    std::memcpy(&to.bytes, at->ai_addr, at->ai_addrlen);
    to.size = at->ai_addrlen;
  }
  ::freeaddrinfo(list);
  return found;
}

Descriptor new_socket(const Address& to) {
  return {::socket(to.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), true};
}

/// What to do when an address cannot be listened on.
std::string_view advice_for(int error) {
  switch (error) {
    case EADDRNOTAVAIL:
      return "listen on an address of this machine: 127.0.0.1 for programs on it, 0.0.0.0 for all";
    case ENOENT:
    case ENOTDIR:
      return "make the folder first, and check the path";
    case EACCES:
    case EPERM:
      return "choose a port from 1024 on, or a path where this user may write";
    default:
      return "end what listens there, or choose another port or path";
  }
}

/// 0, or the error.
int connect_to(const Descriptor& socket, const Address& to) {
  const auto* address = reinterpret_cast<const sockaddr*>(&to.bytes);
  if (::connect(socket.number(), address, to.size) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd wanted{socket.number(), POLLOUT, 0};
  int found = 0;
  while ((found = ::poll(&wanted, 1, kConnectMs)) < 0 && errno == EINTR) {
  }
  if (found == 0) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket.number(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

/// A file that an ended listener left: nobody answers there.
void remove_stale(const Address& to, const std::string& address) {
  const Descriptor probe = new_socket(to);
  if (probe.number() >= 0 && connect_to(probe, to) == ECONNREFUSED) {
    ::unlink(address.c_str() + kUnix.size());
  }
}

}  // namespace

ListeningSocket::~ListeningSocket() {
  if (!file_.empty() && socket_.number() >= 0) ::unlink(file_.c_str());
}

Descriptor ListeningSocket::accept() {
  return {::accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK), true};
}

Result<Descriptor> connect_socket(const std::string& address, Code code) {
  Result<std::vector<Address>> found = addresses_of(address, false, code);
  if (!found) return found.error();
  int error = ECONNREFUSED;
  for (const Address& to : *found) {
    Descriptor socket = new_socket(to);
    error = socket.number() < 0 ? errno : connect_to(socket, to);
    if (error != 0) continue;
    const int one = 1;  // lines are gathered before they are sent
    ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return socket;
  }
  return refused(code, address, "cannot be connected", words(error),
                 "start the program that listens there first, and check the address");
}

Result<ListeningSocket> listen_socket(const std::string& address, Code code) {
  Result<std::vector<Address>> found = addresses_of(address, true, code);
  if (!found) return found.error();
  const Address& to = found->front();
  const bool is_unix = to.bytes.ss_family == AF_UNIX;
  if (is_unix) remove_stale(to, address);
  Descriptor socket = new_socket(to);
  const int one = 1;
  ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&to.bytes), to.size) != 0 ||
      ::listen(socket.number(), SOMAXCONN) != 0) {
    const int error = errno;
    return refused(code, address, "cannot be listened on", words(error), advice_for(error));
  }
  return ListeningSocket(std::move(socket), is_unix ? address.substr(kUnix.size()) : std::string());
}

}  // namespace millrace::detail
