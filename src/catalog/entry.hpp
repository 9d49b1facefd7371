// Entry: a component by its name: what it is for, its parameters, and how it is made.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "catalog/row_stream.hpp"
#include "catalog/settings.hpp"
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

  /// Notes a mistake at a parameter, or at the component where that was not given.
  void wrong(std::string_view parameter, std::string message) const;
};

struct Entry {
  std::string name;
  EntryRole role;
  std::string doc;
  std::vector<ParamInfo> params;
  /// Makes it; nothing where a mistake was noted.
  std::function<MadeStreams(const Making&)> make;
  bool keyed = false;       ///< its input is grouped by fields, which are its key
  bool ranks = false;       ///< it reads an aggregate of windows
  bool takes_tasks = true;  ///< `parallelism` may be given
};

/// All of them by name.
using Entries = std::map<std::string, Entry, std::less<>>;

void add_source_entries(Entries& entries);
void add_verb_entries(Entries& entries);
void add_aggregate_entries(Entries& entries);
void add_sink_entries(Entries& entries);

/// Those that come with Millrace.
Entries standard_entries();

}  // namespace millrace::detail
