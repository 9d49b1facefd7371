// A request, and its answer as JSON.
#include "page_asking.hpp"

#include <chrono>

#include <fmt/format.h>

#include "net/http_client.hpp"

namespace millrace::apps {
namespace {

constexpr std::chrono::milliseconds kPatience{30'000};

}  // namespace

std::uint64_t PageReply::number(const char* name) const {
  std::uint64_t found = 0;
  if (json[name].get(found)) return 0;
  return found;
}

std::string PageReply::text(const char* name) const {
  std::string_view found;
  if (json[name].get(found)) return {};
  return std::string(found);
}

std::string page_address(std::string_view given) {
  constexpr std::string_view kScheme = "http://";
  if (given.starts_with(kScheme)) given.remove_prefix(kScheme.size());
  return std::string(given.substr(0, given.find('/')));
}

Status ask_page(const std::string& method, const std::string& address, const std::string& target,
                PageReply& reply) {
  const auto got = detail::http_ask(method, address, target, kPatience);
  if (!got) return got.error();
  reply.status = got->status;
  if (reply.parser.parse(simdjson::padded_string(got->body)).get(reply.json)) {
    return {Code::source_failed,
            fmt::format("what answers at \"{}\" is no page of Millrace: give the address that a "
                        "running topology has told",
                        address)};
  }
  return {};
}

}  // namespace millrace::apps
