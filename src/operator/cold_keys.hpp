// ColdKeys: keys of a join that are not in its tables.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "env/disk_table.hpp"
#include "state/timer_queue.hpp"

namespace millrace::detail {

/// How long what a join has of a key is of use, where none of it is to be told at its end; empty:
/// always.
template <class V>
struct JoinLife {
  std::function<OverAt(const V&)> over_at = {};  ///< from when on nothing of it is
  std::function<void(V&)> trim = {};             ///< lets go of what is over by now
};

/// What the tables of a join ask where some of their keys may lie on disk. One thread. Throws
/// DiskFailed and MemoryRefused.
class ColdKeys {
 public:
  /// Some key may be there.
  bool any() const { return any_; }
  /// Before the keys of these alarms are looked up: they are in the tables then. Others may leave
  /// them, so that nothing points into them.
  void bring_all(std::span<const TimedHash> alarms) {
    if (any_) bring_cold(alarms);
  }
  /// A key of that hash has nothing any more.
  void forgotten(std::uint64_t hash) {
    if (any_) forget_cold(hash);
  }

 protected:
  ~ColdKeys() = default;
  bool any_ = false;

 private:
  virtual void bring_cold(std::span<const TimedHash> alarms) = 0;
  virtual void forget_cold(std::uint64_t hash) = 0;
};

}  // namespace millrace::detail
