// Config: settings of a component or topology as texts by name, read as the type that is asked for.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/time.hpp"

namespace millrace {

namespace detail {

bool parse_setting(std::string_view text, bool& value);
bool parse_setting(std::string_view text, std::int64_t& value);
bool parse_setting(std::string_view text, std::uint64_t& value);
bool parse_setting(std::string_view text, double& value);
bool parse_setting(std::string_view text, Duration& value);

/// Throws std::invalid_argument with the name, the text and what was wanted.
[[noreturn]] void refuse_setting(std::string_view name, std::string_view text, const char* wanted);
[[noreturn]] void miss_setting(std::string_view name);

template <class>
inline constexpr bool kNotASetting = false;

}  // namespace detail

/// Settings by name: `{.config = {{"retries", "3"}, {"timeout", "250ms"}}}`. Cheap to read in
/// prepare(), not meant for every record.
class Config {
 public:
  using Entries = std::map<std::string, std::string, std::less<>>;

  Config() = default;
  Config(std::initializer_list<Entries::value_type> entries) : entries_(entries) {}
  explicit Config(Entries entries) : entries_(std::move(entries)) {}

  bool has(std::string_view name) const { return entries_.find(name) != entries_.end(); }
  const Entries& entries() const { return entries_; }
  void set(std::string name, std::string value) {
    entries_.insert_or_assign(std::move(name), std::move(value));
  }
  /// The settings here, and those of `wider` that are not set here.
  Config over(const Config& wider) const {
    Config both = *this;
    both.entries_.insert(wider.entries_.begin(), wider.entries_.end());
    return both;
  }

  /// The setting as V: bool ("true", "false"), an integer, a floating-point number, std::string or
  /// Duration ("250ms"). Throws std::invalid_argument with a sentence when it is missing or no V.
  template <class V>
  V get(std::string_view name) const {
    const auto found = entries_.find(name);
    if (found == entries_.end()) detail::miss_setting(name);
    return parse<V>(name, found->second);
  }
  /// The same with `otherwise` where it is missing.
  template <class V>
  V get(std::string_view name, V otherwise) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? std::move(otherwise) : parse<V>(name, found->second);
  }

 private:
  template <class V>
  static V parse(std::string_view name, const std::string& text) {
    if constexpr (std::is_same_v<V, std::string>) {
      return text;
    } else if constexpr (std::is_same_v<V, bool>) {
      return read<bool, bool>(name, text, "true or false");
    } else if constexpr (std::is_same_v<V, Duration>) {
      return read<Duration, Duration>(name, text, "a duration such as 250ms");
    } else if constexpr (std::is_integral_v<V>) {
      using Wide = std::conditional_t<std::is_signed_v<V>, std::int64_t, std::uint64_t>;
      return read<V, Wide>(name, text, "an integer in range");
    } else if constexpr (std::is_floating_point_v<V>) {
      return read<V, double>(name, text, "a number");
    } else {
      static_assert(detail::kNotASetting<V>,
                    "millrace: a setting is read as bool, an integer, a floating-point number, "
                    "std::string or Duration");
    }
  }
  template <class V, class Wide>
  static V read(std::string_view name, std::string_view text, const char* wanted) {
    Wide value{};
    if (!detail::parse_setting(text, value)) detail::refuse_setting(name, text, wanted);
    if constexpr (std::is_integral_v<V> && !std::is_same_v<V, bool>) {
      if (!std::in_range<V>(value)) detail::refuse_setting(name, text, wanted);
    }
    return static_cast<V>(value);
  }

  Entries entries_;
};

}  // namespace millrace
