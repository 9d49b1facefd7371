// Where the dead letters of a run are kept, and what the summary says of them.
#include <fmt/format.h>

#include "base/text.hpp"
#include "host/host.hpp"
#include "host/letter_replay.hpp"

namespace millrace::detail {

Result<DeadLetterSettings> dead_letter_settings(const Config& config, const std::string& folder,
                                                std::uint64_t bytes_max) {
  DeadLetterSettings settings;
  settings.folder = folder.empty() ? config.get<std::string>("topology.dead_letters", "") : folder;
  if (bytes_max != 0) settings.bytes_max = bytes_max;
  if (bytes_max != 0 || !config.has("topology.dead_letters_bytes")) return settings;
  const auto text = config.get<std::string>("topology.dead_letters_bytes");
  const auto bytes = parse_bytes(text);
  if (!bytes || *bytes < DeadLetterSettings::kBytesLeast) {
    return Status(Code::option_invalid,
                  fmt::format("topology.dead_letters_bytes is \"{}\": give a number of bytes of at "
                              "least 1M, such as 512M or 10G",
                              text));
  }
  settings.bytes_max = *bytes;
  return settings;
}

Result<std::string> dead_letters_to(const Config& config, const std::string& to) {
  constexpr const char* kSetting = "topology.dead_letters_to";
  const std::string target = to.empty() ? config.get<std::string>(kSetting, "") : to;
  if (target.empty()) return target;
  const char* const said_by = to.empty() ? kSetting : "--dead-letters-to";
  if (Status status = check_target(target, said_by); !status.ok()) return status;
  if (target != "-") return target;
  return Status(Code::option_invalid,
                fmt::format("{} -: give journal:DIR/TOPIC, or a file", said_by));
}

std::optional<SummaryPart> dead_letter_summary(const DeadLetterJournal* journal) {
  if (journal == nullptr) return std::nullopt;
  SummaryPart part;
  part.name = "dead_letters_kept";
  part.json = fmt::format("{{\"kept\":{},\"lost\":{},\"topic\":", journal->kept(), journal->lost());
  append_json_string(part.json, journal->topic());
  part.json += '}';
  part.text = fmt::format("dead letters kept: {}", journal->kept());
  if (journal->lost() > 0) part.text += fmt::format(", LOST: {}", journal->lost());
  if (journal->kept() > 0) {
    part.text += fmt::format("; `millrace dead-letters ls {}`", journal->settings().folder);
  }
  return part;
}

}  // namespace millrace::detail
