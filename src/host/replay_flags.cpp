// --from and --until: which part of its input a run reads.
#include <fmt/format.h>

#include "env/disk.hpp"
#include "host/host.hpp"

namespace millrace::detail {
namespace {

Status refused(const char* flag, const std::string& text, const char* words) {
  return {Code::option_invalid,
          fmt::format("{} {}: give {}an offset, or a time such as 2015-09-12T06:00:00Z", flag, text,
                      words)};
}

}  // namespace

Result<RunPart> read_part(const std::string& from, const std::string& until) {
  RunPart part;
  ReplayRange& range = part.range;
  if (const auto bound = parse_replay_bound(from)) {
    range.from = *bound;
  } else if (!from.empty()) {
    part.epoch = parse_epoch_name(from);
    if (!real_disk().list_folder(part.epoch->folder)) {
      return refused("--from", from, "earliest, latest, a state folder as DIR@EPOCH, ");
    }
  }
  if (!until.empty()) {
    const auto bound = parse_replay_bound(until);
    if (!bound || bound->kind == ReplayBound::Kind::earliest) {
      return refused("--until", until, "latest, ");
    }
    range.until = *bound;
  }
  const bool offsets =
      range.from.kind == ReplayBound::Kind::offset && range.until.kind == ReplayBound::Kind::offset;
  if (range.from_time() > range.until_time() ||
      (offsets && range.from.offset > range.until.offset)) {
    return Status(Code::option_invalid,
                  fmt::format("--until {} lies before --from {}: the run would read nothing; "
                              "give a later one",
                              until, from));
  }
  return part;
}

std::optional<SummaryPart> range_summary(const Graph& graph, const ReplayRange& range,
                                         const Report& report) {
  if (range.from_time() == kTimeMin && range.until_time() == kTimeMax) return std::nullopt;
  std::uint64_t records = 0;
  for (const ComponentReport& component : report.components) {
    for (const Node& node : graph.nodes()) {
      if (node.originates_time && node.name == component.name) records += component.filtered;
    }
  }
  return SummaryPart{"passed_over", std::to_string(records),
                     fmt::format("{} records read were not of the time asked for (--from, --until) "
                                 "and were passed over",
                                 records)};
}

}  // namespace millrace::detail
