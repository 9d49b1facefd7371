// SpillSettings: whether and where keyed state goes to disk that memory has no room for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "operator/spill_place.hpp"
#include "runtime/memory_budget.hpp"

namespace millrace::detail {

struct SpillSettings {
  DiskTables* tables = nullptr;  ///< null: it stays in memory, and is refused beyond the budget
  std::string folder = {};       ///< of the run alone
  bool early = false;            ///< leaves most of the budget to others, as the system's cache

  /// Where one of `tasks` tasks puts its rows, in a folder of that name.
  SpillPlace place(const MemoryBudget& memory, const std::string& name, std::uint32_t tasks,
                   SpillFigures& figures) const {
    constexpr std::uint64_t kLeast = 128u << 10;
    constexpr std::uint64_t kMost = 64u << 20;
    const std::uint64_t share = memory.state_max_bytes();
    const std::size_t each = std::clamp(share / 16 / tasks, kLeast, kMost);
    return {tables,        folder + "/" + name,
            &memory.state, early ? share / 4 : share / 2,
            {each, each},  &figures};
  }
};

}  // namespace millrace::detail
