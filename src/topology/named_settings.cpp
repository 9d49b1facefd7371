// The table of named settings, and reading them.
#include "topology/named_settings.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"

namespace millrace::detail {
namespace {

/// Of [least, most].
bool read_count(std::string_view text, std::int64_t least, std::int64_t most, std::int64_t& out) {
  return parse_setting(text, out) && out >= least && out <= most;
}

bool put_tries(std::string_view text, GraphSettings& settings) {
  std::int64_t tries = 0;
  if (!read_count(text, 1, 255, tries)) return false;
  settings.acks.tries_max = static_cast<int>(tries);
  return true;
}

bool put_pending(std::string_view text, GraphSettings& settings) {
  std::int64_t pending = 0;
  if (!read_count(text, 0, std::numeric_limits<int>::max(), pending)) return false;
  settings.acks.pending_max = static_cast<int>(pending);
  return true;
}

bool put_timeout(std::string_view text, GraphSettings& settings) {
  Duration timeout{0};
  if (!parse_setting(text, timeout) || timeout <= Duration(0)) return false;
  settings.acks.timeout = timeout;
  return true;
}

bool put_timeout_seconds(std::string_view text, GraphSettings& settings) {
  std::int64_t seconds = 0;
  if (!read_count(text, 1, std::numeric_limits<int>::max(), seconds)) return false;
  settings.acks.timeout = std::chrono::seconds(seconds);
  return true;
}

bool put_guarantee(std::string_view text, GraphSettings& settings) {
  for (const auto& [word, guarantee] :
       {std::pair("at_most_once", at_most_once), std::pair("at_least_once", at_least_once),
        std::pair("exactly_once", exactly_once)}) {
    if (text != word) continue;
    settings.guarantee = guarantee;
    return true;
  }
  return false;
}

bool put_folder(std::string_view text, GraphSettings& settings) {
  settings.state.folder = text;
  return !text.empty();
}

bool put_interval(std::string_view text, GraphSettings& settings) {
  Duration interval{0};
  if (!parse_setting(text, interval) || interval < kEpochIntervalMin) return false;
  settings.state.interval = interval;
  return true;
}

constexpr const char* kPending = "give a whole number from 0, which is no bound, to 2147483647";
constexpr NamedSetting kSettings[] = {
    {"topology.max.spout.pending", put_pending, kPending,
     "Storm's name of topology.max_pending, which is stronger"},
    {"topology.message.timeout.secs", put_timeout_seconds, "give a whole number of seconds from 1",
     "Storm's name of topology.message_timeout, which is stronger, as a number of seconds"},
    {"topology.guarantee", put_guarantee, "give at_most_once, at_least_once or exactly_once",
     "as --guarantee"},
    {"topology.tries", put_tries, "give a whole number from 1 to 255", "as --tries"},
    {"topology.max_pending", put_pending, kPending, "as --max-pending"},
    {"topology.message_timeout", put_timeout,
     "give a time longer than 0 with its unit, such as 30s or 5min", "as --message-timeout"},
    {"topology.state_dir", put_folder, "give the path of a folder", "as --state-dir"},
    {"topology.checkpoint_interval", put_interval,
     "give a time of at least 10ms with its unit, such as 1s or 5min", "as --checkpoint-interval"},
};

constexpr std::string_view kPrefix = "topology.";
/// Those whose texts `host` reads.
constexpr const char* kOthers[] = {"dead_letters", "dead_letters_bytes", "dead_letters_to", "state",
                                   "spill_dir"};

/// All, without the prefix.
std::vector<std::string> known_names() {
  std::vector<std::string> names(std::begin(kOthers), std::end(kOthers));
  for (const NamedSetting& setting : kSettings)
    names.emplace_back(setting.name.substr(kPrefix.size()));
  return names;
}

}  // namespace

std::span<const NamedSetting> named_settings() { return kSettings; }

const char* setting_wants(std::string_view name, std::string_view text) {
  GraphSettings unused;
  for (const NamedSetting& setting : kSettings) {
    if (setting.name == name) return setting.put(text, unused) ? nullptr : setting.wanted;
  }
  return nullptr;
}

std::string wrong_setting(std::string_view name, std::string_view text) {
  if (const char* const wanted = setting_wants(name, text))
    return fmt::format("is \"{}\": {}", text, wanted);
  const std::vector<std::string> known = known_names();
  const bool prefixed = name.starts_with(kPrefix);
  const std::string_view word = prefixed ? name.substr(kPrefix.size()) : name;
  std::string meant;
  if (std::find(known.begin(), known.end(), word) == known.end()) {
    if (prefixed) meant = nearest_word(word, known);
  } else if (!prefixed && word.find('_') != word.npos) {
    // That a state folder is not used would be noticed when it is needed. Plain words such as
    // "state" may well be a component's own.
    meant = word;
  }
  if (meant.empty()) return "";
  return fmt::format("is no setting of the engine: did you mean \"{}{}\"?", kPrefix, meant);
}

Status apply_named(const Config& config, GraphSettings& settings) {
  for (const NamedSetting& setting : kSettings) {
    const auto found = config.entries().find(setting.name);
    if (found == config.entries().end() || setting.put(found->second, settings)) continue;
    return {Code::option_invalid, fmt::format("the setting {} is \"{}\": {}", setting.name,
                                              found->second, setting.wanted)};
  }
  return {};
}

}  // namespace millrace::detail
