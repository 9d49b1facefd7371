// PaneSpill: the keys of panes that memory has no room for, on disk until their windows fire.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/acc_heap.hpp"
#include "operator/spill_place.hpp"
#include "operator/stored_accumulators.hpp"
#include "state/table_sweep.hpp"
#include "window/pane_set.hpp"

namespace millrace::detail {

/// Whether what a pane holds of a key can lie in two places: it is merged when it is read.
template <class Kernel>
inline constexpr bool kSpillsPanes = Kernel::kMerges && kStores<Kernel>;

/// Calls visit(K key, Acc&& acc) for the entries of a value on disk. Throws DiskFailed.
template <class K, class Kernel, class Visit>
void read_pane_entries(std::string_view bytes, const Kernel& kernel, Visit&& visit) {
  BytesCursor in(bytes);
  while (!in.rest().empty()) {
    OwnedKey<K> owned{};
    typename Kernel::Acc acc = kernel.init();
    if (!load_value(in, owned) || !load_accumulator(kernel, in, acc))
      throw DiskFailed({Code::source_failed, "what a window holds on disk is damaged"});
    visit(K(owned), std::move(acc));
  }
}
/// The same for all that a pane has on disk of a key group.
template <class K, class Kernel, class Visit>
void each_on_disk(DiskTable& disk, std::uint32_t group, const Kernel& kernel, Visit&& visit) {
  each_of_group(disk, group, [&](std::uint64_t, std::string_view bytes) {
    read_pane_entries<K>(bytes, kernel, visit);
  });
}

/// Calls visit(K key, acc) for all that a pane holds, in memory and on disk, so a key may come
/// twice; of a pane on disk group by group.
template <class K, class Kernel, class Visit>
void each_of_pane(KeyedTables<K, typename Kernel::Acc>& tables, DiskTable* disk,
                  const Kernel& kernel, Visit&& visit) {
  if (disk == nullptr) return tables.for_each(visit);
  for (std::uint32_t group = 0; group < kKeyGroups; ++group) {
    if constexpr (kSpillsPanes<Kernel>) each_on_disk<K>(*disk, group, kernel, visit);
    tables.for_each(visit, group, group + 1);
  }
}

/// Moves accumulators to disk when there is too much in memory, a key group of a pane at a time. A
/// key that comes again begins anew in memory: what is on disk is a part of it, older than what is
/// in memory, and they are merged when its group goes to disk again, when a window that reads the
/// pane fires, and in images. So no record waits for the disk, and a table in memory is not asked
/// who was used last.
///
/// Panes of less than 256 KB stay, for a file takes more. One thread. Throws DiskFailed, and
/// MemoryRefused. Cost: of a key that goes a look at the disk and a put.
template <class K, class Kernel>
class PaneSpill {
 public:
  using Acc = typename Kernel::Acc;
  using Panes = PaneSet<K, Acc>;
  using Pane = typename Panes::Pane;

  void spill_to(const SpillPlace& place) { place_ = place; }
  /// The meter has been told what accumulators hold on the heap.
  void weighed() { heap_gone_ = 0; }

