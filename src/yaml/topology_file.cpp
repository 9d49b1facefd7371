// The shape of a topology file: what may stand where.
#include "yaml/topology_file.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"

namespace millrace::detail {
namespace {

using Keys = std::vector<std::string>;

constexpr int kTasksMax = 128;
/// So that what is made beside a component can be called after it.
constexpr std::size_t kIdBytesMax = 56;

/// What every part of a file is checked by.
class ShapeChecks {
 protected:
  explicit ShapeChecks(Mistakes& mistakes) : mistakes_(mistakes) {}

  void allow(const ConfigNode& map, const Keys& known, std::string_view what) {
    for (const auto& [key, value] : map.entries) {
      if (std::find(known.begin(), known.end(), key.text) != known.end()) continue;
      std::string near = nearest_word(key.text, known);
      if (key.text == "className" && near.empty()) near = "type";
      if ((key.text == "properties" || key.text == "constructorArgs") && near.empty()) {
        near = "with";
      }
      const bool fits = std::find(known.begin(), known.end(), near) != known.end();
      mistakes_.add(key.place,
                    fmt::format("{} has no \"{}\"{}", what, key.text,
                                fits ? ": did you mean \"" + near + "\"?"
                                     : fmt::format("; it has {}", fmt::join(known, ", "))));
    }
  }
  bool is(const ConfigNode& node, ConfigNode::Kind kind, std::string_view what) {
    if (node.kind == kind) return true;
    static constexpr const char* kWanted[] = {"nothing", "a text", "a list", "a map"};
    mistakes_.add(node.place, fmt::format("{} is {}, found {}", what,
                                          kWanted[static_cast<int>(kind)], node.words()));
    return false;
  }
  /// The text of a key, "" with a mistake when it is none.
  std::string text_of(const ConfigNode& map, std::string_view key, std::string_view what,
                      Place* place = nullptr) {
    const ConfigNode* const value = map.find(key);
    if (value == nullptr) {
      mistakes_.add(map.place, fmt::format("{} needs \"{}\"", what, key));
      return {};
    }
    if (place) *place = value->place;
    if (!is(*value, ConfigNode::Kind::scalar, fmt::format("\"{}\"", key))) return {};
    if (value->text.empty()) {
      mistakes_.add(value->place, fmt::format("\"{}\" is empty", key));
    }
    return value->text;
  }
  template <class Use>
  void each(const ConfigNode& root, std::string_view key, Use&& use) {
    const ConfigNode* const list = root.find(key);
    if (list == nullptr || list->is_null()) return;
    if (!is(*list, ConfigNode::Kind::list, fmt::format("\"{}\"", key))) return;
    for (const ConfigNode& item : list->items) use(item);
  }

  Mistakes& mistakes_;
};  // namespace

/// Reads spouts, bolts and streams.
class PartReader : ShapeChecks {
 public:
  explicit PartReader(Mistakes& mistakes) : ShapeChecks(mistakes) {}

  void read_component(const ConfigNode& item, std::string_view what, bool may_override,
                      TopologyFile& file, std::vector<ComponentText>& list) {
    if (!is(item, ConfigNode::Kind::map, what)) return;
    allow(item, {"id", "type", "parallelism", "with"}, what);
    ComponentText component;
    component.place = component.type_place = item.place;
    component.override_allowed = may_override;
    component.id = text_of(item, "id", what, &component.place);
    component.type = text_of(item, "type", what, &component.type_place);
    if (const ConfigNode* const tasks = item.find("parallelism")) read_tasks(*tasks, component);
    if (const ConfigNode* const settings = item.find("with")) {
      if (settings->is_null() || is(*settings, ConfigNode::Kind::map, "\"with\"")) {
        component.settings = *settings;
      }
    }
    if (component.id.size() > kIdBytesMax) {
      mistakes_.add(component.place, fmt::format("an id has at most {} bytes", kIdBytesMax));
    }
    if (taken(component, file)) return;
    list.push_back(std::move(component));
  }
  void read_stream(const ConfigNode& item, TopologyFile& file) {
    if (!is(item, ConfigNode::Kind::map, "a stream")) return;
    allow(item, {"name", "from", "to", "grouping"}, "a stream");
    StreamText stream;
    stream.place = item.place;
    stream.from = text_of(item, "from", "a stream", &stream.from_place);
    stream.to = text_of(item, "to", "a stream", &stream.to_place);
    stream.grouping.place = item.place;
    if (const ConfigNode* const grouping = item.find("grouping")) {
      read_grouping(*grouping, stream.grouping);
    }
    file.streams.push_back(std::move(stream));
  }

