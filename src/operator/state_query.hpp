// StateQuery: what a test asks of the state of a component, and what its operators answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <vector>

#include "base/time.hpp"

namespace millrace::detail {

/// Asked of each task of a component in turn.
struct StateQuery {
  /// The key as its view type, or any integer; null: the question is not about a key.
  const void* key = nullptr;
  std::type_index key_type = typeid(void);
  std::optional<std::int64_t> integer = {};
  std::string state = {};                     ///< its name; empty: only the timers
  std::type_index state_type = typeid(void);  ///< ValueState<...>, ...

  // Answers.
  bool key_fits = false;                ///< the component has keys of that type
  bool state_fits = false;              ///< the component has such a state of that name and type
  std::vector<std::string> known = {};  ///< "value state \"sum\"", ...: what it has
  /// The content of the state of that key in that task, of the type `Content` of the state; null:
  /// it has none. Valid until the run goes on.
  const void* content = nullptr;
  std::vector<Time> event_timers = {};  ///< pending of the key, ascending
  std::vector<Time> clock_timers = {};
};

/// An operator whose state can be read. Between two calls, by its thread.
class Inspectable {
 public:
  virtual ~Inspectable() = default;
  virtual void inspect(StateQuery& query) = 0;
};

/// The key that is asked for as a K; nullopt when it is of another type.
template <class K>
std::optional<K> asked_key(const StateQuery& query) {
  if constexpr (std::is_integral_v<K> || std::is_enum_v<K>) {
    if (query.integer) return static_cast<K>(*query.integer);
  }
  if (query.key == nullptr || query.key_type != std::type_index(typeid(K))) return std::nullopt;
  return *static_cast<const K*>(query.key);
}

}  // namespace millrace::detail
