// `millrace rescale`: asks over the page's interface, and waits until it is done.
#include "rescale_command.hpp"

#include <sysexits.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "host/host.hpp"
#include "net/http_client.hpp"
#include "page_asking.hpp"

namespace millrace::apps {
namespace {

constexpr const char* kHelp = R"(Other numbers of tasks for components of a topology that runs.

usage: millrace rescale ADDRESS COMPONENT=TASKS...

ADDRESS is that of its page, as 127.0.0.1:8080 or http://127.0.0.1:8080. Several components change
at once. The topology keeps running, must have a --state-dir, and stands still for a moment; the
command ends when it reads on. `millrace rebalance` is the same.
)";

constexpr std::chrono::milliseconds kLook{20};
constexpr const char* kPath = "/api/v1/rescale";

int invalid(const std::string& why) {
  return detail::report_error({Code::option_invalid, "rescale: " + why});
}

void print_changes(const PageReply& accepted, const PageReply& told) {
  simdjson::dom::array changes;
  if (accepted.json["changes"].get(changes)) return;
  for (const simdjson::dom::element change : changes) {
    fmt::print("rescaled \"{}\" from {} to {} tasks\n",
               std::string_view(change["component"].get_string().value_unsafe()),
               change["from"].get_uint64().value_unsafe(),
               change["tasks"].get_uint64().value_unsafe());
  }
  double stop_ms = 0;
  if (told.json["last_stop_ms"].get(stop_ms)) return;
  fmt::print("nothing was read for {:.1f} ms\n", stop_ms);
}

/// Until the request of this number is done or has failed.
int wait(const std::string& address, const PageReply& accepted) {
  const std::uint64_t number = accepted.number("number");
  for (;;) {
    PageReply told;
    if (Status status = ask_page("GET", address, kPath, told); !status) {
      return detail::report_error(status);
    }
    if (told.number("done") + told.number("failed") >= number) {
      const std::string why = told.text("last_failure");
      if (told.number("last_failed") == number) {
        fmt::print(stderr, "not rescaled, the topology goes on as before: {}\n", why);
        return EX_UNAVAILABLE;
      }
      print_changes(accepted, told);
      return EX_OK;
    }
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

int rescale_main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || words[0] == "--help" || words[0] == "-h") {
    std::fputs(kHelp, stdout);
    return words.empty() ? EX_USAGE : EX_OK;
  }
  const std::string address = page_address(words[0]);
  if (words.size() < 2) return invalid("give COMPONENT=TASKS behind the address");
  std::string query;
  for (std::size_t at = 1; at < words.size(); ++at) {
    const std::size_t equals = words[at].rfind('=');
    if (equals == std::string::npos || equals == 0) {
      return invalid(fmt::format("{} is no COMPONENT=TASKS, such as \"counts=4\"", words[at]));
    }
    query += fmt::format("{}component={}&tasks={}", at == 1 ? "?" : "&",
                         detail::encode_query(words[at].substr(0, equals)),
                         detail::encode_query(words[at].substr(equals + 1)));
  }
  PageReply accepted;
  if (Status status = ask_page("POST", address, kPath + query, accepted); !status) {
    return detail::report_error(status);
  }
  if (accepted.status >= 400) return invalid(accepted.text("error"));
  if (accepted.status == 202) return wait(address, accepted);
  fmt::print("nothing changes: the numbers of tasks are so already\n");
  return EX_OK;
}

}  // namespace millrace::apps
