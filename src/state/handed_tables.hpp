// HandedTables: what a task keeps by key, on its way to the tasks of a run that goes on at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "state/chained_parts.hpp"
#include "state/keyed_tables.hpp"

namespace millrace::detail {

/// State by key group that belongs to no task. One thread; what was split off may be another's.
class HandedState {
 public:
  /// `parts`: the names of the parts that it stands for in an image.
  explicit HandedState(std::vector<std::string> parts) : parts_(std::move(parts)) {}
  HandedState(const HandedState&) = delete;
  HandedState& operator=(const HandedState&) = delete;
  virtual ~HandedState() = default;

  /// What it holds of the key groups [from, to), which it does not hold any more. O(groups).
  virtual std::unique_ptr<HandedState> split(std::uint32_t from, std::uint32_t to) = 0;
  /// Whether a part of that name says what it holds, or stands beside one that does.
  bool stands_for(std::string_view part) const {
    return std::ranges::any_of(parts_, [part](const std::string& name) {
      if (!part.starts_with(name)) return false;
      const std::string_view rest = part.substr(name.size());
      return rest.empty() || rest == kCutsSuffix || rest == kGoneSuffix || rest == kBaseSuffix;
    });
  }

 protected:
  const std::vector<std::string>& parts() const { return parts_; }

 private:
  std::vector<std::string> parts_;
};

/// An operator whose state by key can be given to the tasks of a run that goes on at once, as it
/// is. Of what else it keeps images tell, as ever.
class HandsOver {
 public:
  virtual ~HandsOver() = default;
  /// As it stands now; false: all of it has to go by its image.
  virtual bool hands_over() const { return true; }
  /// Behind its last call. It has nothing of it any more.
  virtual std::unique_ptr<HandedState> hand_over() = 0;
  /// Of key groups of which it has nothing; between open() and restore_state(), which tells of what
  /// is not in there. False: that is of another kind. Throws MemoryRefused.
  virtual bool take_over(HandedState& handed) = 0;
};

/// Tables that nobody counts.
template <class K, class V>
class HandedTables final : public HandedState {
 public:
  using Tables = KeyedTables<K, V>;

  HandedTables(Tables& from, std::vector<std::string> parts)
      : HandedTables(from, std::move(parts), 0, kKeyGroups) {}

  std::unique_ptr<HandedState> split(std::uint32_t from, std::uint32_t to) override {
    return std::unique_ptr<HandedState>(new HandedTables(tables_, parts(), from, to));
  }
  Tables& tables() { return tables_; }

  /// Into `own`. False: `handed` is of another kind.
  static bool give(HandedState& handed, Tables& own) {
    auto* const same = dynamic_cast<HandedTables*>(&handed);
    if (same != nullptr) own.take_groups(same->tables_, 0, kKeyGroups);
    return same != nullptr;
  }

 private:
  HandedTables(Tables& from, std::vector<std::string> parts, std::uint32_t begin, std::uint32_t end)
      : HandedState(std::move(parts)) {
    tables_.take_groups(from, begin, end);
  }

  Tables tables_;
};

}  // namespace millrace::detail
