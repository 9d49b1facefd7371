// The command line that every program has.
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>

#include <fmt/format.h>

#include "base/text.hpp"
#include "host/host.hpp"
#include "host/restart_policy.hpp"
#include "topology/named_settings.hpp"

namespace millrace::detail {
namespace {

/// Texts as typed, before they are checked.
struct RawOptions {
  std::string parallelism, executors, ui, speed, from, until, duration, limit, line_bytes_max,
      memory, log_level, seed, summary;
  std::string guarantee, tries, max_pending, message_timeout;
  std::string state_dir, checkpoint_interval, restart, unsafe;
  bool allow_drop = false;
  std::string dead_letters, dead_letters_bytes, dead_letters_to;
  std::string state_on, spill_dir;
  bool headless = false;
  bool json = false;
  bool explain = false;
  bool help = false;
};

/// A flag that is a setting by name.
struct AckFlag {
  const char* name;
  const char* setting;
  std::string RawOptions::* text;
};
constexpr AckFlag kAckFlags[] = {
    {"--tries", "topology.tries", &RawOptions::tries},
    {"--max-pending", "topology.max_pending", &RawOptions::max_pending},
    {"--message-timeout", "topology.message_timeout", &RawOptions::message_timeout},
};

void declare_acks(CLI::App& app, RawOptions& raw) {
  app.add_option("--tries", raw.tries,
                 "At least once: how often a message is tried before its record is a dead letter, "
                 "1 to 255 (default: what the topology says, or 3)");
  app.add_option("--max-pending", raw.max_pending,
                 "At least once: how many messages of a source's task may be on their way, unless "
                 "the topology bounds that source itself; 0: as many as queues and memory hold "
                 "(default: what the topology says, or 0)");
  app.add_option("--message-timeout", raw.message_timeout,
                 "At least once: a message that a bolt has taken by hand fails when nothing "
                 "happens to it for so long, such as 5s (default: what the topology says, or 30s)");
}

void declare_state(CLI::App& app, RawOptions& raw) {
  app.add_option("--state-dir", raw.state_dir,
                 "Folder of this topology's state: the next run with it goes on where this one "
                 "ended, also after a crash");
  app.add_option("--state", raw.state_on,
                 "Where keyed state lies: memory; disk, with the keys in memory that are used "
                 "most; or auto, which begins with the disk when half of the state's share of "
                 "--memory is used and there is a --spill-dir or --state-dir (default auto)");
  app.add_option("--spill-dir", raw.spill_dir,
                 "Folder for state that memory has no room for; what is in it is of one run alone "
                 "(default: beside the state of --state-dir)");
  app.add_option("--checkpoint-interval", raw.checkpoint_interval,
                 "How often the state is kept there, such as 1s or 5min, at least 10ms (default "
                 "10s)");
  app.add_option("--restart", raw.restart,
                 "What to do when it fails: none; fixed:TRIES,DELAY; exponential:FIRST,LONGEST; "
                 "rate:FAILURES/SPAN,DELAY (default exponential:1s,1min with --state-dir)");
  app.add_option("--unsafe", raw.unsafe)->group("");  // not for people: for tests of the tests
  app.add_flag("--allow-drop", raw.allow_drop,
               "Goes on though the state of components that are gone is lost");
}

void declare(CLI::App& app, RawOptions& raw) {
  app.set_help_flag();
  app.add_flag("--help,-h", raw.help, "Shows this");
  app.add_option("--parallelism", raw.parallelism,
                 "Tasks of each keyed component and bolt, 1 to 128 (default 1)");
  app.add_option(
      "--executors", raw.executors,
      "Threads that run the tasks: auto, as many as the load needs and the machine has free, "
      "or 1 to 256 (default auto)");
  app.add_option("--ui", raw.ui,
                 "HOST:PORT of the page, loopback only, or off (default 127.0.0.1:8080 or the next "
                 "free port)");
  app.add_flag("--headless", raw.headless, "Same as --ui off");
  app.add_option("--speed", raw.speed,
                 "Replay by event time: 1 as it happened, 1000 a thousand times faster, or max");
  app.add_option(
      "--from", raw.from,
      "Begins there: a time such as 2015-09-12T06:00:00Z; of a journal also an offset, "
      "earliest or latest; or goes on from the epoch of another run's state folder, which "
      "stays as it is: DIR@EPOCH, or DIR for the newest");
  app.add_option("--until", raw.until,
                 "Ends before the first record of that time or offset, or at latest; windows fire");
  app.add_option("--duration", raw.duration,
                 "Stops after this time, such as 30s or 5min; open windows do not fire");
  app.add_option("--limit", raw.limit,
                 "Ends after this many records of each source task; windows fire");
  app.add_option("--line-bytes-max", raw.line_bytes_max,
                 "Longer lines become dead letters (default 16777216)");
  app.add_option(
      "--memory", raw.memory,
      "Bytes for records on their way and keyed state, such as 512M or 4G, at least 16M; "
      "sources wait, then the run fails by name (default: half of what the machine or "
      "its control group has)");
  app.add_flag("--explain", raw.explain, "Prints the plan and ends");
  app.add_option("--summary", raw.summary, "Form of the summary at the end: text or json");
  app.add_flag("--json", raw.json, "Same as --summary json");
  app.add_option("--log-level", raw.log_level, "debug, info, warn, error or off (default warn)");
  app.add_option("--seed", raw.seed, "Seed for random choices, such as those of a generated feed");
  app.add_option(
      "--guarantee", raw.guarantee,
      "What is promised of each record: at_most_once; at_least_once, which plays failed ones "
      "again; or exactly_once, which needs --state-dir (default: what the program says, or with "
      "--state-dir exactly_once)");
  declare_acks(app, raw);
  declare_state(app, raw);
  app.add_option("--dead-letters", raw.dead_letters,
                 "Keeps every dead letter in this folder, to look at and to replay: `millrace "
                 "dead-letters --help`");
  app.add_option("--dead-letters-bytes", raw.dead_letters_bytes,
                 "Bytes of them that are kept, such as 10G; the oldest go (default 1G)");
  app.add_option("--dead-letters-to", raw.dead_letters_to,
                 "Where the page's button replays them to: journal:DIR/TOPIC, or a file, that a "
                 "source of the topology reads");
}

Status invalid(const std::string& flag, const std::string& value, const std::string& wanted) {
  return {Code::option_invalid,
          fmt::format("{} {}: {}", flag, value.empty() ? "\"\"" : value, wanted)};
}

/// Reads a whole number of [least, most]; leaves `out` alone when the flag was not given.
template <class N>
Status read_number(const std::string& flag, const std::string& text, N least, N most, N& out) {
  if (text.empty()) return {};
  N value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    return invalid(flag, text, fmt::format("give a whole number from {} to {}", least, most));
  }
  out = value;
  return {};
}

Status read_speed(const std::string& text, double& out) {
  if (text.empty()) return {};
  if (text == "max") {
    out = 0;
    return {};
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value > 0) || value > 1e12) {
    return invalid("--speed", text, "give a number greater than 0, such as 1000, or max");
  }
  out = value;
  return {};
}

