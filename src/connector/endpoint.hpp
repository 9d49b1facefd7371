// Endpoint: where bytes come from or go to: a file, a log that grows, a socket, a command.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>

namespace millrace {

namespace detail {
enum class EndpointKind : std::uint8_t { file, follow, exec, connect, listen };
}

/// A path by itself, or what follow(), exec(), connect_to() and listen_on() return.
struct Endpoint {
  detail::EndpointKind kind = detail::EndpointKind::file;
  std::string text;

  Endpoint(const char* path) : text(path) {}             // NOLINT: implicit
  Endpoint(std::string path) : text(std::move(path)) {}  // NOLINT
  /// A std::filesystem::path, whose header costs every program a quarter of a second.
  template <class Path>
    requires requires(const Path& path) {
      { path.string() } -> std::same_as<std::string>;
    }
  Endpoint(const Path& path) : text(path.string()) {}  // NOLINT
  Endpoint(detail::EndpointKind of, std::string what) : kind(of), text(std::move(what)) {}
};

/// A file that grows: read from its begin, and then what is added, through rotations (renamed and
/// made anew, or emptied in place). Never ends. See docs/guides/how-to-follow-logs.md.
inline Endpoint follow(std::string path) { return {detail::EndpointKind::follow, std::move(path)}; }
/// A shell command: what it prints, or, of a sink, what it reads. As a source it fails when the
/// command does; as a sink it ends the command's input and waits for its end.
inline Endpoint exec(std::string command) {
  return {detail::EndpointKind::exec, std::move(command)};
}
/// A server of lines, "HOST:PORT" or "unix:PATH", without encryption. It must be there when the
/// topology starts; the stream ends when it closes the connection. A sink waits for a slow reader,
/// and fails when the reader goes.
inline Endpoint connect_to(std::string address) {
  return {detail::EndpointKind::connect, std::move(address)};
}
/// Clients that connect, at most 256 at a time, without encryption or passwords: listen on
/// "127.0.0.1:PORT" or "unix:PATH" where others must not. A source never ends, its clients may come
/// and go; lines are at most 1 MiB. A sink sends every line to every client that is there; one that
/// falls 4 MiB behind is disconnected.
inline Endpoint listen_on(std::string address) {
  return {detail::EndpointKind::listen, std::move(address)};
}

}  // namespace millrace
