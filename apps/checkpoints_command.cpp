// `millrace checkpoints`: its commands, and those that say what there is and keep it: ls, describe,
// verify, save.
#include "checkpoints_command.hpp"

#include <sysexits.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time.hpp"
#include "checkpoint/checkpoint_store.hpp"
#include "checkpoints_show.hpp"
#include "host/host.hpp"
#include "host/version.hpp"

namespace millrace::apps {
namespace {

constexpr const char* kHelp = R"(What a topology keeps in its state folder: a file an epoch.

usage: millrace checkpoints ls DIR                 the epochs that are there
       millrace checkpoints describe DIR[@EPOCH]   what the newest, or that one, has of each
                                                   component
       millrace checkpoints show DIR[@EPOCH] [flags]
                                                   what is kept in it, entry by entry: a JSON
                                                   object a line
       millrace checkpoints verify DIR             reads every byte and lists all damage
       millrace checkpoints save DIR[@EPOCH] TO    keeps a copy of the newest, or that one, in the
                                                   folder TO, from which `--from TO` goes on

show:
  --component NAME  of this component only
  --state NAME      of the state of that name only, as describe lists them
  --key TEXT        of this key only, as it is shown; of a text without its quotes
  --limit N         the first N

Nothing in DIR is changed; a run may work with the folder meanwhile. What a topology would go on
from says `millrace plan FILE.yaml --against DIR`.
)";

int fail(const Status& status) { return detail::report_error(status); }

std::string bytes_of(const std::string& path) {
  const auto file = detail::real_disk().open(path, detail::DiskOpen::read);
  const auto bytes = file ? (*file)->bytes() : Result<std::uint64_t>(file.error());
  return bytes ? fmt::format("{}", *bytes) : "?";
}

/// Of an epoch: how many of changes are read on top of a whole one, itself included.
using ChainLengths = std::map<std::uint64_t, std::uint32_t>;

/// Of one that holds the changes of `base` (0: it is whole); nullopt: a file of the chain is
/// missing.
std::optional<std::uint32_t> chain_on(std::uint64_t base, const ChainLengths& before) {
  if (base == 0) return 0;
  const auto found = before.find(base);
  if (found == before.end()) return std::nullopt;
  return found->second + 1;
}

int list_main(const std::string& folder) {
  const auto files = detail::list_checkpoints(detail::real_disk(), folder);
  if (!files) return fail(files.error());
  fmt::print("{:>10}  {:<27} {:>14}  {:<21} {:<5} {:<9} {:<24} {}\n", "epoch", "taken at", "bytes",
             "holds", "chain", "input", "topology", "written by");
  int code = EX_OK;
  ChainLengths chains;
  for (const detail::CheckpointFileName& file : *files) {
    const auto head = detail::read_checkpoint_head(detail::real_disk(), file.path);
    if (!head) {
      code = fail(head.error());
      continue;
    }
    const std::string holds =
        head->base.epoch == 0 ? std::string("all") : fmt::format("changes of {}", head->base.epoch);
    const auto chain = chain_on(head->base.epoch, chains);
    if (chain) chains[head->epoch] = *chain;
    fmt::print("{:>10}  {:<27} {:>14}  {:<21} {:<5} {:<9} {:<24} {}\n", head->epoch,
               detail::format_iso_time(head->taken_at), bytes_of(file.path), holds,
               chain ? std::to_string(*chain) : "?", head->finished ? "ended" : "goes on",
               head->topology, head->program);
  }
  return code;
}

/// What an epoch has of a component, over its tasks.
struct ComponentFigures {
  std::uint32_t tasks = 0;
  std::vector<std::string> positions;
  std::size_t prepared = 0;
  /// By name: how many there are, their bytes, what they are.
  struct Parts {
    std::size_t count = 0;
    std::uint64_t bytes = 0;
    std::set<std::string> shapes;
  };
  std::map<std::string, Parts> parts;
};

std::map<std::string, ComponentFigures> figures_of(const detail::EpochImage& image) {
  std::map<std::string, ComponentFigures> figures;
  for (const detail::StageImage& stage : image.stages) {
    ComponentFigures& one = figures[stage.component];
    one.tasks = std::max(one.tasks, stage.tasks);
    one.prepared += stage.prepared.size();
    for (const detail::SourcePosition& position : stage.positions)
      one.positions.push_back(position.partition);
    for (const detail::StatePart& part : stage.parts) {
      ComponentFigures::Parts& parts = one.parts[part.name];
      ++parts.count;
      parts.bytes += part.size();
      parts.shapes.insert(part.shape);
    }
  }
  return figures;
}

void print(const detail::EpochImage& image) {
  fmt::print("epoch {} of {}, topology {}{}\n", image.epoch,
             detail::format_iso_time(image.taken_at), image.topology,
             image.finished ? ", its input has ended" : "");
  for (const auto& [name, figures] : figures_of(image)) {
    fmt::print("{}: {} task{}\n", name, figures.tasks, figures.tasks == 1 ? "" : "s");
    for (const std::string& partition : figures.positions) fmt::print("  read: {}\n", partition);
    if (figures.prepared > 0) fmt::print("  outputs to commit: {}\n", figures.prepared);
    for (const auto& [part, sum] : figures.parts) {
      fmt::print("  state {}: {} part{}, {} bytes {}\n", part, sum.count, sum.count == 1 ? "" : "s",
                 sum.bytes, fmt::join(sum.shapes, " "));
    }
  }
}

int describe_main(const std::string& from) {
  const auto image = detail::read_epoch(detail::real_disk(), detail::parse_epoch_name(from),
                                        {.leave_parts = true});
  if (!image) return fail(image.error());
  print(*image);
  return EX_OK;
}

int save_main(const std::string& from, const std::string& target) {
  const auto epoch = detail::save_epoch(detail::real_disk(), detail::parse_epoch_name(from), target,
                                        {detail::kVersion});
  if (!epoch) return fail(epoch.error());
  fmt::print("epoch {} is kept in {}: go on from it with --from {}\n", *epoch, target, target);
  return EX_OK;
}

int verify_main(const std::string& folder) {
  const auto verdict = detail::verify_checkpoints(detail::real_disk(), folder);
  if (!verdict) return fail(verdict.error());
  for (const Status& damage : verdict->damage) fail(damage);
  fmt::print("{} files, {} bytes, {} damaged\n", verdict->files, verdict->bytes,
             verdict->damage.size());
  return verdict->damage.empty() ? EX_OK : detail::exit_code(verdict->damage.front());
}

}  // namespace

