// ProcessorParts: the states and timers of the keys of a task, written while the process goes on.
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "operator/processor.hpp"
#include "state/stored_content.hpp"
#include "state/table_parts.hpp"

namespace millrace::detail {

/// The names of parts that are no states: names of members have no colon.
inline constexpr std::string_view kTimersPart = ":timers";

/// What stands in the shapes of states: their parts begin with a TouchedBy, and where it is not
/// none each content stands behind the time that it was touched at.
inline constexpr std::string_view kTouched = "touched";

/// The clock that the times in a part were taken by.
enum class TouchedBy : std::uint8_t { none, event, processing };

/// That clock for a state.
template <class S>
TouchedBy touched_by_of(const S& state) {
  if (!state.has_ttl()) return TouchedBy::none;
  return state.options().ttl_in == TimeKind::event ? TouchedBy::event : TouchedBy::processing;
}

inline constexpr const char* kTimersShape = "timers";

/// One thread. `K` is a key view, `P` the class with the states.
template <class K, class P>
class ProcessorParts final : public OpenParts {
 public:
  using Row = StateRow<P>;

  /// The rows of tables; both outlive it.
  ProcessorParts(ProcessorStates<P>& states, KeyedTables<K, Row>& rows, const ImageChain& chain)
      : states_(states),
        bytes_(kTimers, BytesByGroup(sizeof(TouchedBy))),
        image_(rows, Put{&states, &bytes_}, chain, store_key<K>) {
    bytes_.emplace_back();
    for (BytesByGroup& bytes : bytes_) bytes.begin(chain, image_.holds());
  }

  /// Also a row that lies elsewhere.
  void put(std::uint32_t group, const K& key, Row& row) { Put{&states_, &bytes_}(group, key, row); }
  /// What has changed since the base of the chain; else all.
  bool only_changes() const { return image_.holds().only_changes; }
  std::size_t advance(std::size_t slots) override { return image_.advance(slots); }
  bool done() const override { return image_.done(); }
  void give_pieces(StateWriter& writer) override {
    each_part([&](BytesByGroup& bytes, const std::string& name, const std::string& shape) {
      bytes.give_pieces(writer, name, shape);
    });
  }
  void give(StateWriter& writer) override {
    each_part([&](BytesByGroup& bytes, const std::string& name, const std::string& shape) {
      bytes.give(writer, name, shape);
    });
  }

 private:
  static constexpr std::size_t kTimers = std::tuple_size_v<typename Row::Cells>;
  static constexpr std::size_t kParts = kTimers + 1;  ///< of each state, then of the timers

  /// Calls visit(bytes, name, shape) for each.
  template <class Visit>
  void each_part(Visit&& visit) {
    states_.each_named([&](const auto& state, const std::string& name, auto at) {
      using Content = typename std::decay_t<decltype(state)>::Content;
      visit(bytes_[at], name, entry_shape<K>(shape_of_kind(kTouched, stored_shape<Content>())));
    });
    visit(bytes_[kTimers], std::string(kTimersPart), entry_shape<K>(kTimersShape));
  }

  struct Put {
    ProcessorStates<P>* states;
    std::vector<BytesByGroup>* bytes;

    void operator()(std::uint32_t group, const K& key, Row& row) const {
      states->each_named([&](const auto& state, const std::string&, auto at) {
        put_state((*bytes)[at], group, key, state, std::get<decltype(at)::value>(row.cells));
      });
      put_timers((*bytes)[kTimers], group, key, row);
    }
    template <class S, class Cell>
    static void put_state(BytesByGroup& bytes, std::uint32_t group, const K& key, const S& state,
                          const Cell& cell) {
      if (S::is_empty(cell.content)) return bytes.add_gone(group, key);
      const TouchedBy by = touched_by_of(state);
      if (bytes.nothing_of(group)) bytes.of(group) += static_cast<char>(by);
      bytes.add(group, key, [&](std::string& to) {
        if (by != TouchedBy::none) put_number(to, cell.touched);
        store_value(to, cell.content);
      });
    }
    static void put_timers(BytesByGroup& bytes, std::uint32_t group, const K& key, Row& row) {
      if (row.timers.empty()) return bytes.add_gone(group, key);
      using Kind = KeyTimers::Kind;
      bytes.add(group, key, [&](std::string& to) {
        for (const Kind kind : {Kind::event, Kind::clock}) {
          const TimerSet* const times = KeyTimers::set_of(row.timers, kind);
          store_value(to, times ? times->all() : std::vector<Time>());
        }
      });
    }
  };

  ProcessorStates<P>& states_;
  std::vector<BytesByGroup> bytes_;
  TablesImage<K, Row, Put> image_;
};

}  // namespace millrace::detail
