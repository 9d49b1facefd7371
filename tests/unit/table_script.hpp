// TableScript: changes keyed tables at random, in every way they can change.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "env/random.hpp"
#include "state/keyed_tables.hpp"
#include "state/table_sweep.hpp"

namespace millrace::detail {

using Tables = KeyedTables<std::string_view, std::string>;
using Copy = std::map<std::string, std::string>;

inline std::uint64_t hash_of(std::string_view key) {
  return KeyTraits<std::string_view>::hash(key);
}

inline Copy copy_of(Tables& tables) {
  Copy copy;
  tables.for_each(
      [&](std::string_view key, const std::string& value) { copy[std::string(key)] = value; });
  return copy;
}

/// Changes tables at random; counts what it did.
class TableScript {
 public:
  TableScript(Tables& tables, std::uint64_t seed) : tables_(tables), random_(seed) {}

  void some(std::uint64_t count) {
    for (; count > 0; --count) one();
  }
  void one() {
    const std::uint64_t kind = random_.below(100);
    const std::string key = "key " + std::to_string(random_.below(keys_));
    const std::uint64_t hash = hash_of(key);
    if (kind < 50) {
      tables_.upsert(key, hash, [] { return std::string(); }) += "x";
    } else if (kind < 60) {
      if (std::string* const found = tables_.find(key, hash)) *found += "found";
    } else if (kind < 80) {
      erased_ += tables_.erase(key, hash) ? 1 : 0;
    } else if (kind < 85) {
      tables_.erase_of_hash(hash, [](std::string_view, const std::string&) { return true; });
    } else if (kind < 90) {
      tables_.for_each_of(hash, [](std::string_view, std::string& value) { value += "of"; });
    } else if (kind < 95) {
      sweep_.step(tables_, 20, [&](std::string_view, std::string& value) {
        const std::uint64_t drawn = random_.below(10);
        if (drawn > 7) return Swept::as_it_was;
        value += "swept";
        return drawn == 0 ? Swept::gone : Swept::changed;
      });
    } else if (kind < 97) {
      const auto group = static_cast<std::uint32_t>(random_.below(kKeyGroups));
      tables_.for_each([](std::string_view, std::string& value) { value += "all"; }, group,
                       group + 1);
    } else if (kind == 99 && random_.below(200) == 0) {
      tables_.clear();
      ++cleared_;
    }
  }
  /// With a great range tables grow, with a small one they shrink.
  void range(std::uint64_t keys) { keys_ = keys; }
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  std::size_t erased() const { return erased_; }
  std::size_t cleared() const { return cleared_; }

 private:
  Tables& tables_;
  Random random_;
  TableSweep<std::string_view, std::string> sweep_;
  std::uint64_t keys_ = 1;
  std::size_t erased_ = 0;
  std::size_t cleared_ = 0;
};

}  // namespace millrace::detail
