// Bytes from and to sockets, one peer or many.
#include "env/posix_peers.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "env/posix_child.hpp"
#include "env/posix_messages.hpp"
#include "env/posix_socket.hpp"

namespace millrace::detail {
namespace {

class SocketReader final : public ByteReader {
 public:
  SocketReader(Descriptor socket, std::string address)
      : socket_(std::move(socket)), address_(std::move(address)) {}

  Result<std::size_t> read(char* buffer, std::size_t capacity) override {
    for (;;) {
      const ssize_t count = ::recv(socket_.number(), buffer, capacity, 0);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno == EAGAIN || errno == EWOULDBLOCK) return kNotReady;
      if (errno != EINTR)
        return failure(Code::source_failed, address_, true, "cannot be read", errno);
    }
  }

 private:
  Descriptor socket_;
  std::string address_;
};

class SocketWriter final : public ByteWriter {
 public:
  SocketWriter(Descriptor socket, std::string address)
      : socket_(std::move(socket)), address_(std::move(address)) {}

  Status write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count =
          ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (!room_.wait(socket_.number())) {
          return RoomToWrite::nobody_reads(fmt::format("the connection to \"{}\"", address_));
        }
      } else if (errno != EINTR) {
        return failure(Code::sink_failed, address_, false, "cannot be written", errno);
      }
    }
    return {};
  }
  Status flush() override { return {}; }
  void give_up() override { room_.give_up(); }

 private:
  Descriptor socket_;
  std::string address_;
  RoomToWrite room_;
};

class SocketListener final : public Listener {
 public:
  SocketListener(ListeningSocket socket, std::string address)
      : socket_(std::move(socket)), address_(std::move(address)) {}

  Result<std::unique_ptr<ByteReader>> accept() override {
    Descriptor client = socket_.accept();
    if (client.number() < 0) return std::unique_ptr<ByteReader>();
    return std::unique_ptr<ByteReader>(std::make_unique<SocketReader>(std::move(client), address_));
  }

 private:
  ListeningSocket socket_;
  std::string address_;
};

/// Each client has what it did not take yet; a slow one loses its connection, never the stream.
class BroadcastWriter final : public ByteWriter {
 public:
  BroadcastWriter(ListeningSocket socket, std::string address, Log log)
      : socket_(std::move(socket)), address_(std::move(address)), log_(log) {}

  Status write(std::string_view bytes) override {
    take_clients();
    for (Client& client : clients_) client.waiting.append(bytes);
    send_some();
    return {};
  }
  Status flush() override {
    take_clients();
    send_for(std::chrono::milliseconds(100));
    return {};
  }
  Status close() override {
    send_for(std::chrono::seconds(2));
    clients_.clear();
    return {};
  }

 private:
  static constexpr std::size_t kBehindBytesMax = 4u << 20;
  static constexpr std::size_t kClientsMax = 256;
  struct Client {
    std::unique_ptr<Descriptor> socket;
    std::string waiting;
  };

  void take_clients() {
    for (;;) {
      auto socket = std::make_unique<Descriptor>(socket_.accept());
      if (socket->number() < 0) return;
      if (clients_.size() < kClientsMax) {
        clients_.push_back({std::move(socket), {}});
      } else {
        log_(LogLevel::warn, "client-refused",
             fmt::format("address={} has {} clients already", address_, kClientsMax));
      }
    }
  }

  /// False when the client is gone or too far behind.
  bool send_to(Client& client) {
    std::string_view rest = client.waiting;
    while (!rest.empty()) {
      const ssize_t count =
          ::send(client.socket->number(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return false;
      if (count < 0) break;
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
    client.waiting.erase(0, client.waiting.size() - rest.size());
    if (rest.size() <= kBehindBytesMax) return true;
    log_(LogLevel::warn, "client-too-slow",
         fmt::format("address={} a client is {} bytes behind and was disconnected", address_,
                     rest.size()));
    return false;
  }
  void send_some() {
    std::erase_if(clients_, [this](Client& client) { return !send_to(client); });
  }
  void send_for(std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    for (;;) {
      send_some();
      std::vector<pollfd> waiting;
      for (const Client& client : clients_) {
        if (!client.waiting.empty()) waiting.push_back({client.socket->number(), POLLOUT, 0});
      }
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          end - std::chrono::steady_clock::now());
      if (waiting.empty() || left.count() <= 0) return;
      ::poll(waiting.data(), waiting.size(), static_cast<int>(left.count()));
    }
  }

  ListeningSocket socket_;
  std::string address_;
  Log log_;
  std::vector<Client> clients_;
};

}  // namespace

Result<std::unique_ptr<ByteReader>> PosixPeers::connect_read(const std::string& address) {
  Result<Descriptor> socket = connect_socket(address, Code::source_failed);
  if (!socket) return socket.error();
  return std::unique_ptr<ByteReader>(std::make_unique<SocketReader>(*std::move(socket), address));
}

Result<std::unique_ptr<ByteWriter>> PosixPeers::connect_write(const std::string& address) {
  Result<Descriptor> socket = connect_socket(address, Code::sink_failed);
  if (!socket) return socket.error();
  return std::unique_ptr<ByteWriter>(std::make_unique<SocketWriter>(*std::move(socket), address));
}

Result<std::unique_ptr<Listener>> PosixPeers::listen(const std::string& address) {
  Result<ListeningSocket> socket = listen_socket(address, Code::source_failed);
  if (!socket) return socket.error();
  return std::unique_ptr<Listener>(std::make_unique<SocketListener>(*std::move(socket), address));
}

Result<std::unique_ptr<ByteWriter>> PosixPeers::listen_write(const std::string& address, Log log) {
  Result<ListeningSocket> socket = listen_socket(address, Code::sink_failed);
  if (!socket) return socket.error();
  return std::unique_ptr<ByteWriter>(
      std::make_unique<BroadcastWriter>(*std::move(socket), address, log));
}

Result<std::unique_ptr<ByteReader>> PosixPeers::exec_read(const std::string& command) {
  return read_from_child(command);
}

Result<std::unique_ptr<ByteWriter>> PosixPeers::exec_write(const std::string& command) {
  return write_to_child(command);
}

}  // namespace millrace::detail
