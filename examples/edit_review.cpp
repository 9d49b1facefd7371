// Edits of Wikipedia that are judged before they are shown: by a slow outside service with a
// deadline, and beside the names of their wikis from an outside store.
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "millrace/millrace.hpp"

using namespace millrace;

struct Edit {
  Timestamp time;
  std::string_view channel;
  std::string_view page;
  std::string_view user;
  std::int64_t delta = 0;
};

struct Verdict {
  std::string_view channel;  // texts of the edit may be passed on
  std::string_view page;
  std::string verdict;
};

/// Stands for a service over the network: it needs a millisecond, for some users far too long.
struct Reviewer {
  Verdict operator()(const Edit& edit) {
    const bool hangs = edit.user.size() > 30;
    std::this_thread::sleep_for(std::chrono::milliseconds(hangs ? 400 : 1));
    return {edit.channel, edit.page, edit.delta > 5'000 ? "large" : "fine"};
  }
};

/// Stands for a database that is asked for several keys at once.
std::vector<std::optional<std::string>> languages(std::span<const std::string> channels) {
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::vector<std::optional<std::string>> found;
  for (const std::string& channel : channels) {
    if (channel == "#de.wikipedia") {
      found.push_back("German");
    } else if (channel == "#en.wikipedia") {
      found.push_back("English");
    } else {
      found.push_back(std::nullopt);
    }
  }
  return found;
}

struct Shown {
  std::string language;  // its own: the row that it comes from goes
  std::string_view page;
  std::string verdict;
};

int main(int argc, char** argv) {
  Topology edits("edit review");
  edits.from(json_lines<Edit>("data/wikipedia-edits/wikiticker-2015-09-12-sampled.json.gz"))
      .event_time(&Edit::time)
      .call(Reviewer{}, {.in_flight_max = 64, .time_out = 200ms, .threads = 16},
            [](const Edit& edit) { return Verdict{edit.channel, edit.page, "nobody looked"}; })
      .named("review")
      .lookup(&Verdict::channel, languages, {.cache_max = 100, .expire = 10min})
      .named("languages")
      .filter([](const auto& row) { return row.record.verdict != "fine"; })
      .map([](const LookedUp<Verdict, std::string>& row) {
        return Shown{row.value.value_or(std::string(row.record.channel)), row.record.page,
                     row.record.verdict};
      })
      .to(print());
  return run(edits, argc, argv);
}
