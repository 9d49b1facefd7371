// SpillSettings: whether and where keyed state goes to disk that memory has no room for.
#pragma once

#include <cstdint>
#include <string>

#include "operator/spill_place.hpp"
#include "runtime/memory_budget.hpp"

namespace millrace::detail {

struct SpillSettings {
  DiskTables* tables = nullptr;  ///< null: it stays in memory, and is refused beyond the budget
  std::string folder = {};       ///< of the run alone
  bool early = false;            ///< leaves most of the budget to others, as the system's cache

  /// Where a task puts its rows, in a folder of that name.
  SpillPlace place(MemoryBudget& memory, const std::string& name, SpillFigures& figures) const {
    const std::uint64_t share = memory.state_max_bytes();
    return {tables,   folder + "/" + name, &memory.state, early ? share / 4 : share / 2,
            &figures, &memory.images};
  }
};

}  // namespace millrace::detail
