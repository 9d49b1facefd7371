// Three bolts in Storm's style, the rest as verbs on their streams.
#include "trending.hpp"

#include <utility>

namespace millrace::apps {
namespace {

EditKind kind_of(const Edit& edit) {
  if (edit.is_robot) return EditKind::robots;
  return edit.is_anonymous ? EditKind::anonymous : EditKind::people;
}

/// Lets the edits of one kind pass: the demo runs three of them side by side.
struct KeepKind : Bolt<Edit, Edit> {
  explicit KeepKind(EditKind kept) : kind(kept) {}
  void process(const Edit& edit, Output<Edit>& out) override {
    if (kind_of(edit) == kind) out.emit(edit);
  }
  EditKind kind;
};

void add_edit(WikiCounts& counts, const Edit& edit) {
  ++counts.edits;
  switch (kind_of(edit)) {
    case EditKind::people:
      ++counts.people;
      break;
    case EditKind::anonymous:
      ++counts.anonymous;
      break;
    case EditKind::robots:
      ++counts.robots;
      break;
  }
}

void merge_counts(WikiCounts& counts, const WikiCounts& other) {
  counts.edits += other.edits;
  counts.people += other.people;
  counts.anonymous += other.anonymous;
  counts.robots += other.robots;
}

void add_stats(ChannelStats& stats, const Edit& edit) {
  ++stats.edits;
  stats.added += edit.added;
  stats.deleted += edit.deleted;
}

void merge_stats(ChannelStats& stats, const ChannelStats& other) {
  stats.edits += other.edits;
  stats.added += other.added;
  stats.deleted += other.deleted;
}

}  // namespace

void declare_trending(Topology& topology, const TrendingEnds& ends) {
  auto edits = topology.from(json_lines<Edit>(ends.edits, {.repeat = true}))
                   .named("edits")
                   .event_time(&Edit::time, {.lap = 24h})
                   .named("event time");

  auto people = topology.bolt("people", KeepKind(EditKind::people), shuffle(edits));
  auto anonymous = topology.bolt("anonymous", KeepKind(EditKind::anonymous), shuffle(edits));
  auto robots = topology.bolt("robots", KeepKind(EditKind::robots), shuffle(edits));

  people.merge(anonymous)
      .filter([](const Edit& edit) { return edit.name_space == "Main"; })
      .named("articles")
      .key_by(&Edit::page)
      .window(sliding(6h, 15min))
      .count()
      .named("edits per article")
      .top(10)
      .named("top articles")
      .to(view("Trending articles"));

  auto all_kinds = people.merge(anonymous, robots);
  all_kinds.key_by(&Edit::channel)
      .window(sliding(60min, 5min))
      .fold(WikiCounts{}, add_edit, merge_counts)
      .named("edits per wiki")
      .top(10, &WikiCounts::edits)
      .named("top wikis")
      .to(view("Busiest wikis"));

  auto removals = anonymous.filter([](const Edit& edit) { return edit.delta <= -200; })
                      .named("large removals")
                      .map([](const Edit& edit) {
                        return Removal{edit.time, edit.channel, edit.page, edit.user, edit.delta};
                      })
                      .named("alert");
  removals.to(view("Large removals"));
  removals.to(log(ends.alerts));

  auto ranked = all_kinds.key_by(&Edit::channel)
                    .window(tumbling(5min))
                    .fold(ChannelStats{}, add_stats, merge_stats)
                    .named("oracle counts")
                    .top(20, &ChannelStats::edits)
                    .named("oracle top");
  if (ends.oracle == nullptr) {
    ranked.to(journal(ends.ranked, kRankedTopic));
    return;
  }
  ranked.to(each([oracle = ends.oracle](const auto& row) {
    oracle->check({row.window_start, row.rank, row.key, row.value});
  }));
}

}  // namespace millrace::apps
