// PaneStacks: what several panes of a window come to, when each window begins and ends after the
// last.
#pragma once

#include <algorithm>
#include <optional>
#include <type_traits>
#include <vector>

#include "window/pane_set.hpp"

namespace millrace::detail {

/// Two stacks of panes (see TwoStacks): those that have come since the last turn are merged in one
/// table; before it each pane holds itself and all that follow it, merged in place. So a window is
/// its first pane and that table, and a pane is merged twice in its life, however many windows hold
/// it. Panes of late records stand beside: they begin out of turn, and are few.
///
/// Accumulators that may hold memory of their own (distinct, lists, texts) are not kept so, for
/// each pane would hold up to all of its window: of them a window's panes are merged anew.
///
/// What a window reads of a pane is complete: a record that is in time for it comes before the
/// watermark passes its end. Windows come in the order of their ends. Cost: four merges a key and
/// window, amortized; a turn merges all panes of one window.
template <class K, class Kernel>
class PaneStacks {
 public:
  using Tables = KeyedTables<K, typename Kernel::Acc>;
  using Panes = std::vector<CoveredPane<Tables>>;

  /// The tables of the window that ends at `end`, of several panes in their order; valid until the
  /// next call.
  Tables& merged(Time end, const Panes& panes, const Kernel& kernel, MemoryMeter* meter) {
    if (!since_) {
      since_.emplace(meter);
      all_.emplace(meter);
    }
    all_->clear();
    if constexpr (!kFixedSize) {
      for (const auto& pane : panes) add(*all_, *pane.tables, kernel);
      return *all_;
    }
    const auto in_time = [](const auto& pane) { return pane.key.first_end == kTimeMin; };
    const auto first = std::find_if(panes.begin(), panes.end(), in_time);
    if (first != panes.end()) {
      if (first->key.start < turned_at_) {
        take_new(panes, kernel);
      } else {
        turn(panes, kernel);
        turned_at_ = end;
      }
      taken_to_ = end;
      add(*all_, *first->tables, kernel);
      add(*all_, *since_, kernel);
    }
    for (const auto& pane : panes) {
      if (!in_time(pane)) add(*all_, *pane.tables, kernel);
    }
    return *all_;
  }

  /// Calls read(pane) for those of a window's panes that together are what it holds.
  template <class Read>
  void each_read(const Panes& panes, Read&& read) const {
    bool has_merged = false;
    for (const auto& pane : panes) {
      const bool merged = pane.key.first_end == kTimeMin && pane.key.start < turned_at_;
      if (!merged || !has_merged) read(pane);
      has_merged |= merged;
    }
  }
  /// Gives the memory of the stack of new panes back: it is merged again when it is asked for.
  void let_go() {
    since_.reset();
    all_.reset();
    taken_to_ = turned_at_;
  }

  /// Panes in time that begin before it hold all that follow them up to there.
  Time merged_to() const { return turned_at_; }

 private:
  using Acc = typename Kernel::Acc;
  /// Not is_trivially_copyable: libstdc++'s tuple has an assignment of its own.
  static constexpr bool kFixedSize =
      std::is_trivially_copy_constructible_v<Acc> && std::is_trivially_destructible_v<Acc>;

  /// Merges those that no window before held.
  void take_new(const Panes& panes, const Kernel& kernel) {
    for (const auto& pane : panes) {
      if (pane.key.first_end == kTimeMin && pane.key.start >= taken_to_)
        add(*since_, *pane.tables, kernel);
    }
  }
  /// Nothing is left of those before the last turn: all are now.
  void turn(const Panes& panes, const Kernel& kernel) {
    since_->clear();
    Tables* behind = nullptr;
    for (auto pane = panes.rbegin(); pane != panes.rend(); ++pane) {
      if (pane->key.first_end != kTimeMin) continue;
      if (behind) add(*pane->tables, *behind, kernel);
      behind = pane->tables;
    }
  }
  static void add(Tables& to, Tables& from, const Kernel& kernel) {
    from.for_each([&](const K& key, const Acc& acc) {
      const auto init = [&]() -> decltype(auto) { return kernel.init(); };
      kernel.merge(to.upsert(key, KeyTraits<K>::hash(key), init), acc);
    });
  }

  std::optional<Tables> since_;  ///< panes that begin at turned_at_ or later
  std::optional<Tables> all_;
  Time turned_at_ = kTimeMin;  ///< see merged_to()
  Time taken_to_ = kTimeMin;   ///< panes that begin before it are in one of the stacks
};

}  // namespace millrace::detail
