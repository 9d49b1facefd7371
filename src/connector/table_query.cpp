// Keys, ranges, windows and pages out of the text of a query.
#include "connector/table_query.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "record/json_token.hpp"

namespace millrace::detail {
namespace {

constexpr std::size_t kLimitMost = 1000;

using Parameters = std::vector<std::pair<std::string, std::string>>;

/// A value of a key as it was given; nullopt: null.
using Word = std::optional<std::string>;

const std::vector<std::string>& parameters() {
  static const std::vector<std::string> kNames = {
      "key", "prefix", "from", "until", "windows_from", "windows_until", "limit", "after"};
  return kNames;
}

std::string_view without_spaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// The end of the first value of a list's inside: the place of its comma, or the end.
std::size_t end_of_value(std::string_view inside) {
  bool quoted = false;
  for (std::size_t at = 0; at < inside.size(); ++at) {
    if (quoted && inside[at] == '\\') {
      ++at;
    } else if (inside[at] == '"') {
      quoted = !quoted;
    } else if (inside[at] == ',' && !quoted) {
      return at;
    }
  }
  return inside.size();
}

bool read_word(std::string_view token, Word& word) {
  if (token == "null") {
    word.reset();
    return true;
  }
  if (token.size() >= 2 && token.front() == '"' && token.back() == '"') {
    const std::string_view raw = token.substr(1, token.size() - 2);
    std::string text(raw.size(), '\0');
    char* const end = unescape_json(raw, text.data());
    if (end == nullptr) return false;
    text.resize(static_cast<std::size_t>(end - text.data()));
    word = std::move(text);
    return true;
  }
  word = std::string(token);
  return token == "true" || token == "false" || is_json_number(token);
}

/// A flat JSON list.
std::optional<std::vector<Word>> read_list(std::string_view text) {
  text = without_spaces(text);
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return std::nullopt;
  std::string_view inside = text.substr(1, text.size() - 2);
  std::vector<Word> words;
  for (;;) {
    const std::size_t end = end_of_value(inside);
    Word word;
    if (!read_word(without_spaces(inside.substr(0, end)), word)) return std::nullopt;
    words.push_back(std::move(word));
    if (end == inside.size()) return words;
    inside.remove_prefix(end + 1);
  }
}

/// Reads keys of a table; the first sentence that says what is wrong stays.
class KeyReading {
 public:
  explicit KeyReading(const ServedShape& shape) : shape_(shape) {}

  const ServedShape& shape() const { return shape_; }
  const std::string& wrong() const { return wrong_; }
  void refuse(std::string why) { wrong_ = std::move(why); }

  /// The bytes of a key, or of its first parts.
  std::optional<std::string> key(const std::string& name, const std::string& value) {
    std::vector<Word> words;
    std::string bytes;
    if (!words_of(name, value, words) || !append_words(name, words, bytes)) return std::nullopt;
    return bytes;
  }
  /// The bytes that the keys begin with whose last given text begins so.
  std::optional<std::string> beginning(const std::string& value) {
    std::vector<Word> words;
    if (!words_of("prefix", value, words)) return std::nullopt;
    const KeyPart& part = shape_.key[words.size() - 1];
    if (part.kind != KeyPartKind::text || !words.back()) {
      refuse(
          fmt::format("prefix: the field \"{}\" of the key is {}, and only a text has a prefix: "
                      "give from and until",
                      part.name, describe(part.kind)));
      return std::nullopt;
    }
    const std::string begin = *words.back();
    words.pop_back();
    std::string bytes;
    if (!append_words("prefix", words, bytes)) return std::nullopt;
    append_ordered_beginning(bytes, begin);
    return bytes;
  }

 private:
  std::string key_names() const {
    std::string names;
    for (const KeyPart& part : shape_.key) names += (names.empty() ? "" : ", ") + part.name;
    return names;
  }
  /// The words of a key; of several parts a list, of which the last ones may be left out.
  bool words_of(const std::string& name, const std::string& value, std::vector<Word>& words) {
    if (shape_.key.size() == 1) {
      words = {value};
      return true;
    }
    auto list = read_list(value);
    if (!list || list->size() > shape_.key.size()) {
      refuse(
          fmt::format("{} \"{}\": the key of this table is of {} fields, {}: give a JSON list of "
                      "as many values, or of the first ones",
                      name, value, shape_.key.size(), key_names()));
      return false;
    }
    words = std::move(*list);
    return true;
  }
  bool append_words(const std::string& name, const std::vector<Word>& words, std::string& bytes) {
    for (std::size_t at = 0; at < words.size(); ++at) {
      const KeyPart& part = shape_.key[at];
      if (!words[at]) {
        append_ordered_null(bytes);
      } else if (!append_ordered_word(bytes, part, *words[at])) {
        refuse(fmt::format("{} \"{}\": the field \"{}\" of the key is {}", name, *words[at],
                           part.name, describe(part.kind)));
        return false;
      }
    }
    return true;
  }

