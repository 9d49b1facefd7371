// The parameters that say where bytes come from or go to: path, exec, connect, listen.
#pragma once

#include <string>
#include <vector>

#include "catalog/settings.hpp"
#include "connector/endpoint.hpp"

namespace millrace::detail {

/// Names of the parameters, of which one is given.
inline const std::vector<std::string>& endpoint_names() {
  static const std::vector<std::string> kNames = {"path", "exec", "connect", "listen"};
  return kNames;
}

inline std::vector<ParamInfo> endpoint_params(std::string path, std::string exec) {
  return {{.name = "path", .type = ParamType::text, .doc = std::move(path)},
          {.name = "exec", .type = ParamType::text, .doc = std::move(exec)},
          {.name = "connect",
           .type = ParamType::text,
           .doc = "a server, HOST:PORT or unix:PATH, without encryption"},
          {.name = "listen",
           .type = ParamType::text,
           .doc = "where clients connect, 127.0.0.1:PORT or unix:PATH, without encryption"}};
}

/// What the parameters say; of sources a path may be followed.
inline Endpoint endpoint_of(const Settings& settings, bool followed) {
  if (settings.has("exec")) return exec(settings.text("exec"));
  if (settings.has("connect")) return connect_to(settings.text("connect"));
  if (settings.has("listen")) return listen_on(settings.text("listen"));
  const std::string& path = settings.text("path");
  return followed ? follow(path) : Endpoint(path);
}

}  // namespace millrace::detail