 private:
  bool taken(const ComponentText& component, const TopologyFile& file) {
    if (component.id.empty()) return false;
    for (const auto* list : {&file.spouts, &file.bolts}) {
      for (const ComponentText& other : *list) {
        if (other.id != component.id) continue;
        // What includes a file stands before it, and may go first.
        if (component.override_allowed) return true;
        mistakes_.add(component.place,
                      fmt::format("the id \"{}\" is taken, in {}:{}: give another", component.id,
                                  other.place.source->path, other.place.line));
        return true;
      }
    }
    return false;
  }
  void read_tasks(const ConfigNode& node, ComponentText& component) {
    int tasks = 0;
    const char* const end = node.text.data() + node.text.size();
    const auto read = std::from_chars(node.text.data(), end, tasks);
    if (!node.is_scalar() || read.ec != std::errc() || read.ptr != end || tasks < 1 ||
        tasks > kTasksMax) {
      mistakes_.add(node.place,
                    fmt::format("\"parallelism\" is a whole number from 1 to {}", kTasksMax));
      return;
    }
    component.parallelism = tasks;
    component.parallelism_place = node.place;
  }
  void read_grouping(const ConfigNode& node, GroupingText& grouping) {
    grouping.place = node.place;
    if (node.is_scalar()) {
      grouping.type = kind_of(node);
      check_args(grouping);
      return;
    }
    if (!is(node, ConfigNode::Kind::map, "\"grouping\"")) return;
    allow(node, {"type", "args", "streamId"}, "a grouping");
    if (const ConfigNode* const type = node.find("type")) {
      grouping.place = type->place;
      grouping.type = kind_of(*type);
    }
    if (const ConfigNode* const stream = node.find("streamId")) {
      grouping.stream = stream->text;
      grouping.stream_place = stream->place;
    }
    each(node, "args", [&](const ConfigNode& item) {
      if (is(item, ConfigNode::Kind::scalar, "an argument of a grouping")) {
        grouping.args.push_back(item);
      }
    });
    check_args(grouping);
  }
  void check_args(const GroupingText& grouping) {
    if (grouping.type.empty()) return;
    const bool by_fields = grouping.type == "fields" || grouping.type == "partial_key";
    if (by_fields && grouping.args.empty()) {
      mistakes_.add(grouping.place, fmt::format("the grouping {} needs the fields: {{type: {}, "
                                                "args: [field]}}",
                                                grouping.type, grouping.type));
    }
    if (!by_fields && !grouping.args.empty()) {
      mistakes_.add(grouping.args.front().place,
                    fmt::format("the grouping {} takes no args", grouping.type));
    }
  }
  /// The name of a grouping, in any case as Flux takes it; "" with a mistake for others.
  std::string kind_of(const ConfigNode& node) {
    static const Keys kKinds = {"shuffle", "fields", "partial_key", "local_or_shuffle",
                                "global",  "all",    "none",        "direct",
                                "custom"};
    std::string kind = node.text;
    for (char& c : kind) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end()) {
      const std::string near = nearest_word(kind, kKinds);
      mistakes_.add(node.place, fmt::format("there is no grouping \"{}\"{}", node.text,
                                            near.empty() ? fmt::format("; there are {}",
                                                                       fmt::join(kKinds, ", "))
                                                         : ": did you mean \"" + near + "\"?"));
      return "";
    }
    if (kind == "direct" || kind == "custom") {
      mistakes_.add(node.place,
                    fmt::format("the grouping {} needs a class in C++ that chooses the task: it "
                                "cannot stand in a file",
                                kind));
      return "";
    }
    return kind;
  }
};

/// Reads files and what they include.
class ShapeReader : ShapeChecks {
 public:
  ShapeReader(const FileAccess& access, Mistakes& mistakes)
      : ShapeChecks(mistakes), access_(access), parts_(mistakes) {}

