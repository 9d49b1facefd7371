// Asking the page of a topology that runs, for commands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "base/status.hpp"

namespace millrace::apps {

/// What a page said, in JSON.
struct PageReply {
  unsigned status = 0;
  simdjson::dom::parser parser;
  simdjson::dom::element json;

  /// 0 where there is none.
  std::uint64_t number(const char* name) const;
  /// Empty where there is none.
  std::string text(const char* name) const;
};

/// HOST:PORT of what people give: an address, or the URL of a page.
std::string page_address(std::string_view given);

/// At most 30 s. Errors: 4001, also when what answers is no page of Millrace.
Status ask_page(const std::string& method, const std::string& address, const std::string& target,
                PageReply& reply);

}  // namespace millrace::apps
