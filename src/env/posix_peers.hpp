// Sockets and child processes of this machine.
#pragma once

#include "env/env.hpp"

namespace millrace::detail {

/// TCP (plain) and Unix sockets, and /bin/sh. Any thread may open; what is opened belongs to one
/// thread.
///
/// A Unix socket's file is removed when its listener goes; one that nobody listens on any more is
/// replaced. A child gets the signals' default handling and an empty mask, whatever its parent has
/// blocked, and a process group of its own.
class PosixPeers final : public Peers {
 public:
  Result<std::unique_ptr<ByteReader>> connect_read(const std::string& address) override;
  Result<std::unique_ptr<ByteWriter>> connect_write(const std::string& address) override;
  Result<std::unique_ptr<Listener>> listen(const std::string& address) override;
  Result<std::unique_ptr<ByteWriter>> listen_write(const std::string& address, Log log) override;
  Result<std::unique_ptr<ByteReader>> exec_read(const std::string& command) override;
  Result<std::unique_ptr<ByteWriter>> exec_write(const std::string& command) override;
};

}  // namespace millrace::detail