  /// Between batches: makes room where less than an eighth of it is left. True: keys have gone.
  bool shed(Panes& panes, const Kernel& kernel) {
    if (place_.tables == nullptr) return false;
    if (held_bytes() < place_.state_max_bytes - place_.state_max_bytes / 8) return false;
    panes.drop_spare();
    const std::uint64_t most = place_.state_max_bytes - place_.state_max_bytes / 4;
    bool any = false;
    while (held_bytes() > most) {
      Pane* const widest = widest_of(panes);
      if (widest == nullptr) break;
      put_away(*widest, kernel, most);
      any = true;
    }
    if (any) tell(panes);
    return any;
  }
  /// Tells how much is on disk. O(panes).
  void tell(const Panes& panes) {
    if (place_.figures == nullptr || !has_spilled_) return;
    std::uint64_t keys = 0;
    std::uint64_t bytes = 0;
    for (const auto& [key, pane] : panes.panes()) {
      keys += pane.disk ? pane.disk->keys() : 0;
      bytes += pane.disk ? pane.disk->table().bytes() : 0;
    }
    place_.figures->keys.store(keys, std::memory_order_relaxed);
    place_.figures->bytes.store(bytes, std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kLeastBytes = 256u << 10;
  static constexpr std::size_t kAtOnce = 64;  ///< keys that are looked up on disk together
  using Tables = typename Panes::Tables;
  using Sweep = TableSweep<K, Acc>;

  std::uint64_t held_bytes() const {
    const std::uint64_t counted = place_.state->bytes();
    return counted - std::min(counted, heap_gone_);
  }
  static Pane* widest_of(Panes& panes) {
    Pane* widest = nullptr;
    for (auto& [key, pane] : panes.panes()) {
      const std::size_t bytes = pane.tables->size() > 0 ? pane.tables->bytes() : 0;
      if (bytes >= (widest ? widest->tables->bytes() + 1 : kLeastBytes)) widest = &pane;
    }
    return widest;
  }
  void put_away(Pane& pane, const Kernel& kernel, std::uint64_t most) {
    if (!pane.disk) {
      auto made = place_.tables->make(place_.folder);
      if (!made) throw DiskFailed(made.error());
      pane.disk = std::make_shared<PaneDisk>(std::move(*made), place_.copies);
      has_spilled_ = true;
    }
    for (std::uint32_t step = 0; step < kKeyGroups && held_bytes() > most; ++step) {
      put_away_group(pane, next_group_, kernel);
      next_group_ = (next_group_ + 1) % kKeyGroups;
    }
    if (Status status = pane.disk->check(); !status.ok()) throw DiskFailed(status);
  }
  void put_away_group(Pane& pane, std::uint32_t group, const Kernel& kernel) {
    hashes_.clear();
    pane.tables->for_each(
        [this](const K& key, const Acc& acc) {
          hashes_.push_back(KeyTraits<K>::hash(key));
          heap_gone_ += acc_heap_bytes(acc);
        },
        group, group + 1);
    std::sort(hashes_.begin(), hashes_.end());
    hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
    for (std::size_t at = 0; at < hashes_.size(); at += kAtOnce) {
      const std::size_t count = std::min(kAtOnce, hashes_.size() - at);
      put_away_some(pane, {hashes_.data() + at, count}, kernel);
    }
    while (Sweep::slots_of(*pane.tables, group) > kSlotsLeft) {
      const std::size_t before = Sweep::slots_of(*pane.tables, group);
      Sweep::halve(*pane.tables, group);
      if (Sweep::slots_of(*pane.tables, group) == before) break;
    }
  }
  void put_away_some(Pane& pane, std::span<const std::uint64_t> hashes, const Kernel& kernel) {
    values_.resize(std::max(values_.size(), hashes.size()));
    std::size_t next = 0;  // those before it have their values
    const auto make_up_to = [&](std::size_t end) {
      for (; next < end; ++next)
        make_value(values_[next], *pane.tables, hashes[next], std::string_view(), kernel);
    };
    pane.disk->take(hashes, [&](std::uint64_t hash, std::string_view older) {
      const auto found = std::lower_bound(hashes.begin(), hashes.end(), hash);
      make_up_to(static_cast<std::size_t>(found - hashes.begin()));
      make_value(values_[next++], *pane.tables, hash, older, kernel);
    });
    make_up_to(hashes.size());
    for (std::size_t at = 0; at < hashes.size(); ++at) {
      pane.disk->put(hashes[at], values_[at]);
      pane.tables->erase_of_hash(hashes[at], [](const K&, const Acc&) { return true; });
    }
  }
  /// All keys of a hash, those on disk with what memory has of them.
  void make_value(std::string& value, Tables& tables, std::uint64_t hash, std::string_view older,
                  const Kernel& kernel) {
    value.clear();
    known_.clear();
    read_pane_entries<K>(older, kernel, [&](const K& key, Acc&& acc) {
      if (const Acc* const newer = tables.find(key, hash)) kernel.merge(acc, *newer);
      store_key(value, key);
      store_accumulator(kernel, value, acc);
      known_.push_back(KeyTraits<K>::own(key));
    });
    tables.for_each_of(hash, [&](const K& key, const Acc& acc) {
      const auto same = [&key](const OwnedKey<K>& other) { return K(other) == key; };
      if (std::any_of(known_.begin(), known_.end(), same)) return;
      store_key(value, key);
      store_accumulator(kernel, value, acc);
    });
  }

  static constexpr std::size_t kSlotsLeft = 8;

  SpillPlace place_;
  std::uint32_t next_group_ = 0;
  bool has_spilled_ = false;
  std::uint64_t heap_gone_ = 0;        ///< of what the meter still counts
  std::vector<std::uint64_t> hashes_;  ///< of a group
  std::vector<std::string> values_;    ///< of some of them
  std::vector<OwnedKey<K>> known_;     ///< of one hash
};

}  // namespace millrace::detail
