// Components by name become verbs of streams, in the order in which records flow.
#include "catalog/builder.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "catalog/call_entries.hpp"
#include "catalog/geo_entries.hpp"
#include "catalog/notice_entries.hpp"
#include "catalog/watch_entries.hpp"
#include "catalog/wirer.hpp"
#include "topology/named_settings.hpp"

namespace millrace::detail {
namespace {

Config config_of(const TopologyFile& file, Mistakes& mistakes) {
  Config config;
  for (const auto& [key, value] : file.config.entries) {
    if (value.is_scalar()) {
      config.set(key.text, value.text);
      if (const std::string wrong = wrong_setting(key.text, value.text); !wrong.empty())
        mistakes.add(value.place, fmt::format("\"{}\" in config {}", key.text, wrong));
    } else {
      mistakes.add(value.place, fmt::format("\"{}\" in config is {}: a setting is a text or a "
                                            "number",
                                            key.text, value.words()));
    }
  }
  return config;
}
bool leads_to(const TopologyFile& file, const std::string& from, const std::string& to,
              std::set<std::string>& seen) {
  for (const StreamText& stream : file.streams) {
    if (stream.from != from || !seen.insert(stream.to).second) continue;
    if (stream.to == to || leads_to(file, stream.to, to, seen)) return true;
  }
  return false;
}

/// Nothing but verbs that rank reads the aggregate; what it sets aside may go anywhere.
bool read_by_rankers_alone(const TopologyFile& file, const Entries& entries,
                           const std::string& id) {
  bool any = false;
  for (const StreamText& stream : file.streams) {
    if (stream.from != id || !stream.grouping.stream.empty()) continue;
    for (const ComponentText& bolt : file.bolts) {
      if (bolt.id != stream.to) continue;
      const auto entry = entries.find(bolt.type);
      if (entry == entries.end() || !entry->second.ranks) return false;
      any = true;
    }
  }
  return any;
}

void check_tasks(const ComponentText& text, const Entry& entry, Mistakes& mistakes) {
  if (!text.parallelism || entry.takes_tasks) return;
  mistakes.add(text.parallelism_place,
               fmt::format("{} has the tasks that it needs: leave parallelism away", entry.name));
}
/// Of parameters that stand for each other exactly one is given.
bool gives_one(const ComponentText& text, const Entry& entry, const Settings& settings,
               Mistakes& mistakes) {
  const ConfigNode* first = nullptr;
  for (const std::string& name : entry.one_of) {
    const ConfigNode* const node = settings.node(name);
    if (node && first) {
      mistakes.add(node->place, fmt::format("{} takes one of {}: leave the others away", text.type,
                                            fmt::join(entry.one_of, ", ")));
      return false;
    }
    if (node) first = node;
  }
  if (first || entry.one_of.empty()) return true;
  mistakes.add(text.type_place,
               fmt::format("{} needs one of {}", text.type, fmt::join(entry.one_of, ", ")));
  return false;
}

std::string timeless_message(const ComponentText& bolt) {
  return fmt::format(
      "\"{}\" works by event time, but its rows have none: give their spout "
      "event_time: {{field: ...}}{}",
      bolt.id, bolt.settings.find("window") ? ", or take the window global()" : "");
}

void check_unread(const TopologyFile& file, const std::map<std::string, MadeStreams>& made,
                  Mistakes& mistakes) {
  const auto check = [&](const ComponentText& component) {
    const auto outlets = made.find(component.id);
    if (outlets == made.end()) return;
    if (outlets->second.streams.empty() && !outlets->second.ranked) return;
    const bool is_read =
        std::any_of(file.streams.begin(), file.streams.end(), [&](const StreamText& stream) {
          return stream.from == component.id && stream.grouping.stream != "errors";
        });
    if (is_read) return;
    mistakes.add(component.place,
                 fmt::format("nothing reads \"{}\": add a stream from it to a bolt, such as a "
                             "view or a log",
                             component.id));
  };
  for (const ComponentText& spout : file.spouts) check(spout);
  for (const ComponentText& bolt : file.bolts) check(bolt);
}

/// Which of the streams to a join are its left side.
class JoinSides {
 public:
  JoinSides(const TopologyFile& file, const ComponentText& text, const Settings& settings,
            Mistakes& mistakes)
      : left_(settings.text("left")) {
    std::size_t streams = 0;
    for (const StreamText& stream : file.streams) {
      if (stream.to != text.id) continue;
      ++streams;
      from_others_ |= stream.from != left_;
      if (stream.from == left_ && first_ == nullptr) first_ = &stream;
    }
    good_ = first_ != nullptr && streams > 1;
    if (first_ == nullptr) {
      mistakes.add(settings.node("left")->place,
                   fmt::format("no stream leads from \"{}\" to \"{}\": left names one of the "
                               "components that are joined",
                               left_, text.id));
    } else if (!good_) {
      mistakes.add(text.place,
                   fmt::format("\"{}\" is given one stream: {} needs two", text.id, text.type));
    }
  }
  bool good() const { return good_; }
  bool is_left(const StreamText& stream) const {
    return from_others_ ? stream.from == left_ : &stream == first_;
  }

