// @NAME@: counts visits a page, live.
//
// Two lines to edit: what a record is (1), and where records come from (2).
#include <millrace/millrace.hpp>
using namespace millrace;

struct Visit { Timestamp time; std::string_view page; std::int64_t ms; };  // 1: the fields you need

int main(int argc, char** argv) {
  Topology topology("@NAME@");
  topology
      .from(json_lines<Visit>("visits.jsonl", {.repeat = true}))  // 2: your file; "-": stdin
      .event_time(&Visit::time, {.out_of_order = 5s, .lap = 1h})  // lap: a repeated file moves on
      .key_by(&Visit::page)
      .window(sliding(10min, 1min))
      .count()
      .top(10)
      .to(view("Busiest pages"));
  return run(topology, argc, argv, {.speed = 60});  // a minute of the file is a second here
}
