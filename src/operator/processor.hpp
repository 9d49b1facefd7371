// What a class given to process() declares: its methods, what they take and emit, and its states.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/keyed_context.hpp"
#include "operator/output.hpp"
#include "operator/state_query.hpp"
#include "record/schema.hpp"
#include "state/keyed_state.hpp"
#include "state/ttl_states.hpp"

namespace millrace::detail {

/// Reads the record, key and result types off process(const T&, KeyedContext<K>&, Output<U>&).
template <class Method>
struct ProcessTraits {
  static constexpr bool kKeyed = false;
};
template <class C, class T, class K, class U, bool kNoexcept>
struct ProcessTraits<void (C::*)(T, KeyedContext<K>&, Output<U>&) noexcept(kNoexcept)> {
  static constexpr bool kKeyed = true;
  static constexpr bool kNothrow = kNoexcept;
  using Record = std::decay_t<T>;
  using Key = K;
  using Emitted = U;
};

/// True for a class with one method process(const Record&, KeyedContext<Key>&, Output<Result>&).
template <class P>
concept KeyedProcessor = requires { requires ProcessTraits<decltype(&P::process)>::kKeyed; };

template <class P, class K, class U>
concept HasOnTimer =
    requires(P& p, KeyedContext<K>& context, Output<U>& out) { p.on_timer(Time{}, context, out); };
template <class P, class K, class U>
concept HasOnClock =
    requires(P& p, KeyedContext<K>& context, Output<U>& out) { p.on_clock(Time{}, context, out); };
template <class P>
concept NamesStates = requires(P& p) { p.states(); };

template <class M>
auto pointer_if_state(M& member) {
  if constexpr (IsState<M>) {
    return std::tuple<M*>{&member};
  } else {
    return std::tuple<>{};
  }
}

/// pick(members...) of a processor's members in their order, or of those that its method states()
/// gives.
template <class P, class Pick>
auto pick_members(P& processor, const Pick& pick) {
  if constexpr (NamesStates<P>) {
    return std::apply(pick, processor.states());
  } else if constexpr (std::is_empty_v<P>) {
    return pick();
  } else {
    static_assert(std::is_aggregate_v<P>,
                  "millrace: a class with constructors or private members says itself which of its "
                  "members are states: auto states() { return std::tie(first, second); }");
    return MemberBinder<kMemberCount<P>>::bind(processor, pick);
  }
}

/// Pointers to the states of a processor as a tuple.
template <class P>
auto states_of(P& processor) {
  return pick_members(
      processor, [](auto&... members) { return std::tuple_cat(pointer_if_state(members)...); });
}

/// The names of the states, in the same order.
template <class P>
std::vector<std::string> state_names(P& processor) {
  std::vector<std::string> names;
  [[maybe_unused]] const auto add = [&names](auto& member, std::string_view declared) {
    if constexpr (IsState<std::remove_reference_t<decltype(member)>>) {
      const std::string& own = member.options().name;
      names.push_back(own.empty() ? std::string(declared) : own);
    }
  };
  [[maybe_unused]] std::size_t at = 0;
  if constexpr (NamesStates<P>) {
    std::apply([&](auto&... states) { (add(states, "state-" + std::to_string(++at)), ...); },
               processor.states());
  } else if constexpr (!std::is_empty_v<P>) {
    MemberBinder<kMemberCount<P>>::bind(
        processor, [&](auto&... members) { (add(members, kDeclaredNames<P>[at++]), ...); });
  }
  return names;
}

/// True when a state of it has a time to live in event time.
template <class P>
bool lives_by_event_time(P& processor) {
  bool lives = false;
  std::apply(
      [&lives](auto*... states) {
        ((lives |= states->has_ttl() && states->options().ttl_in == TimeKind::event), ...);
      },
      states_of(processor));
  return lives;
}

template <class... S>
std::tuple<typename S::Cell...> cells_for(std::tuple<S*...>*);

/// Of a class with several methods process(): its timer methods are there or not.
template <class P>
struct TimersOf {
  using Row = RowTimers<requires { &P::on_timer; }, requires { &P::on_clock; }>;
};
template <KeyedProcessor P>
struct TimersOf<P> {
  using Traits = ProcessTraits<decltype(&P::process)>;
  using Row = RowTimers<HasOnTimer<P, typename Traits::Key, typename Traits::Emitted>,
                        HasOnClock<P, typename Traits::Key, typename Traits::Emitted>>;
};

/// What each key has: the cells of all states and its timers.
template <class P>
struct StateRow {
  using States = decltype(states_of(std::declval<P&>()));
  using Cells = decltype(cells_for(static_cast<States*>(nullptr)));
  Cells cells;
  [[no_unique_address]] typename TimersOf<P>::Row timers;

