// What of a request is checked before anything answers it: whom it names, and its path.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::detail {

/// True for names that only ever mean this machine: against pages whose own name is pointed at
/// 127.0.0.1. `host` is a Host header, with or without a port.
bool names_this_machine(std::string_view host);

/// The path of a request target, percent-decoded, without the query; nullopt when it is not one.
std::optional<std::string> decode_path(std::string_view target);

/// The names and values of a request target's query in its order, percent-decoded, with '+' for a
/// space; empty without a query; nullopt when it is malformed.
std::optional<std::vector<std::pair<std::string, std::string>>> decode_query(
    std::string_view target);

}  // namespace millrace::detail
