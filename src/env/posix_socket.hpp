// Addresses and sockets: what connecting and listening have in common.
#pragma once

#include <memory>
#include <string>

#include "base/status.hpp"
#include "env/posix_descriptor.hpp"

namespace millrace::detail {

/// A listening socket; removes its Unix socket's file when it goes.
class ListeningSocket {
 public:
  ListeningSocket(Descriptor socket, std::string file)
      : socket_(std::move(socket)), file_(std::move(file)) {}
  ListeningSocket(ListeningSocket&&) noexcept = default;
  ~ListeningSocket();

  /// The next client, not blocking; number() is -1 when there is none now.
  Descriptor accept();

 private:
  Descriptor socket_;
  std::string file_;
};

/// A connected, non-blocking socket. Errors: `code`, with address and reason.
Result<Descriptor> connect_socket(const std::string& address, Code code);
Result<ListeningSocket> listen_socket(const std::string& address, Code code);

}  // namespace millrace::detail