 private:
  const std::string& left_;
  const StreamText* first_ = nullptr;
  bool from_others_ = false;
  bool good_ = false;
};

/// The streams to a bolt from the component that its parameter `beside` names; none is a mistake,
/// and so is another grouping than all.
bool check_beside(const TopologyFile& file, const ComponentText& text, const Entry& entry,
                  const Settings& settings, Mistakes& mistakes) {
  const std::string& from = settings.text(entry.beside);
  bool good = true;
  bool any = false;
  for (const StreamText& stream : file.streams) {
    if (stream.to != text.id || stream.from != from) continue;
    any = true;
    if (stream.grouping.type == "all") continue;
    good = false;
    mistakes.add(stream.grouping.place,
                 fmt::format("all tasks of \"{}\" need the {} of \"{}\": give their stream the "
                             "grouping {{type: all}}",
                             text.id, entry.beside, from));
  }
  if (!any) {
    mistakes.add(settings.node(entry.beside)->place,
                 fmt::format("no stream leads from \"{}\" to \"{}\": {} names the component they "
                             "come from",
                             from, text.id, entry.beside));
  }
  return good && any;
}

/// It, or what was declared beside it and is named with it.
bool names(const std::string& message, const std::string& id) {
  return message.find('"' + id + '"') != std::string::npos ||
         message.find('"' + id + ' ') != std::string::npos;
}

/// What the graph itself finds, at the component that its sentence names.
void check_graph(const TopologyFile& file, Topology& topology, Mistakes& mistakes) {
  for (const Status& problem : topology.declaration().graph.validate()) {
    const ComponentText* named = nullptr;
    for (const auto* list : {&file.spouts, &file.bolts}) {
      for (const ComponentText& component : *list) {
        const bool fits = names(problem.message(), component.id);
        if (fits && (named == nullptr || component.id.size() > named->id.size())) {
          named = &component;
        }
      }
    }
    const bool timeless = problem.code() == Code::event_time_missing;
    mistakes.add(named ? named->place : file.place,
                 timeless && named ? timeless_message(*named) : problem.message());
  }
}

Entry without_key(Entry entry) {
  entry.keyed = Keyed::no;
  return entry;
}

class Builder {
 public:
  Builder(const TopologyFile& file, const Entries& entries, Topology& topology, Mistakes& mistakes)
      : file_(file), entries_(entries), topology_(topology), mistakes_(mistakes) {}

  void build() {
    topology_.configure(config_of(file_, mistakes_));
    if (file_.spouts.empty() && mistakes_.empty()) {
      mistakes_.add(file_.place, "the topology has no spouts: nothing would flow");
    }
    for (const ComponentText& spout : file_.spouts) make_spout(spout);
    std::vector<const ComponentText*> waiting;
    for (const ComponentText& bolt : file_.bolts) waiting.push_back(&bolt);
    while (!waiting.empty()) {
      const auto ready = std::find_if(waiting.begin(), waiting.end(),
                                      [this](const auto* bolt) { return inputs_are_made(*bolt); });
      if (ready == waiting.end()) break;
      const ComponentText& bolt = **ready;
      waiting.erase(ready);
      make_bolt(bolt);
    }
    for (const ComponentText* bolt : waiting) {
      std::set<std::string> seen;
      if (!leads_to(file_, bolt->id, bolt->id, seen)) continue;  // it only waits for those that do
      mistakes_.add(bolt->place, fmt::format("\"{}\" feeds itself over other bolts: take one of "
                                             "the streams away",
                                             bolt->id));
    }
    if (mistakes_.empty()) check_unread(file_, made_, mistakes_);
    if (mistakes_.empty()) check_graph(file_, topology_, mistakes_);
  }

 private:
  const Entry* entry_of(const ComponentText& component, bool spout) {
    if (component.type.empty()) return nullptr;
    const auto found = entries_.find(component.type);
    const auto fits = [spout](const Entry& entry) {
      return (entry.role == EntryRole::source) == spout;
    };
    if (found != entries_.end() && fits(found->second)) return &found->second;
    if (found != entries_.end()) {
      mistakes_.add(component.type_place,
                    fmt::format("{} is {}: put it among the {}", component.type,
                                spout ? "a bolt" : "a spout", spout ? "bolts" : "spouts"));
      return nullptr;
    }
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_) {
      if (fits(entry)) names.push_back(name);
    }
    const std::string near = nearest_word(component.type, names);
    mistakes_.add(component.type_place,
                  fmt::format("there is no {} \"{}\"{}", spout ? "spout" : "bolt", component.type,
                              near.empty() ? fmt::format("; there are {}", fmt::join(names, ", "))
                                           : ": did you mean \"" + near + "\"?"));
    return nullptr;
  }

