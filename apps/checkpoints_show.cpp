// The entries of an epoch as lines of JSON.
#include "checkpoints_show.hpp"

#include <sysexits.h>

#include <cstdint>
#include <cstdio>
#include <limits>
#include <set>
#include <string>

#include <fmt/format.h>

#include "base/text.hpp"
#include "checkpoint/checkpoint_store.hpp"
#include "host/host.hpp"
#include "journal_words.hpp"
#include "operator/kept_entries.hpp"
#include "operator/kept_values.hpp"
#include "record/record_json.hpp"

namespace millrace::apps {
namespace {

int fail(const Status& status) { return detail::report_error(status); }

void append_time(std::string& out, const char* name, Time time) {
  if (time == kTimeMin) return;
  out += fmt::format(",\"{}\":", name);
  detail::append_kept_time(out, time);
}

std::string as_json(const detail::StageImage& stage, const detail::KeptEntry& entry) {
  std::string out = "{\"component\":";
  detail::append_json_string(out, stage.component);
  out += fmt::format(",\"task\":{},\"state\":", stage.task);
  detail::append_json_string(out, entry.state);
  if (!entry.key.empty()) out += ",\"key\":" + entry.key;
  append_time(out, "start", entry.start);
  append_time(out, "end", entry.end);
  return out + ",\"value\":" + entry.value + "}";
}

/// Which entries are shown.
class Filter {
 public:
  explicit Filter(const JournalWords& words)
      : component_(words.text("--component")),
        state_(words.text("--state")),
        by_key_(words.has("--key")),
        key_(words.text("--key")) {
    detail::append_json_string(quoted_, key_);
  }

  const std::string& component() const { return component_; }
  bool passes(const detail::KeptEntry& entry) const {
    if (!state_.empty() && entry.state != state_) return false;
    return !by_key_ || entry.key == key_ || entry.key == quoted_;
  }

 private:
  std::string component_;
  std::string state_;
  bool by_key_;
  std::string key_;
  std::string quoted_;
};

/// 1002 where no stage is of the component.
Status check_component(const detail::EpochImage& image, const std::string& component) {
  std::set<std::string> known;
  for (const detail::StageImage& stage : image.stages) known.insert(stage.component);
  if (component.empty() || known.contains(component)) return {};
  return {Code::option_invalid,
          fmt::format("--component {}: epoch {} has none of that name; it has {}", component,
                      image.epoch, fmt::join(known, ", "))};
}

void print(const detail::EpochImage& image, const Filter& filter, std::uint64_t limit) {
  bool goes_on = true;  // somebody reads
  for (const detail::StageImage& stage : image.stages) {
    if (!filter.component().empty() && stage.component != filter.component()) continue;
    detail::tell_parts(stage.parts, [&](const detail::KeptEntry& entry) {
      if (limit == 0 || !goes_on || !filter.passes(entry)) return;
      --limit;
      goes_on = std::puts(as_json(stage, entry).c_str()) >= 0;
    });
  }
}

}  // namespace

int checkpoints_show_main(int argc, char** argv) {
  const auto words =
      JournalWords::read(argc, argv, {{"--component", "--state", "--key", "--limit"}, {}},
                         {"DIR[@EPOCH]"}, "checkpoints");
  if (!words) return fail(words.error());
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  std::uint64_t limit = kMost;
  if (Status status = words->number("--limit", 1, kMost, limit); !status) return fail(status);
  const auto image =
      detail::read_epoch(detail::real_disk(), detail::parse_epoch_name(words->plain(0)));
  if (!image) return fail(image.error());
  const Filter filter(*words);
  if (Status known = check_component(*image, filter.component()); !known) return fail(known);
  print(*image, filter, limit);
  return EX_OK;
}

}  // namespace millrace::apps