Status read_executors(const std::string& text, std::uint32_t& out) {
  if (text == "auto") {
    out = 0;
    return {};
  }
  if (read_number<std::uint32_t>("--executors", text, 1, 256, out)) return {};
  return invalid("--executors", text, "give a whole number from 1 to 256, or auto");
}

Status read_memory(const std::string& text, std::uint64_t& out) {
  constexpr std::uint64_t kLeast = 16u << 20;
  if (text.empty()) return {};
  const auto bytes = parse_bytes(text);
  if (!bytes || *bytes < kLeast) {
    return invalid("--memory", text, "give a number of bytes of at least 16M, such as 512M or 4G");
  }
  out = *bytes;
  return {};
}

Status read_dead_letters(const RawOptions& raw, HostOptions& out) {
  out.dead_letters = raw.dead_letters;
  out.dead_letters_to = raw.dead_letters_to;
  if (raw.dead_letters_bytes.empty()) return {};
  const auto bytes = parse_bytes(raw.dead_letters_bytes);
  if (!bytes || *bytes < DeadLetterSettings::kBytesLeast) {
    return invalid("--dead-letters-bytes", raw.dead_letters_bytes,
                   "give a number of bytes of at least 1M, such as 512M or 10G");
  }
  out.dead_letters_bytes = *bytes;
  return {};
}

