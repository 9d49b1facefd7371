// http_ask: one request to the page's server of a run, for commands that change how it runs.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/status.hpp"

namespace millrace::detail {

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

/// `text` as a value of a query: all but letters, digits and "-._~" is percent-encoded.
std::string encode_query(std::string_view text);

/// Sends `method` ("GET", "POST") for `target` ("/api/v1/report") to `address` ("127.0.0.1:8080"),
/// with the header X-Millrace and without a body, and reads the answer. Blocks, `patience` at most
/// to connect, to send, and to read. Errors: 4001 nobody answers there, or not as HTTP says.
Result<HttpAnswer> http_ask(const std::string& method, const std::string& address,
                            const std::string& target, std::chrono::milliseconds patience);

}  // namespace millrace::detail