  /// In event time; kTimeMax: there is none.
  Time first_timer() {
    const TimerSet* const times = timers.event();
    return times ? times->first() : kTimeMax;
  }
};

/// The states of a task's processor: points them at a row, keeps or undoes what a call wrote.
template <class P>
class ProcessorStates {
 public:
  using Row = StateRow<P>;

  /// `processor` outlives it and stays where it is. Calls that never throw need no log.
  ProcessorStates(P& processor, bool logging)
      : states_(states_of(processor)), names_(state_names(processor)) {
    call_.logging = logging;
    each([this](auto& state) {
      state.attach(call_);
      has_ttl_ |= state.has_ttl();
    });
  }

  StateCall& call() { return call_; }
  /// Calls use(state, name, its cell's place among the cells of a row) for each.
  template <class Use>
  void each_named(Use&& use) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (use(*std::get<I>(states_), names_[I], std::integral_constant<std::size_t, I>()), ...);
    }(std::make_index_sequence<std::tuple_size_v<typename Row::Cells>>{});
  }
  bool has_ttl() const { return has_ttl_; }
  void begin(Row& row) {
    heap_before_ = call_.heap_bytes;
    with_cells(row, [](auto& state, auto& cell) { state.point(cell); });
  }
  void keep() {
    each([](auto& state) { state.keep(); });
  }
  void undo() {
    each([](auto& state) { state.undo(); });
    call_.heap_bytes = heap_before_;
  }
  bool is_empty(Row& row) {
    bool empty = row.timers.empty();
    with_cells(row, [&empty](auto& state, auto& cell) {
      empty = empty && std::decay_t<decltype(state)>::is_empty(cell.content);
    });
    return empty;
  }
  /// Empties the cells whose time is over; true: there were some.
  bool drop_expired(Row& row) {
    bool dropped = false;
    with_cells(row,
               [&](auto& state, auto& cell) { dropped |= state.drop_if_expired(cell, call_); });
    return dropped;
  }
  std::vector<StateInfo> infos() {
    std::vector<StateInfo> infos;
    each([&](auto& state) {
      infos.push_back(
          {names_[infos.size()], std::decay_t<decltype(state)>::kKind, state.entries()});
    });
    return infos;
  }
  /// Answers with the state of `row`, as it is at that event time; null: a key that has none.
  void answer(StateQuery& query, Row* row, Time event_now) {
    StateCall now = call_;
    now.event_now = event_now;
    std::size_t number = 0;
    each([&](auto& state) {
      query.state_fits |=
          names_[number++] == query.state &&
          query.state_type == std::type_index(typeid(std::decay_t<decltype(state)>));
    });
    number = 0;
    if (row == nullptr) return;
    with_cells(*row, [&](auto& state, auto& cell) {
      using S = std::decay_t<decltype(state)>;
      if (names_[number++] != query.state || query.state_type != std::type_index(typeid(S))) return;
      if (!S::is_empty(cell.content) && !state.is_expired(cell, now)) query.content = &cell.content;
    });
  }

 private:
  template <class Use>
  void each(Use&& use) {
    std::apply([&use](auto*... states) { (use(*states), ...); }, states_);
  }
  template <class Use>
  void with_cells(Row& row, Use&& use) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (use(*std::get<I>(states_), std::get<I>(row.cells)), ...);
    }(std::make_index_sequence<std::tuple_size_v<typename Row::Cells>>{});
  }

  typename Row::States states_;
  std::vector<std::string> names_;
  StateCall call_;
  bool has_ttl_ = false;
  std::int64_t heap_before_ = 0;
};

}  // namespace millrace::detail