Status read_guarantee(const std::string& text, HostOptions& out) {
  if (text.empty()) return {};
  static const std::map<std::string, Guarantee> kWords = {
      {"at_most_once", Guarantee::at_most_once},
      {"at_least_once", Guarantee::at_least_once},
      {"exactly_once", Guarantee::exactly_once}};
  const auto found = kWords.find(text);
  if (found == kWords.end())
    return invalid("--guarantee", text, "give at_most_once, at_least_once or exactly_once");
  out.guarantee = found->second;
  return {};
}

/// As settings by name, which the topology's may be as well.
Status read_acks(const RawOptions& raw, HostOptions& out) {
  for (const AckFlag& flag : kAckFlags) {
    const std::string& text = raw.*flag.text;
    if (text.empty()) continue;
    if (const char* const wanted = setting_wants(flag.setting, text))
      return invalid(flag.name, text, wanted);
    out.acks.set(flag.setting, text);
    if (out.ack_flag.empty()) out.ack_flag = fmt::format("{} {}", flag.name, text);
  }
  return {};
}

Status read_unsafe(const std::string& text, StateAccess& out) {
  struct Switch {
    const char* word;
    bool StateAccess::* off;
    const char* warning;
  };
  static constexpr Switch kSwitches[] = {
      {"no-fsync", &StateAccess::no_sync, "what is kept does not survive a loss of power"},
      {"no-checksum", &StateAccess::no_checksum, "damage is neither looked for nor found"},
      {"no-dedup", &StateAccess::no_dedup, "after a crash readers see records again"},
  };
  if (text.empty()) return {};
  for (const Switch& one : kSwitches) {
    if (text != one.word) continue;
    out.*one.off = true;
    std::fprintf(stderr, "UNSAFE: %s; --unsafe is there to see that tests notice\n", one.warning);
    return {};
  }
  return invalid("--unsafe", text, "give no-fsync, no-checksum or no-dedup");
}

Status read_state(const RawOptions& raw, HostOptions& out) {
  if (!raw.state_dir.empty()) out.state_dir = raw.state_dir;
  out.restart = raw.restart;
  if (!raw.restart.empty()) {
    if (const auto policy = RestartPolicy::of(raw.restart); !policy) return policy.error();
  }
  out.state_on = raw.state_on;
  out.spill_dir = raw.spill_dir;
  out.state_access.allow_drop = raw.allow_drop;
  if (Status status = read_unsafe(raw.unsafe, out.state_access); !status) return status;
  if (raw.checkpoint_interval.empty()) return {};
  const auto interval = parse_duration(raw.checkpoint_interval);
  if (!interval || *interval < kEpochIntervalMin) {
    return invalid("--checkpoint-interval", raw.checkpoint_interval,
                   "give a time of at least 10ms with its unit, such as 1s or 5min");
  }
  out.checkpoint_interval = *interval;
  return {};
}

Status read_words(const RawOptions& raw, HostOptions& out) {
  static const std::vector<std::string> kLevels = {"debug", "info", "warn", "error", "off"};
  if (!raw.log_level.empty()) {
    const auto at = std::find(kLevels.begin(), kLevels.end(), raw.log_level);
    if (at == kLevels.end())
      return invalid("--log-level", raw.log_level, "give debug, info, warn, error or off");
    out.log_level = static_cast<LogLevel>(at - kLevels.begin());
  }
  if (!raw.summary.empty() && raw.summary != "json" && raw.summary != "text") {
    return invalid("--summary", raw.summary, "give text or json");
  }
  out.json = raw.json || raw.summary == "json" || (out.json && raw.summary.empty());
  if (!raw.duration.empty()) {
    const auto duration = parse_duration(raw.duration);
    if (!duration || duration->count() <= 0) {
      return invalid("--duration", raw.duration,
                     "give a time longer than 0 with its unit, such as 30s or 5min");
    }
    out.duration = *duration;
  }
  if (Status status = read_guarantee(raw.guarantee, out); !status.ok()) return status;
  if (Status status = read_acks(raw, out); !status.ok()) return status;
  return read_state(raw, out);
}