  void make_spout(const ComponentText& text) {
    const Entry* const entry = entry_of(text, true);
    if (entry == nullptr) return;
    const Settings settings(entry->params, text, mistakes_);
    check_tasks(text, *entry, mistakes_);
    if (!gives_one(text, *entry, settings, mistakes_) || !settings.good()) return;
    made_[text.id] = entry->make({topology_, text, settings, mistakes_});
  }

  bool inputs_are_made(const ComponentText& bolt) const {
    for (const StreamText& stream : file_.streams) {
      if (stream.to != bolt.id || tried_.count(stream.from)) continue;
      const bool is_bolt =
          std::any_of(file_.bolts.begin(), file_.bolts.end(),
                      [&](const ComponentText& other) { return other.id == stream.from; });
      if (is_bolt) return false;
    }
    return true;
  }

  void make_bolt(const ComponentText& text) {
    tried_.insert(text.id);
    const Entry* const entry = entry_of(text, false);
    if (entry == nullptr) return;
    const Settings settings(entry->params, text, mistakes_);
    if (entry->joins) return make_join(text, *entry, settings);
    if (!entry->beside.empty() && settings.has(entry->beside))
      return make_with_beside(text, *entry, settings);
    const Wiring wiring = Wirer(file_, topology_, made_, mistakes_).wire(text, *entry);
    check_tasks(text, *entry, mistakes_);
    if (!gives_one(text, *entry, settings, mistakes_) || !settings.good() || !wiring.good) return;
    const RowStream input = row_stream(topology_.declaration(), wiring.from, wiring.schema);
    const bool only_tops =
        entry->role == EntryRole::aggregate && read_by_rankers_alone(file_, entries_, text.id);
    made_[text.id] = entry->make(
        {topology_, text, settings, mistakes_, &input, wiring.key, only_tops, wiring.ranked});
  }

  /// A bolt with two inputs.
  void make_join(const ComponentText& text, const Entry& entry, const Settings& settings) {
    if (!gives_one(text, entry, settings, mistakes_) || !settings.good()) return;
    const JoinSides sides(file_, text, settings, mistakes_);
    if (!sides.good()) return;
    Wirer wirer(file_, topology_, made_, mistakes_);
    const Wiring left =
        wirer.wire(text, entry, [&](const auto& one) { return sides.is_left(one); });
    const Wiring right =
        wirer.wire(text, entry, [&](const auto& one) { return !sides.is_left(one); });
    make_of_two(text, entry, settings, left, right);
  }

  /// A bolt with a stream to all its tasks beside its input.
  void make_with_beside(const ComponentText& text, const Entry& entry, const Settings& settings) {
    if (!gives_one(text, entry, settings, mistakes_) || !settings.good()) return;
    if (!check_beside(file_, text, entry, settings, mistakes_)) return;
    const std::string& from = settings.text(entry.beside);
    Wirer wirer(file_, topology_, made_, mistakes_);
    const Wiring wiring =
        wirer.wire(text, entry, [&](const auto& one) { return one.from != from; });
    Wiring beside =
        wirer.wire(text, without_key(entry), [&](const auto& one) { return one.from == from; });
    for (Upstream& at : beside.from) at.grouping = {};  // who hands them on to all deals with it
    make_of_two(text, entry, settings, wiring, beside);
  }
  void make_of_two(const ComponentText& text, const Entry& entry, const Settings& settings,
                   const Wiring& first, const Wiring& second) {
    if (!first.good || !second.good) return;
    Declaration& declaration = topology_.declaration();
    const RowStream input = row_stream(declaration, first.from, first.schema);
    const RowStream other = row_stream(declaration, second.from, second.schema);
    Making making{topology_, text, settings, mistakes_, &input, first.key};
    making.right = &other;
    making.right_key = second.key;
    made_[text.id] = entry.make(making);
  }

  const TopologyFile& file_;
  const Entries& entries_;
  Topology& topology_;
  Mistakes& mistakes_;
  std::map<std::string, MadeStreams> made_;
  std::set<std::string> tried_;
};

}  // namespace

Entries standard_entries() {
  Entries entries;
  add_source_entries(entries);
  add_journal_entries(entries);
  add_generated_entries(entries);
  add_verb_entries(entries);
  add_aggregate_entries(entries);
  add_ranking_entries(entries);
  add_pick_entries(entries);
  add_alert_entries(entries);
  add_join_entries(entries);
  add_as_of_entries(entries);
  add_table_entries(entries);
  add_call_entries(entries);
  add_geo_entries(entries);
  add_watch_entries(entries);
  add_match_entries(entries);
  add_notice_entries(entries);
  add_sink_entries(entries);
  return entries;
}

void build_topology(const TopologyFile& file, const Entries& entries, Topology& topology,
                    Mistakes& mistakes) {
  Builder(file, entries, topology, mistakes).build();
}

}  // namespace millrace::detail
