// `millrace rescale`: asks over the page's interface, and waits until it is done.
#include "rescale_command.hpp"

#include <simdjson.h>
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

namespace millrace::apps {
namespace {

constexpr const char* kHelp = R"(Other numbers of tasks for components of a topology that runs.

usage: millrace rescale ADDRESS COMPONENT=TASKS...

ADDRESS is that of its page, as 127.0.0.1:8080 or http://127.0.0.1:8080. Several components change
at once. The topology keeps running, must have a --state-dir, and stands still for a moment; the
command ends when it reads on. `millrace rebalance` is the same.
)";

constexpr std::chrono::milliseconds kPatience{30'000};
constexpr std::chrono::milliseconds kLook{20};
constexpr const char* kPath = "/api/v1/rescale";

int invalid(const std::string& why) {
  return detail::report_error({Code::option_invalid, "rescale: " + why});
}

/// HOST:PORT of what people give.
std::string address_of(std::string_view given) {
  constexpr std::string_view kScheme = "http://";
  if (given.starts_with(kScheme)) given.remove_prefix(kScheme.size());
  return std::string(given.substr(0, given.find('/')));
}

struct Answer {
  unsigned status = 0;
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  std::uint64_t number(const char* name) const {
    std::uint64_t found = 0;
    if (json[name].get(found)) return 0;
    return found;
  }
  std::string text(const char* name) const {
    std::string_view found;
    if (json[name].get(found)) return {};
    return std::string(found);
  }
};

Status ask(const std::string& method, const std::string& address, const std::string& target,
           Answer& answer) {
  const auto got = detail::http_ask(method, address, target, kPatience);
  if (!got) return got.error();
  answer.status = got->status;
  if (answer.parser.parse(simdjson::padded_string(got->body)).get(answer.json)) {
    return {Code::source_failed,
            fmt::format("what answers at \"{}\" is no page of Millrace: give the address that a "
                        "running topology has told",
                        address)};
  }
  return {};
}

void print_changes(const Answer& accepted, const Answer& told) {
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
int wait(const std::string& address, const Answer& accepted) {
  const std::uint64_t number = accepted.number("number");
  for (;;) {
    Answer told;
    if (Status status = ask("GET", address, kPath, told); !status) {
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
  const std::string address = address_of(words[0]);
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
  Answer accepted;
  if (Status status = ask("POST", address, kPath + query, accepted); !status) {
    return detail::report_error(status);
  }
  if (accepted.status >= 400) return invalid(accepted.text("error"));
  if (accepted.status == 202) return wait(address, accepted);
  fmt::print("nothing changes: the numbers of tasks are so already\n");
  return EX_OK;
}

}  // namespace millrace::apps
