// Topologies that are written as files.
#include "program/program.hpp"

#include <sysexits.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "catalog/catalog.hpp"
#include "host/host.hpp"
#include "yaml/yaml.hpp"

namespace millrace {
namespace detail {
namespace {

constexpr const char* kPropertyHelp =
    "NAME=VALUE: what ${NAME} in the file stands for; may be given several times";
constexpr const char* kValidateHelp =
    R"(Checks topologies written in YAML and says every mistake with its place.

usage: {0} validate FILE.yaml... [--property NAME=VALUE]...

Nothing runs. Exit code 0 when all is right, 78 when there is a mistake, 66 when a file cannot be
read. The format: docs/formats/topology-yaml.md; `{0} schema` prints its JSON schema.
)";

/// What the command line says besides the flags of every program.
struct FileArguments {
  std::vector<std::string> files;
  std::map<std::string, std::string> properties;
  std::vector<char*> flags;  ///< the rest, the program's word first
  bool help = false;
  Status wrong;
};

FileArguments read_arguments(int argc, char** argv) {
  FileArguments read;
  read.flags.push_back(argv[0]);
  for (int at = 1; at < argc; ++at) {
    std::string word = argv[at];
    if (word == "--help" || word == "-h") read.help = true;
    if (word == "--property" && at + 1 < argc) {
      word = std::string("--property=") + argv[++at];
    }
    constexpr std::string_view kFlag = "--property=";
    if (word.starts_with(kFlag)) {
      const std::size_t equals = word.find('=', kFlag.size());
      if (equals == word.npos || equals == kFlag.size()) {
        read.wrong = {Code::option_invalid,
                      fmt::format("--property {}: give NAME=VALUE", word.substr(kFlag.size()))};
      } else {
        read.properties[word.substr(kFlag.size(), equals - kFlag.size())] = word.substr(equals + 1);
      }
    } else if (!word.starts_with("-") && read.flags.size() == 1) {
      read.files.push_back(word);  // behind the first flag a word is that flag's value
    } else {
      read.flags.push_back(argv[at]);
    }
  }
  return read;
}

/// Prints the mistakes; the exit code.
int report(const std::string& path, const Mistakes& mistakes) {
  const auto found = mistakes.sorted();
  for (const Mistake& mistake : found) {
    std::fputs(render(mistake).c_str(), stderr);
  }
  std::fprintf(stderr, "%s: %zu mistake%s\n", path.c_str(), found.size(),
               found.size() == 1 ? "" : "s");
  return EX_CONFIG;
}

/// A file's topology and the flags of every program, as `run` and `plan` take them.
struct FileCommand {
  std::optional<ReadTopology> read;
  HostOptions options;
  std::optional<int> ends_with;  ///< the exit code, when there is nothing to run
};

FileCommand read_command(const std::string& program, const std::string& word,
                         const std::string& purpose, const Components& own, int argc, char** argv,
                         std::vector<OwnFlag> flags) {
  FileCommand command;
  const auto ends = [&command](int code) {
    command.ends_with = code;
    return std::move(command);
  };
  FileArguments arguments = read_arguments(argc, argv);
  std::string ignored;
  flags.push_back({"--property", &ignored, kPropertyHelp});
  auto parsed =
      parse_options(fmt::format("{} {} FILE.yaml", program, word), purpose,
                    static_cast<int>(arguments.flags.size()), arguments.flags.data(), {}, flags);
  if (!parsed) return ends(report_error(parsed.error()));
  if (parsed->help) {
    std::fputs(parsed->help_text.c_str(), stdout);
    return ends(0);
  }
  if (!arguments.wrong) return ends(report_error(arguments.wrong));
  if (arguments.files.size() != 1) {
    return ends(
        report_error({Code::option_invalid, fmt::format("{0} {1} needs one file before its flags: "
                                                        "{0} {1} FILE.yaml [flags]",
                                                        program, word)}));
  }
  const auto entries = entries_with(own);
  if (!entries) return ends(report_error(entries.error()));
  const std::string& path = arguments.files.front();
  const FileAccess access = file_access(arguments.properties);
  if (const auto text = access.read(path); !text) return ends(report_error(text.error()));
  command.read = read_and_build(path, access, *entries);
  command.options = std::move(parsed->options);
  if (!command.read->mistakes.empty()) return ends(report(path, command.read->mistakes));
  return command;
}

}  // namespace

int run_file_main(const std::string& program, const Components& own, int argc, char** argv) {
  FileCommand command = read_command(
      program, "run", "Runs a topology written in YAML (docs/formats/topology-yaml.md).", own, argc,
      argv, {});
  if (command.ends_with) return *command.ends_with;
  return run_with(command.read->topology, command.options, {});
}

int plan_main(const std::string& program, const Components& own, int argc, char** argv) {
  std::string against;
  FileCommand command = read_command(
      program, "plan",
      "Prints what a topology written in YAML would run, and what of a state folder would go to "
      "which of its components. Nothing runs.",
      own, argc, argv,
      {{"--against", &against,
        "DIR, a state folder: what `run --state-dir` would go on from there; or DIR@EPOCH: what "
        "`--from` would"}});
  if (command.ends_with) return *command.ends_with;
  if (!against.empty())
    return plan_against(command.read->topology, against, command.options.state_access.allow_drop);
  command.options.explain = true;
  return run_with(command.read->topology, command.options, {});
}

int validate_main(const std::string& program, const Components& own, int argc, char** argv) {
  const FileArguments arguments = read_arguments(argc, argv);
  if (arguments.help) {
    std::fputs(fmt::format(kValidateHelp, program).c_str(), stdout);
    return 0;
  }
  if (!arguments.wrong) return report_error(arguments.wrong);
  if (arguments.files.empty() || arguments.flags.size() > 1) {
    return report_error(
        {Code::option_invalid,
         fmt::format("{0} validate needs files: {0} validate FILE.yaml...", program)});
  }
  const auto entries = entries_with(own);
  if (!entries) return report_error(entries.error());
  const FileAccess access = file_access(arguments.properties);
  int code = 0;
  for (const std::string& path : arguments.files) {
    if (const auto text = access.read(path); !text) {
      code = report_error(text.error());
      continue;
    }
    const ReadTopology read = read_and_build(path, access, *entries);
    if (!read.mistakes.empty()) {
      code = report(path, read.mistakes);
    } else {
      std::printf("%s: right: spouts %zu, bolts %zu, streams %zu\n", path.c_str(),
                  read.file.spouts.size(), read.file.bolts.size(), read.file.streams.size());
    }
  }
  return code;
}

int schema_main(const Components& own) {
  const auto entries = entries_with(own);
  if (!entries) return report_error(entries.error());
  std::fputs(json_schema(*entries).c_str(), stdout);
  return 0;
}

}  // namespace detail

int run_files(const Components& own, int argc, char** argv) {
  const std::string program = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "";
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "run") return detail::run_file_main(program, own, argc - 1, argv + 1);
  if (command == "plan") return detail::plan_main(program, own, argc - 1, argv + 1);
  if (command == "validate") return detail::validate_main(program, own, argc - 1, argv + 1);
  if (command == "schema") return detail::schema_main(own);
  return detail::report_error(
      {Code::option_invalid,
       fmt::format("say what to do: {0} run FILE.yaml, {0} plan FILE.yaml, {0} validate FILE.yaml "
                   "or {0} schema",
                   program)});
}

}  // namespace millrace