  const ServedShape& shape_;
  std::string wrong_;
};

/// Reads the parameters of one request.
class Reading {
 public:
  explicit Reading(const ServedShape& shape) : keys_of_(shape) {}

  TableQuery read(const Parameters& query) {
    for (const auto& [name, value] : query) {
      if (keys_of_.wrong().empty()) take(name, value);
    }
    if (keys_of_.wrong().empty()) finish();
    return {std::move(question_), keys_of_.wrong()};
  }

 private:
  void take(const std::string& name, const std::string& value) {
    if (name == "key") return take_key(value);
    if (name == "prefix") return take_prefix(value);
    if (name == "from") return take_bound(name, value, from_);
    if (name == "until") return take_bound(name, value, until_);
    if (name == "windows_from") return take_time(name, value, question_.windows_from);
    if (name == "windows_until") return take_time(name, value, question_.windows_until);
    if (name == "limit") return take_limit(value);
    if (name == "after") return take_after(value);
    const std::string near = nearest_word(name, parameters());
    refuse(fmt::format("there is no parameter \"{}\"{}", name,
                       near.empty() ? fmt::format("; there are {}", fmt::join(parameters(), ", "))
                                    : fmt::format(": did you mean \"{}\"?", near)));
  }
  void refuse(std::string why) { keys_of_.refuse(std::move(why)); }
  void refuse_twice(const std::string& name) {
    refuse(name + " is given twice: several keys are asked for by key");
  }

  void take_key(const std::string& value) {
    if (auto key = keys_of_.key("key", value)) {
      std::string behind = behind_all(*key);
      keys_.push_back({std::move(*key), std::move(behind)});
    }
  }
  void take_prefix(const std::string& value) {
    if (prefix_) return refuse_twice("prefix");
    if (auto begin = keys_of_.beginning(value)) {
      std::string behind = behind_all(*begin);
      prefix_ = KeyRange{std::move(*begin), std::move(behind)};
    }
  }
  void take_bound(const std::string& name, const std::string& value,
                  std::optional<std::string>& bound) {
    if (bound) return refuse_twice(name);
    bound = keys_of_.key(name, value);
  }
  void take_time(const std::string& name, const std::string& value, std::optional<Time>& time) {
    if (!keys_of_.shape().windowed)
      return refuse(name + ": the rows of this table have no windows");
    if (time) return refuse_twice(name);
    time = parse_iso_time(value);
    if (!time) refuse(fmt::format("{} \"{}\": give a time as 2015-09-12T06:00:00Z", name, value));
  }
  void take_limit(const std::string& value) {
    std::size_t limit = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), limit);
    const bool is_number = error == std::errc() && end == value.data() + value.size();
    if (!is_number || limit < 1 || limit > kLimitMost) {
      refuse(fmt::format("limit \"{}\": give 1 to {} rows a page", value, kLimitMost));
    }
    question_.limit = limit;
  }
  void take_after(const std::string& value) {
    std::string text = value;
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    question_.after.assign(base64_bytes_max(text.size()), '\0');
    question_.after.resize(decode_base64(text, question_.after.data()).value_or(0));
    if (question_.after.empty()) {
      refuse(
          fmt::format("after \"{}\": give what an answer to the same question has as next", value));
    }
  }

  void finish() {
    const int ways = int{!keys_.empty()} + int{prefix_.has_value()} + int{from_ || until_};
    if (ways > 1) return refuse("give one of key, prefix, and from with until");
    if (prefix_) {
      question_.ranges = {*prefix_};
    } else if (keys_.empty()) {
      question_.ranges = {{from_.value_or(""), until_.value_or("")}};
    } else {
      merge_keys();
    }
  }
  /// Ascending, each row once.
  void merge_keys() {
    std::ranges::sort(keys_, {}, &KeyRange::from);
    auto& merged = question_.ranges;
    for (KeyRange& range : keys_) {
      if (merged.empty() || merged.back().until <= range.from) {
        merged.push_back(std::move(range));
      } else {
        merged.back().until = std::max(merged.back().until, range.until);
      }
    }
  }

  KeyReading keys_of_;
  ServedQuestion question_;
  std::vector<KeyRange> keys_;
  std::optional<KeyRange> prefix_;
  std::optional<std::string> from_;
  std::optional<std::string> until_;
};

}  // namespace

std::string page_token(std::string_view key) {
  std::string token;
  append_base64(token, key);
  token.erase(std::ranges::find(token, '='), token.end());
  std::ranges::replace(token, '+', '-');
  std::ranges::replace(token, '/', '_');
  return token;
}

TableQuery read_table_query(const ServedTable& table, const Parameters& query) {
  return Reading(table.shape()).read(query);
}

}  // namespace millrace::detail
