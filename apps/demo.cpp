// `millrace demo NAME`: finds the demo.
#include "demo.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "host/host.hpp"

namespace millrace::apps {
namespace {

struct Demo {
  const char* name;
  int (*main)(int argc, char** argv);
};
constexpr Demo kDemos[] = {{"posts", posts_demo_main}, {"machine", machine_demo_main}};

int refuse(const std::string& name) {
  std::vector<std::string> known;
  for (const Demo& demo : kDemos) known.emplace_back(demo.name);
  const std::string near = detail::nearest_word(name, known);
  return detail::report_error(
      {Code::option_unknown, name + ": there is no such demo" +
                                 (near.empty() ? "" : ": did you mean " + near + "?") +
                                 "; `millrace demo --help` lists them"});
}

bool asks_for_kills(int argc, char** argv) {
  return std::any_of(argv, argv + argc, [](std::string_view word) {
    return word == "--kill" || word.starts_with("--kill=");
  });
}

int refuse_kills(const std::string& name) {
  return detail::report_error(
      {Code::option_unknown, "--kill: demo " + name +
                                 " has no oracle that could count what a kill loses; `millrace "
                                 "demo --kill 10s`, the day of edits, has one"});
}

}  // namespace

int demo_main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  if (name.empty() || name.front() == '-') return edits_demo_main(argc, argv);
  for (const Demo& demo : kDemos) {
    if (name != demo.name) continue;
    return asks_for_kills(argc, argv) ? refuse_kills(name) : demo.main(argc - 1, argv + 1);
  }
  return refuse(name);
}

}  // namespace millrace::apps