int checkpoints_main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const std::string command = words.empty() ? "" : words.front();
  const bool helps = std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word == "--help" || word == "-h";
  });
  if (command == "show" && !helps) return checkpoints_show_main(argc - 1, argv + 1);
  for (const std::string& word : words) {
    if (word == "--help" || word == "-h") {
      std::fputs(kHelp, stdout);
      return EX_OK;
    }
    if (!word.starts_with("-")) continue;
    return fail(
        {Code::option_unknown,
         fmt::format("{}: there is no such flag; `millrace checkpoints --help` tells more", word)});
  }
  const std::vector<std::string> known = {"ls", "describe", "show", "verify", "save"};
  if (std::find(known.begin(), known.end(), command) == known.end()) {
    const std::string near = detail::nearest_word(command, known);
    return fail({Code::option_unknown,
                 command.empty()
                     ? "checkpoints: which command? ls, describe, show, verify or save"
                     : fmt::format("checkpoints {}: there is no such command{}; `millrace "
                                   "checkpoints --help` lists them",
                                   command, near.empty() ? "" : ": did you mean " + near + "?")});
  }
  const bool saves = command == "save";
  const bool of_epoch = saves || command == "describe";
  const std::size_t words_needed = saves ? 3 : 2;
  if (words.size() != words_needed) {
    return fail({Code::option_invalid,
                 fmt::format("checkpoints {0} needs {1}: millrace checkpoints {0} DIR{2}{3}",
                             command, saves ? "two folders" : "one folder",
                             of_epoch ? "[@EPOCH]" : "", saves ? " TO" : "")});
  }
  if (command == "ls") return list_main(words[1]);
  if (command == "describe") return describe_main(words[1]);
  return saves ? save_main(words[1], words[2]) : verify_main(words[1]);
}

}  // namespace millrace::apps
