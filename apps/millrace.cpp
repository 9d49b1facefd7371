// The program `millrace`: its subcommands.
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "ask_command.hpp"
#include "base/text.hpp"
#include "bench/bench.hpp"
#include "checkpoint_command.hpp"
#include "checkpoints_command.hpp"
#include "dead_letters_command.hpp"
#include "demo.hpp"
#include "host/host.hpp"
#include "host/out_of_memory.hpp"
#include "host/version.hpp"
#include "journal_command.hpp"
#include "new_program.hpp"
#include "program/program.hpp"
#include "rescale_command.hpp"
#include "test_case.hpp"

namespace {

constexpr const char* kHelp = R"(Millrace: real-time stream processing in one native program.

usage: millrace COMMAND [flags]

  demo          replay a real day of Wikipedia edits and watch it live on a page;
                demo posts: trends in a generated feed; demo machine: this computer, with
                alerts; demo --kill 10s: kill it again and again, and see what that loses
  run           run a topology written in YAML
  plan          print what a file's topology would run, and what of a state folder it would
                go on from
  validate      check topologies written in YAML: every mistake with its place
  schema        print the JSON schema of such files, for editors
  new           write a program of your own, ready to build and run
  test          run text tests: programs, their input and what must come of it
  journal       look into a journal, append to it, read it, verify it
  checkpoints   look into a state folder: ls, describe, show, verify, save
  checkpoint    make a checkpoint of a running topology now, and keep a copy
  rescale       give components of a running topology other numbers of tasks
  ask           ask the tables of a running topology: by key, prefix, range, window
  dead-letters  the records that runs have set aside: ls, show, replay
  bench         measure the engine against hand-written loops
  version       print the version
  help          print this

`millrace demo --help` and `millrace bench --help` list the flags. Programs of your own get the
flags of the demo from run(topology, argc, argv).
)";

int refuse(const std::string& word) {
  const std::vector<std::string> known = {
      "ask",          "demo",    "run",       "plan",        "validate",   "schema",
      "new",          "test",    "journal",   "checkpoints", "checkpoint", "savepoint",
      "dead-letters", "rescale", "rebalance", "bench",       "version",    "help"};
  const std::string near = millrace::detail::nearest_word(word, known);
  return millrace::detail::report_error(
      {millrace::Code::option_unknown, word + ": there is no such command" +
                                           (near.empty() ? "" : ": did you mean " + near + "?") +
                                           "; `millrace help` lists them"});
}

}  // namespace

int main(int argc, char** argv) {
  millrace::detail::exit_when_out_of_memory();
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "demo") return millrace::apps::demo_main(argc - 1, argv + 1);
  if (command == "run") return millrace::detail::run_file_main("millrace", {}, argc - 1, argv + 1);
  if (command == "plan") return millrace::detail::plan_main("millrace", {}, argc - 1, argv + 1);
  if (command == "validate")
    return millrace::detail::validate_main("millrace", {}, argc - 1, argv + 1);
  if (command == "schema") return millrace::detail::schema_main({});
  if (command == "new") return millrace::apps::new_main(argc - 1, argv + 1);
  if (command == "test") return millrace::apps::test_main(argc - 1, argv + 1);
  if (command == "journal") return millrace::apps::journal_main(argc - 1, argv + 1);
  if (command == "checkpoints") return millrace::apps::checkpoints_main(argc - 1, argv + 1);
  if (command == "ask") return millrace::apps::ask_main(argc - 1, argv + 1);
  if (command == "dead-letters") return millrace::apps::dead_letters_main(argc - 1, argv + 1);
  if (command == "checkpoint" || command == "savepoint")
    return millrace::apps::checkpoint_main(argc - 1, argv + 1);
  if (command == "rescale" || command == "rebalance")
    return millrace::apps::rescale_main(argc - 1, argv + 1);
  if (command == "bench") return millrace::bench::bench_main(argc - 1, argv + 1);
  if (command == "version" || command == "--version") {
    std::printf("millrace %s\n", millrace::detail::kVersion);
    return 0;
  }
  if (command.empty() || command == "help" || command == "--help" || command == "-h") {
    std::fputs(kHelp, stdout);
    return command.empty() ? 64 : 0;
  }
  return refuse(command);
}
