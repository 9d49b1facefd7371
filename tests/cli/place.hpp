// place: how the tests name places on a command line.
#pragma once

#include <string>
#include <string_view>

#include "millrace/millrace.hpp"

/// "follow:x", "exec:x", "connect:x", "listen:x", or a path.
inline millrace::Endpoint place(const std::string& text) {
  const auto rest = [&text](std::string_view kind) { return text.substr(kind.size()); };
  if (text.starts_with("follow:")) return millrace::follow(rest("follow:"));
  if (text.starts_with("exec:")) return millrace::exec(rest("exec:"));
  if (text.starts_with("connect:")) return millrace::connect_to(rest("connect:"));
  if (text.starts_with("listen:")) return millrace::listen_on(rest("listen:"));
  return text;
}
