// A test of a topology: no threads, no waiting, an hour of clicks in milliseconds.
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"

using namespace millrace;

struct Click {
  std::string page;
  Timestamp at;
};

/// What main() of the real program declares, too.
auto declare(Topology& topology) {
  auto counts = topology.from(json_lines<Click>("clicks.jsonl"))
                    .named("clicks")
                    .event_time(&Click::at, {.out_of_order = 5s, .idle_after = 1min})
                    .key_by(&Click::page)
                    .window(tumbling(10min))
                    .count()
                    .named("counts");
  counts.to(view("Clicks by page"));
  return counts;
}

Click click(std::string page, std::int64_t second) {
  return {std::move(page), Timestamp{second * 1'000'000}};
}

int check(bool holds, const char* what) {
  std::printf("%s: %s\n", what, holds ? "ok" : "WRONG");
  return holds ? 0 : 1;
}

int main() {
  Topology topology("clicks");
  auto counts = declare(topology);
  TestDriver driver(topology);
  auto clicks = driver.input<Click>("clicks");  // in place of the file
  auto rows = driver.output(counts);

  clicks.pipe({click("home", 1), click("cart", 599), click("home", 604)});
  int wrong = check(rows.empty(), "the window waits for records that are 5 s late");
  clicks.pipe(click("home", 605));
  wrong += check(rows.read_all().size() == 2, "both pages have a row");
  clicks.pipe(click("home", 2));
  wrong += check(driver.late("counts") == 1, "an old click is late");

  for (int second = 606; second < 3600; ++second) clicks.pipe(click("home", second));
  clicks.end();
  wrong += check(rows.read_all().size() == 5, "the rest of the hour has five windows");
  return wrong == 0 ? 0 : 1;
}
