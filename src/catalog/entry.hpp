// Entry: a component by its name: what it is for, its parameters, and how it is made.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/row_stream.hpp"
#include "catalog/settings.hpp"
#include "expr/predicate.hpp"
#include "millrace/components.hpp"
#include "yaml/topology_file.hpp"

namespace millrace::detail {

enum class EntryRole { source, verb, aggregate, sink };

/// What a component is made from.
struct Making {
  Topology& topology;
  const ComponentText& text;
  const Settings& settings;
  Mistakes& mistakes;
  /// Of verbs and sinks: their input, several streams as one.
  const RowStream* input = nullptr;
  /// Of aggregates: the fields to group by, and who else reads them.
  std::vector<std::size_t> key = {};
  bool only_tops = false;
  /// The aggregate that `top` and `trend` rank, where they read one.
  const RankedBy* ranked = nullptr;
  /// Of joins: the right input and its fields to group by. Of what has a stream beside it: that.
  const RowStream* right = nullptr;
  std::vector<std::size_t> right_key = {};

  /// Notes a mistake at a parameter, or at the component where that was not given.
  void wrong(std::string_view parameter, std::string message) const;
  /// The field of the input that a name means; where there is none, a mistake at its place.
  std::optional<std::size_t> field(const ConfigNode& name) const;
  /// The condition that a text says of the input's rows; else a mistake at its place.
  std::optional<Predicate> condition(const ConfigNode& node) const;
  /// `rows` under the component's id, with the tasks that it asks for.
  Stream<RowRef> finished(const Stream<RowRef>& rows) const;
  /// Rows with the fields of the input, as the output of the component.
  MadeStreams same_rows(const Stream<RowRef>& rows) const;
};

/// "two fields of the result are called ..."; "" where all differ.
std::string repeated_field(const std::vector<ColumnInfo>& fields);

/// Whether the key of a component is the fields of its streams' grouping; `or_global`: or all rows
/// are one key, by the grouping global.
enum class Keyed { no, optional, needed, or_global };

struct Entry {
  std::string name;
  EntryRole role;
  std::string doc;
  std::vector<ParamInfo> params;
  /// Makes it; nothing where a mistake was noted.
  std::function<MadeStreams(const Making&)> make;
  Keyed keyed = Keyed::no;
  bool ranks = false;  ///< it reads an aggregate of windows
  bool joins = false;  ///< it has two inputs, of which its parameter left names the first
  /// The parameter that names the component whose rows all tasks are given beside the input.
  std::string beside = {};
  bool takes_tasks = true;  ///< `parallelism` may be given
  /// Parameters of which exactly one must be given.
  std::vector<std::string> one_of = {};
};

/// All of them by name.
using Entries = std::map<std::string, Entry, std::less<>>;

void add_source_entries(Entries& entries);
void add_journal_entries(Entries& entries);
void add_generated_entries(Entries& entries);
void add_verb_entries(Entries& entries);
void add_aggregate_entries(Entries& entries);
void add_ranking_entries(Entries& entries);
void add_pick_entries(Entries& entries);
void add_alert_entries(Entries& entries);
void add_join_entries(Entries& entries);
void add_as_of_entries(Entries& entries);
void add_table_entries(Entries& entries);
void add_match_entries(Entries& entries);
void add_sink_entries(Entries& entries);

/// Those that come with Millrace.
Entries standard_entries();
/// Those and one's own. Errors: 2002 for a name that is taken.
Result<Entries> entries_with(const Components& components);

}  // namespace millrace::detail
