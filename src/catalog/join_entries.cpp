// The bolt `join`: pairs of rows of two streams with equal keys, near in event time or of one
// window.
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "catalog/row_joins.hpp"

namespace millrace::detail {
namespace {

/// What cuts the pairs: an interval or windows.
using PairCut = std::variant<JoinInterval, Windows>;

std::optional<PairCut> window_cut(const Making& making) {
  const RowCut& cut = making.settings.windows("window");
  const auto* const windows = std::get_if<Windows>(&cut.windows);
  for (const char* other : {"before", "bounds"}) {
    if (!making.settings.has(other)) continue;
    making.wrong(other, fmt::format("{} belongs to after: a join by windows has none", other));
    return std::nullopt;
  }
  if (windows != nullptr && !windows->is_global() && !cut.by_clock && !cut.last) return *windows;
  making.wrong("window",
               "a join takes tumbling, sliding, cumulating or calendar windows of event time; "
               "say their lateness with allowed_lateness: 10s");
  return std::nullopt;
}

/// Nullopt: a mistake.
std::optional<PairCut> pair_cut(const Making& making, JoinKind kind) {
  const Settings& settings = making.settings;
  if (settings.has("window")) return window_cut(making);
  if (!makes_pairs(kind)) {
    making.wrong("kind", fmt::format("{} needs windows: give window: tumbling(1min)",
                                     settings.text("kind")));
    return std::nullopt;
  }
  const std::string& bounds = settings.text("bounds");
  JoinInterval interval{.before = settings.duration("before"), .after = settings.duration("after")};
  interval.exclusive_lower = bounds == "exclusive" || bounds == "exclusive_lower";
  interval.exclusive_upper = bounds == "exclusive" || bounds == "exclusive_upper";
  interval.lateness = settings.duration("allowed_lateness");
  return interval;
}

template <class Key>
MadeStreams join_by_interval(const Making& making, const RowJoin<Key>& join,
                             const JoinInterval& interval) {
  Node node;
  node.note = interval.to_string();
  node.problem = interval.validate();
  const auto make = [interval](const RowJoin<Key>& of, const auto& left, const auto& right) {
    using Op = IntervalJoin<RowRef, Key, RowRef, Key, RowRef, RowPairs>;
    return std::make_unique<Op>(interval, of.kind, left, right, of.pairs);
  };
  return finish_join(making, join, std::move(node), make);
}
template <class Key>
MadeStreams join_by_windows(const Making& making, const RowJoin<Key>& join,
                            const Windows& windows) {
  const Duration lateness = making.settings.duration("allowed_lateness");
  Node node;
  node.note = windows.to_string();
  node.problem = windows.validate();
  const auto make = [windows, lateness](const RowJoin<Key>& of, const auto& left,
                                        const auto& right) {
    using Op = WindowJoin<RowRef, Key, RowRef, Key, RowRef, RowPairs>;
    return std::make_unique<Op>(windows, lateness, of.kind, left, right, of.pairs);
  };
  return finish_join(making, join, std::move(node), make);
}

MadeStreams make_join(const Making& making) {
  const JoinKind kind = join_kind(making);
  const std::optional<PairCut> cut = pair_cut(making, kind);
  if (!cut) return MadeStreams::none();
  return with_row_join(making, kind, [&](const auto& join) {
    if (const auto* const interval = std::get_if<JoinInterval>(&*cut))
      return join_by_interval(making, join, *interval);
    return join_by_windows(making, join, std::get<Windows>(*cut));
  });
}

std::vector<ParamInfo> join_params() {
  return {join_left_param(),
          {.name = "kind",
           .type = ParamType::choice,
           .standard = "inner",
           .doc = "inner: pairs; left, right, full: and rows of that side, or of both, without a "
                  "partner; semi, anti: left rows of a window with and without one",
           .choices = join_kinds()},
          {.name = "after",
           .type = ParamType::duration,
           .doc = "the right row's time is at most so much after the left one's"},
          {.name = "before",
           .type = ParamType::duration,
           .standard = "0s",
           .doc = "and at most so much before it"},
          {.name = "bounds",
           .type = ParamType::choice,
           .standard = "inclusive",
           .doc = "whether exactly before and after belong to it",
           .choices = {"inclusive", "exclusive_lower", "exclusive_upper", "exclusive"}},
          {.name = "window",
           .type = ParamType::window,
           .doc = "in place of after: pairs in the same window, such as tumbling(1min)"},
          join_lateness_param(),
          join_prefix_param()};
}

}  // namespace

void add_join_entries(Entries& entries) {
  Entry entry{"join", EntryRole::verb,
              "pairs of rows of two streams with equal keys, near in event time or of one window; "
              "those that come too late go to the streams late_left and late_right",
              join_params(), make_join};
  entry.keyed = Keyed::needed;
  entry.joins = true;
  entry.one_of = {"after", "window"};
  entries.emplace("join", std::move(entry));
}

}  // namespace millrace::detail