Status read_all(const RawOptions& raw, HostOptions& out) {
  if (Status status = read_number<std::uint32_t>("--parallelism", raw.parallelism, 1, kKeyGroups,
                                                 out.parallelism);
      !status)
    return status;
  if (Status status = read_executors(raw.executors, out.executors); !status) return status;
  if (Status status = read_number<std::uint64_t>("--limit", raw.limit, 1, UINT64_MAX, out.limit);
      !status)
    return status;
  if (Status status = read_number<std::uint64_t>("--seed", raw.seed, 0, UINT64_MAX, out.seed);
      !status)
    return status;
  if (Status status = read_number<std::size_t>("--line-bytes-max", raw.line_bytes_max, 1, 1u << 30,
                                               out.line_bytes_max);
      !status) {
    return status;
  }
  if (Status status = read_memory(raw.memory, out.memory_bytes); !status) return status;
  if (Status status = read_speed(raw.speed, out.speed); !status) return status;
  auto part = read_part(raw.from, raw.until);
  if (!part) return part.error();
  out.part = std::move(*part);
  if (Status status = read_dead_letters(raw, out); !status) return status;
  if (!raw.ui.empty()) out.ui = raw.ui;
  if (raw.headless) {
    if (!raw.ui.empty() && raw.ui != "off")
      return invalid("--headless", "--ui " + raw.ui, "the two contradict: give one of them");
    out.ui = "off";
  }
  out.explain = raw.explain;
  return read_words(raw, out);
}

Status unknown(const CLI::App& app, const std::string& word) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  const std::string flag = word.substr(0, word.find('='));
  const std::string near = nearest_word(flag, known);
  return {Code::option_unknown, fmt::format("{}: there is no such flag{}; --help lists them", flag,
                                            near.empty() ? "" : ": did you mean " + near + "?")};
}

}  // namespace

Result<ParsedOptions> parse_options(const std::string& program, const std::string& purpose,
                                    int argc, char** argv, HostOptions defaults,
                                    std::span<const OwnFlag> own) {
  CLI::App app(purpose, program);
  RawOptions raw;
  for (const OwnFlag& flag : own)
    app.add_option(flag.name, *flag.value, flag.help)->group("Its own");
  declare(app, raw);
  app.allow_extras();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string what = error.what();
    return Status(Code::option_invalid,
                  fmt::format("{}: its value is missing; --help lists the flags",
                              what.substr(0, what.find(':'))));
  } catch (const CLI::Error& error) {
    return Status(Code::option_invalid,
                  fmt::format("{}: {}; --help lists the flags", program, error.what()));
  }
  if (const auto rest = app.remaining(); !rest.empty()) {
    if (rest.front().starts_with("-")) return unknown(app, rest.front());
    return Status(Code::option_unknown,
                  fmt::format("{}: this program takes no such argument; --help lists the flags",
                              rest.front()));
  }
  ParsedOptions parsed{std::move(defaults), raw.help, app.help()};
  if (Status status = read_all(raw, parsed.options); !status) return status;
  return parsed;
}

int exit_code(const Status& status) {
  switch (static_cast<int>(status.code()) / 1000) {
    case 0:
      return EX_OK;
    case 1:
      return EX_USAGE;
    case 2:
      return EX_CONFIG;
    default:
      break;
  }
  switch (status.code()) {
    case Code::source_failed:
      return EX_NOINPUT;
    case Code::sink_failed:
      return EX_IOERR;
    case Code::input_corrupt:
    case Code::columns_mismatch:
    case Code::state_unreadable:
      return EX_DATAERR;
    case Code::output_closed:
      return EX_OK;
    case Code::address_in_use:
    case Code::memory_exceeded:
    case Code::state_in_use:
      return EX_UNAVAILABLE;
    case Code::state_mismatch:
      return EX_CONFIG;
    case Code::address_refused:
      return EX_USAGE;
    default:
      return EX_SOFTWARE;
  }
}

int report_error(const Status& status) {
  std::fprintf(stderr, "error %s\n", status.to_string().c_str());
  return exit_code(status);
}

}  // namespace millrace::detail