  void read_file(const std::string& path, const Place* from, bool may_override,
                 TopologyFile& file) {
    if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
      mistakes_.add(*from, fmt::format("{} includes itself: leave this include away", path));
      return;
    }
    auto source = std::make_shared<SourceText>();
    source->path = path;
    auto text = access_.read(path);
    if (!text) {
      mistakes_.add(from ? *from : Place{source, 1, 1, 1}, text.error().message());
      return;
    }
    source->text = std::move(*text);
    if (!from) file.place = {source, 1, 1, 1};
    const std::size_t before = mistakes_.size();
    const ConfigNode root = read_yaml(source, access_.lookup, mistakes_);
    if (root.is_null() && mistakes_.size() != before) return;
    if (!root.is_map()) {
      mistakes_.add({source, 1, 1, 1},
                    fmt::format("a topology is a map with name, spouts, bolts and streams, not {}",
                                root.words()));
      return;
    }
    open_.push_back(path);
    read_root(root, from == nullptr, may_override, file);
    open_.pop_back();
  }

  void check_streams(const TopologyFile& file) {
    std::set<std::string> spouts;
    std::set<std::string> bolts;
    for (const ComponentText& spout : file.spouts) spouts.insert(spout.id);
    for (const ComponentText& bolt : file.bolts) bolts.insert(bolt.id);
    Keys all(spouts.begin(), spouts.end());
    all.insert(all.end(), bolts.begin(), bolts.end());
    for (const StreamText& stream : file.streams) {
      if (!stream.from.empty() && !spouts.count(stream.from) && !bolts.count(stream.from)) {
        mistakes_.add(stream.from_place, unknown_component(stream.from, all));
      }
      if (stream.to.empty() || bolts.count(stream.to)) continue;
      mistakes_.add(stream.to_place,
                    spouts.count(stream.to)
                        ? fmt::format("\"{}\" is a spout: nothing flows into it", stream.to)
                        : unknown_component(stream.to, Keys(bolts.begin(), bolts.end())));
    }
  }

 private:
  static std::string unknown_component(const std::string& id, const Keys& known) {
    const std::string near = nearest_word(id, known);
    return fmt::format(
        "there is no component \"{}\"{}", id,
        near.empty() ? ": give it among spouts or bolts" : ": did you mean \"" + near + "\"?");
  }

  void read_root(const ConfigNode& root, bool first, bool may_override, TopologyFile& file) {
    allow(root, {"name", "config", "spouts", "bolts", "streams", "includes"}, "a topology");
    if (first) {
      file.name = text_of(root, "name", "a topology");
    } else if (root.find("name") && file.name.empty()) {
      file.name = root.find("name")->text;
    }
    read_config(root, file);
    each(root, "spouts", [&](const ConfigNode& item) {
      parts_.read_component(item, "a spout", may_override, file, file.spouts);
    });
    each(root, "bolts", [&](const ConfigNode& item) {
      parts_.read_component(item, "a bolt", may_override, file, file.bolts);
    });
    each(root, "streams", [&](const ConfigNode& item) { parts_.read_stream(item, file); });
    each(root, "includes", [&](const ConfigNode& item) { read_include(item, file); });
  }
  void read_config(const ConfigNode& root, TopologyFile& file) {
    const ConfigNode* const config = root.find("config");
    if (config == nullptr || config->is_null()) return;
    if (!is(*config, ConfigNode::Kind::map, "\"config\"")) return;
    for (const auto& entry : config->entries) {
      if (file.config.find(entry.key.text) == nullptr) file.config.entries.push_back(entry);
    }
    file.config.kind = ConfigNode::Kind::map;
  }

  void read_include(const ConfigNode& item, TopologyFile& file) {
    std::string path = item.text;
    bool may_override = false;
    Place place = item.place;
    if (item.is_map()) {
      allow(item, {"file", "override"}, "an include");
      path = text_of(item, "file", "an include", &place);
      if (const ConfigNode* const flag = item.find("override")) {
        may_override = flag->text == "true";
        if (flag->text != "true" && flag->text != "false") {
          mistakes_.add(flag->place, "\"override\" is true or false");
        }
      }
    } else if (!is(item, ConfigNode::Kind::scalar, "an include")) {
      return;
    }
    if (path.empty()) return;
    const std::filesystem::path base = std::filesystem::path(place.source->path).parent_path();
    read_file((base / path).lexically_normal().string(), &place, may_override, file);
  }

  const FileAccess& access_;
  PartReader parts_;
  std::vector<std::string> open_;
};

}  // namespace

TopologyFile read_topology(const std::string& path, const FileAccess& access, Mistakes& mistakes) {
  TopologyFile file;
  ShapeReader reader(access, mistakes);
  reader.read_file(path, nullptr, false, file);
  reader.check_streams(file);
  return file;
}

}  // namespace millrace::detail
