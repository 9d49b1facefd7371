// TestedState: what a test driver reads of the states, timers and windows of a topology at rest.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <vector>

#include "operator/state_query.hpp"
#include "runtime/driven_topology.hpp"
#include "state/stored_key.hpp"

namespace millrace {

/// An aggregate that is not final yet: of a key in a window, or of all so far.
struct HeldValue {
  /// A std::variant of std::monostate (null), bool, std::int64_t, double, std::string, Timestamp.
  using Cell = detail::Value;

  std::string key;                        ///< as text; of several members a JSON list
  std::optional<Timestamp> window_start;  ///< nullopt: of no window of time
  std::optional<Timestamp> window_end;    ///< of a session as far as it reaches now
  /// The value, of a struct a cell of each member; none where the row would be refused.
  std::vector<Cell> values;

  friend bool operator==(const HeldValue&, const HeldValue&) = default;
};

/// An entry of what a component keeps, as an image of an epoch has it.
struct KeptValue {
  std::string state;               ///< its name: of a state of process that of the member
  std::string key;                 ///< JSON; empty: it is of no key
  std::optional<Timestamp> start;  ///< of a pane or session
  std::optional<Timestamp> end;    ///< of a window or session; of a record that waits its time
  std::string value;               ///< JSON

  friend bool operator==(const KeptValue&, const KeptValue&) = default;
};

/// A base of TestDriver. All calls read only; the first one begins the run, if nothing has.
class TestedState {
 public:
  /// What a component behind key_by has for `key` in the state of that name (as its class calls
  /// the member): state<ValueState<int>>("carts", "open", "ann") gives a std::optional<int>, of a
  /// ListState a std::vector, of a MapState a std::map; empty when the key has none. As of the
  /// component's watermark: what lived to its end is gone. Throws Error (2002, 2010), naming the
  /// states there are.
  template <class State, class Key>
  typename State::Content state(const std::string& component, const std::string& name,
                                const Key& key) {
    detail::StateQuery query = ask(component, key, name, typeid(State));
    if (!query.state_fits) refuse_state(component, name, query);
    if (query.content == nullptr) return {};
    return *static_cast<const typename State::Content*>(query.content);
  }
  /// What a component that is connected to a broadcast stream holds of it (its first task; all have
  /// the same): broadcast_state<BroadcastState<std::string, Rule>>("matcher").
  template <class State>
  typename State::Map broadcast_state(const std::string& component) {
    detail::StateQuery query;
    query.state_type = typeid(State);
    driven_->inspect(component, query);
    if (!query.state_fits) refuse_state(component, "", query);
    return *static_cast<const typename State::Map*>(query.content);
  }
  /// What an aggregate holds: each key of each window that may still emit, or of running ones each
  /// key; by window, then by key. Records that wait for the watermark, because they are late or
  /// counted in order, are not in it yet. Throws Error (2002, 2010). Cost: O(entries).
  std::vector<HeldValue> held(const std::string& component) {
    std::vector<HeldValue> held;
    for (detail::HeldAggregate& one : driven_->held(component)) {
      HeldValue value{std::move(one.key), {}, {}, std::move(one.values)};
      if (one.start != kTimeMin) value.window_start = Timestamp{one.start};
      if (one.end != kTimeMax) value.window_end = Timestamp{one.end};
      held.push_back(std::move(value));
    }
    return held;
  }
  /// All that a component keeps beyond a call, whatever it is: order buffers, marks of seen keys,
  /// ranked records, baselines, open windows, states and timers; what `millrace checkpoints show`
  /// prints of an epoch. In the order of tasks and key groups. Of an aggregate in two phases what
  /// the second one keeps; held() has both. Of partial matches of patterns their bytes are counted
  /// alone. Throws Error: 2002, 3003 where a state is of a type that cannot be stored. Cost:
  /// O(bytes of an image).
  std::vector<KeptValue> kept(const std::string& component) {
    std::vector<KeptValue> kept;
    for (detail::KeptEntry& one : driven_->kept(component)) {
      KeptValue value{std::move(one.state), std::move(one.key), {}, {}, std::move(one.value)};
      if (one.start != kTimeMin) value.start = Timestamp{one.start};
      if (one.end != kTimeMin) value.end = Timestamp{one.end};
      kept.push_back(std::move(value));
    }
    return kept;
  }
  /// The pending timers of a key, ascending: of event time, and of the wall clock.
  template <class Key>
  std::vector<Timestamp> timers(const std::string& component, const Key& key) {
    return stamps(ask(component, key, "", typeid(void)).event_timers);
  }
  template <class Key>
  std::vector<Timestamp> clock_timers(const std::string& component, const Key& key) {
    return stamps(ask(component, key, "", typeid(void)).clock_timers);
  }
  /// The watermark at which the first open window of a component fires; nullopt: none is open.
  std::optional<Timestamp> next_window(const std::string& component) {
    const detail::Report report = driven_->report();
    const auto closes = driven_->component(report, component).closes_at;
    if (!closes) return std::nullopt;
    return Timestamp{*closes};
  }

 protected:
  explicit TestedState(std::unique_ptr<detail::DrivenTopology> driven)
      : driven_(std::move(driven)) {}

  std::unique_ptr<detail::DrivenTopology> driven_;

 private:
  template <class Key>
  detail::StateQuery ask(const std::string& component, const Key& key, const std::string& state,
                         std::type_index type) {
    using View = detail::KeyView<const Key&>;
    const View view(key);
    detail::StateQuery query;
    query.key = &view;
    query.key_type = typeid(View);
    if constexpr (std::is_integral_v<View>) query.integer = static_cast<std::int64_t>(view);
    query.state = state;
    query.state_type = type;
    driven_->inspect(component, query);
    query.key = nullptr;
    if (!query.key_fits) {
      throw Error({Code::parameter_invalid,
                   "test driver: the keys of \"" + component +
                       "\" are of another type: give one as key_by takes it, of several members a "
                       "std::tuple of views"});
    }
    return query;
  }
  [[noreturn]] static void refuse_state(const std::string& component, const std::string& name,
                                        const detail::StateQuery& query) {
    std::string known;
    for (const std::string& one : query.known) known += (known.empty() ? "" : ", ") + one;
    throw Error(
        {Code::parameter_invalid, "test driver: \"" + component + "\" has no such state" +
                                      (name.empty() ? "" : " \"" + name + "\" of that type") +
                                      "; it has " + (known.empty() ? "none of keys" : known)});
  }
  static std::vector<Timestamp> stamps(const std::vector<Time>& times) {
    std::vector<Timestamp> stamps;
    for (const Time time : times) stamps.push_back(Timestamp{time});
    return stamps;
  }
};

}  // namespace millrace
