// TableClock: which rows of keyed tables make room for others.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "operator/recent_keys.hpp"
#include "state/table_sweep.hpp"

namespace millrace::detail {

/// A hand for each key group goes round over the slots of its table, and passes by at rows that
/// were used, once for each use that RecentKeys counts. What has come once alone is the first to
/// go. Between batches, but for used(). One thread.
template <class K, class Row>
class TableClock {
 public:
  using Tables = KeyedTables<K, Row>;

  /// `rows` outlive it.
  explicit TableClock(Tables& rows) : rows_(&rows) {}

  /// A row of that hash, which was there, is used again.
  void used(std::uint64_t hash) { recent_.mark(hash); }
  /// Calls put_away(hash), which erases the rows of that hash, so that no table is about to grow,
  /// but for those that are far smaller than others: keys spread evenly, and those of a small table
  /// would come and go all the time.
  template <class PutAway>
  void make_room(PutAway&& put_away) {
    recent_.fit(rows_->size());
    const std::size_t most = Sweep::slots_of(*rows_, widest());
    for (std::uint32_t group = 0; group < kKeyGroups; ++group) {
      const std::size_t fit = Sweep::fit_in(*rows_, group);
      const std::size_t slack = std::max<std::size_t>(1, fit / 32);
      if (Sweep::entries_of(*rows_, group) + slack <= fit) continue;
      if (Sweep::slots_of(*rows_, group) * 4 <= most) continue;
      evict(group, fit - std::max<std::size_t>(1, fit / 8), put_away);
    }
  }
  /// The same for half of the widest table, or where it has no less all that it holds.
  template <class PutAway>
  void shrink(PutAway&& put_away) {
    const std::uint32_t group = widest();
    const std::size_t slots = Sweep::slots_of(*rows_, group);
    evict(group, slots / 8 <= 1 ? 0 : slots / 8, put_away);
    Sweep::halve(*rows_, group);
    shrunk_next_ = (group + 1) % kKeyGroups;
  }

 private:
  using Sweep = TableSweep<K, Row>;

  /// The group with the most slots; of those with as many the one behind the last that shrank.
  std::uint32_t widest() const {
    std::uint32_t found = shrunk_next_;
    for (std::uint32_t step = 1; step < kKeyGroups; ++step) {
      const std::uint32_t group = (shrunk_next_ + step) % kKeyGroups;
      if (Sweep::slots_of(*rows_, group) > Sweep::slots_of(*rows_, found)) found = group;
    }
    return found;
  }
  /// Leaves at most `keep` rows of the group.
  template <class PutAway>
  void evict(std::uint32_t group, std::size_t keep, PutAway&& put_away) {
    std::size_t& hand = hands_[group];
    while (Sweep::entries_of(*rows_, group) > keep) {
      if (hand >= Sweep::slots_of(*rows_, group)) hand = 0;
      const auto key = Sweep::key_at(*rows_, group, hand);
      const std::uint64_t hash = key ? KeyTraits<K>::hash(*key) : 0;
      if (!key || recent_.take(hash)) {
        ++hand;
      } else {
        put_away(hash);  // another row may have moved up to there
      }
    }
  }

  Tables* rows_;
  RecentKeys recent_;
  std::array<std::size_t, kKeyGroups> hands_{};
  std::uint32_t shrunk_next_ = 0;  ///< behind the group whose table shrank last
};

}  // namespace millrace::detail
