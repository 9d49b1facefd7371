// The one place that knows yaml-cpp.
#include "yaml/yaml_reader.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>

#include <fmt/format.h>

namespace millrace::detail {
namespace {

constexpr std::size_t kNodesMax = 100'000;
constexpr int kDepthMax = 64;

class Converter {
 public:
  Converter(std::shared_ptr<const SourceText> source, const Lookup& lookup, Mistakes& mistakes)
      : source_(std::move(source)), lookup_(lookup), mistakes_(mistakes) {}

  Place place_of(const YAML::Mark& mark) const {
    Place place{source_, 1, 1, 1};
    if (mark.is_null()) return place;
    place.line = static_cast<std::size_t>(mark.line) + 1;
    place.column = static_cast<std::size_t>(mark.column) + 1;
    return place;
  }

  ConfigNode convert(const YAML::Node& from, int depth) {
    ConfigNode node;
    node.place = place_of(from.Mark());
    if (++nodes_ > kNodesMax || depth > kDepthMax) {
      if (!stopped_) mistakes_.add(node.place, "the file is too large or too deep for a topology");
      stopped_ = true;
      return node;
    }
    if (from.IsScalar()) {
      scalar(from, node);
    } else if (from.IsSequence()) {
      node.kind = ConfigNode::Kind::list;
      for (const auto& item : from) node.items.push_back(convert(item, depth + 1));
    } else if (from.IsMap()) {
      node.kind = ConfigNode::Kind::map;
      for (const auto& entry : from) add_entry(node, entry.first, entry.second, depth);
    }
    return node;
  }

 private:
  void add_entry(ConfigNode& map, const YAML::Node& name, const YAML::Node& value, int depth) {
    ConfigNode key = convert(name, depth + 1);
    if (!key.is_scalar()) {
      mistakes_.add(key.place, fmt::format("a key is a text, not {}", key.words()));
      return;
    }
    if (const ConfigNode* const before = map.key(key.text)) {
      mistakes_.add(key.place, fmt::format("\"{}\" comes twice, first in line {}: leave one away",
                                           key.text, before->place.line));
      return;
    }
    map.entries.push_back({std::move(key), convert(value, depth + 1)});
    ConfigNode& added = map.entries.back().value;
    if (added.is_null()) added.place = map.entries.back().key.place;  // it has none of its own
  }

  void scalar(const YAML::Node& from, ConfigNode& node) {
    node.kind = ConfigNode::Kind::scalar;
    node.text = from.Scalar();
    node.quoted = from.Tag() == "!";
    const std::size_t at = offset_of(node.place) + (node.quoted ? 1 : 0);
    node.one_to_one = source_->text.compare(at, node.text.size(), node.text) == 0 &&
                      node.text.find('\n') == std::string::npos;
    const bool shown = node.one_to_one && !node.text.empty();
    node.place.width = shown ? characters(node.text) + (node.quoted ? 2 : 0) : 1;
    if (node.text.find("${") != std::string::npos) substitute(node);
  }

  std::size_t offset_of(const Place& place) const {
    std::size_t at = 0;
    for (std::size_t line = 1; line < place.line && at < source_->text.size(); ++line) {
      at = source_->text.find('\n', at) + 1;
    }
    for (std::size_t column = 1; column < place.column && at < source_->text.size();) {
      ++at;
      if (at >= source_->text.size() || (source_->text[at] & 0xc0) != 0x80) ++column;
    }
    return std::min(at, source_->text.size());
  }
  static std::size_t characters(const std::string& text) {
    std::size_t count = 0;
    for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    return count;
  }

  void substitute(ConfigNode& node) {
    std::string out;
    const std::string text = std::move(node.text);
    for (std::size_t at = 0; at < text.size();) {
      if (text.compare(at, 3, "$${") == 0) {
        out += "${";
        at += 3;
      } else if (text.compare(at, 2, "${") != 0) {
        out += text[at++];
      } else if (const std::size_t end = text.find('}', at); end == std::string::npos) {
        mistakes_.add(node.place_of(at), "this ${ has no }: close it, or write $${ for the text");
        out.append(text, at);
        break;
      } else {
        out += value_of(node, at, text.substr(at + 2, end - at - 2));
        at = end + 1;
      }
    }
    node.text = std::move(out);
    node.one_to_one = false;
  }
  std::string value_of(const ConfigNode& node, std::size_t at, const std::string& inside) {
    const std::size_t otherwise = inside.find(":-");
    const std::string name = inside.substr(0, otherwise);
    if (auto value = lookup_(name)) return *value;
    if (otherwise != std::string::npos) return inside.substr(otherwise + 2);
    Place place = node.place_of(at);
    place.width = characters(inside) + 3;
    mistakes_.add(
        place,
        name.starts_with("ENV-")
            ? fmt::format("the environment has no {}: set it, or give another value: ${{{}:-...}}",
                          name.substr(4), name)
            : fmt::format("there is no property \"{}\": give it with --property {}=..., or write "
                          "${{{}:-...}}; variables of the environment are ${{ENV-NAME}}",
                          name, name, name));
    return {};
  }

  std::shared_ptr<const SourceText> source_;
  const Lookup& lookup_;
  Mistakes& mistakes_;
  std::size_t nodes_ = 0;
  bool stopped_ = false;
};

}  // namespace

ConfigNode read_yaml(std::shared_ptr<const SourceText> source, const Lookup& lookup,
                     Mistakes& mistakes) {
  Converter converter(source, lookup, mistakes);
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(source->text);
    if (documents.empty()) return {};
    if (documents.size() > 1) {
      mistakes.add(converter.place_of(documents[1].Mark()),
                   "a file holds one topology: put what follows the --- into a file of its own");
    }
    return converter.convert(documents.front(), 0);
  } catch (const YAML::Exception& error) {
    mistakes.add(converter.place_of(error.mark), fmt::format("this is no YAML: {}", error.msg));
    return {};
  }
}

}  // namespace millrace::detail
