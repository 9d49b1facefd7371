// `millrace checkpoint`: asks over the page's interface, waits, and keeps a copy where asked.
#include "checkpoint_command.hpp"

#include <sysexits.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "checkpoint/checkpoint_store.hpp"
#include "host/host.hpp"
#include "host/version.hpp"
#include "page_asking.hpp"

namespace millrace::apps {
namespace {

constexpr const char* kHelp = R"(A checkpoint of a topology that runs, now.

usage: millrace checkpoint ADDRESS [TO]

ADDRESS is that of its page, as 127.0.0.1:8080 or http://127.0.0.1:8080; the topology must have a
--state-dir. All that it had read before is in the checkpoint, whose number is printed when it is
complete. TO is a folder that is made and gets a copy, which no run removes; a run with --from TO
goes on from there. `millrace savepoint` is the same.
)";

constexpr std::chrono::milliseconds kLook{20};
constexpr const char* kPath = "/api/v1/checkpoint";

int invalid(const std::string& why) {
  return detail::report_error({Code::option_invalid, "checkpoint: " + why});
}

int keep_copy(const std::string& folder, std::uint64_t epoch, const std::string& target) {
  const auto kept = detail::save_epoch(detail::real_disk(), {folder, epoch}, target,
                                       {detail::kVersion, false, false});
  if (!kept) return detail::report_error(kept.error());
  fmt::print("epoch {} is kept in {}\n", *kept, target);
  return EX_OK;
}

/// Until the request of this number is over.
int wait(const std::string& address, std::uint64_t number, const std::string& target) {
  for (;;) {
    PageReply told;
    if (Status status = ask_page("GET", address, kPath, told); !status) {
      return detail::report_error(status);
    }
    if (told.number("over") < number) {
      std::this_thread::sleep_for(kLook);
      continue;
    }
    if (told.number("last_failed") == number) {
      fmt::print(stderr, "no checkpoint, the topology goes on: {}\n", told.text("last_failure"));
      return EX_UNAVAILABLE;
    }
    const std::string folder = told.text("folder");
    fmt::print("epoch {} is complete in {}\n", told.number("epoch"), folder);
    return target.empty() ? EX_OK : keep_copy(folder, told.number("epoch"), target);
  }
}

}  // namespace

int checkpoint_main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || words[0] == "--help" || words[0] == "-h") {
    std::fputs(kHelp, stdout);
    return words.empty() ? EX_USAGE : EX_OK;
  }
  if (words.size() > 2) return invalid("give the address of a page, and a folder for a copy");
  const std::string address = page_address(words[0]);
  PageReply accepted;
  if (Status status = ask_page("POST", address, kPath, accepted); !status) {
    return detail::report_error(status);
  }
  if (accepted.status >= 400) return invalid(accepted.text("error"));
  return wait(address, accepted.number("number"), words.size() > 1 ? words[1] : "");
}

}  // namespace millrace::apps
