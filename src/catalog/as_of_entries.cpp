// The bolt `as_of`: each row of a stream with the row of another that was valid at its event time.
#include <utility>
#include <vector>

#include "catalog/row_joins.hpp"

namespace millrace::detail {
namespace {

MadeStreams make_as_of(const Making& making) {
  const Settings& settings = making.settings;
  AsOfBounds bounds;
  if (settings.has("within")) bounds.within = settings.duration("within");
  if (settings.has("nearest")) {
    if (bounds.within) {
      making.wrong("nearest", "nearest says how far away a row may be itself: leave out within");
      return MadeStreams::none();
    }
    bounds.within = settings.duration("nearest");
    bounds.nearest = true;
  }
  bounds.lateness = settings.duration("allowed_lateness");
  const auto deletes = deleted_by(making, "deleted", *making.right);
  if (!deletes) return MadeStreams::none();
  const bool global = settings.flag("global");
  return with_row_join(making, join_kind(making), [&]<class Key>(const RowJoin<Key>& join) {
    const AsOfTable<RowRef, RowRef> table{
        .deletes = *deletes, .reach = global ? TableReach::everywhere : TableReach::by_key};
    Node node;
    node.note = (global ? "global, " : "") + bounds.to_string();
    node.problem = bounds.validate();
    node.breaks_ties = true;
    const auto make = [bounds, table](const RowJoin<Key>& of, const auto& left, const auto& right) {
      using Op = AsOfJoin<RowRef, Key, RowRef, Key, RowRef, RowPairs>;
      return std::make_unique<Op>(bounds, of.kind, left, right, of.pairs, table);
    };
    return finish_join(making, join, std::move(node), make, global);
  });
}

std::vector<ParamInfo> as_of_params() {
  return {join_left_param(),
          {.name = "kind",
           .type = ParamType::choice,
           .standard = "inner",
           .doc = "inner: the left rows that have a right one; left: all of them",
           .choices = {"inner", "left"}},
          {.name = "within",
           .type = ParamType::duration,
           .doc = "a right row that is older by more than that counts no more"},
          {.name = "nearest",
           .type = ParamType::duration,
           .doc = "in place of the newest the nearest right row in time, before or after, at most "
                  "so far away"},
          join_deleted_param("deleted", "the right side"),
          {.name = "global",
           .type = ParamType::flag,
           .standard = "false",
           .doc = "each task has all of the right side, and left rows stay where they are: for "
                  "small tables"},
          join_lateness_param(),
          join_prefix_param()};
}

}  // namespace

void add_as_of_entries(Entries& entries) {
  Entry entry{"as_of", EntryRole::verb,
              "each row of the left stream with the newest row of the right one that has its key "
              "and is not later in event time; those that come too late go to the streams "
              "late_left and late_right",
              as_of_params(), make_as_of};
  entry.keyed = Keyed::needed;
  entry.joins = true;
  entries.emplace("as_of", std::move(entry));
}

}  // namespace millrace::detail
