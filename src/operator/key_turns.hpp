// KeyTurns: records of each key that take their turns, and go in the order they came.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "operator/keyed.hpp"

namespace millrace::detail {

/// By what key records take turns, how many of one at once, and for how many of all there is room;
/// null: there is no key.
struct TurnsBy {
  static constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

  std::shared_ptr<const KeyHash> key = {};
  std::size_t at_once_max = kAll;
  std::size_t room = kAll;
};

/// Places are numbers of the caller's, each in use until it has left. They take room in the order
/// they came, so that none waits for one that came later; who has room and is among the first of
/// its key has its turn. Keys are told apart by their hashes: two of one hash wait for each other.
/// One thread. Cost: O(1) and a look-up in a table of the keys that have room, each.
class KeyTurns {
 public:
  struct Turn {
    std::uint32_t place;
    std::int64_t came_ns;
  };

  /// `ordered`: those of a key go as they came; else as they are done.
  KeyTurns(bool ordered, const TurnsBy& by)
      : ordered_(ordered), at_once_max_(by.at_once_max), room_left_(by.room) {}

  /// Behind all that came. True: its turn has come; else next() tells it some time.
  bool add(std::uint32_t place, std::uint64_t key, std::int64_t now_ns);
  /// Its turn is over. Calls go(place) for what may leave now.
  template <class Go>
  void done(std::uint32_t place, Go&& go) {
    const auto at = lines_.find(places_[place].key);
    Line& line = at->second;
    places_[place].done = true;
    end_turn(line);
    if (!ordered_) {
      take_out(line, place);
      go(place);
    }
    while (line.first != kNone && places_[line.first].done) {
      const std::uint32_t first = line.first;
      take_out(line, first);
      go(first);
    }
    if (line.first == kNone) lines_.erase(at);
  }
  /// It has left, and gives its room to another one.
  void left();
  /// One whose turn has come since it was added; nullopt: there is none.
  std::optional<Turn> next();
  /// Some wait for room.
  bool is_full() const { return !outside_.empty(); }

 private:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  struct Place {
    std::uint64_t key = 0;
    std::int64_t came_ns = 0;
    std::uint32_t before = kNone;  ///< of its key
    std::uint32_t behind = kNone;
    bool done = false;
  };
  /// Of a key, in the order they came.
  struct Line {
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
    std::uint32_t waits = kNone;  ///< the first that waits for its turn
    std::size_t at_once = 0;      ///< that have theirs
  };

  bool enter(std::uint32_t place);
  void end_turn(Line& line);
  void take_out(Line& line, std::uint32_t place);

  bool ordered_;
  std::size_t at_once_max_;
  std::unordered_map<std::uint64_t, Line> lines_;
  std::vector<Place> places_;
  std::deque<std::uint32_t> outside_;  ///< that wait for room
  std::deque<std::uint32_t> turns_;    ///< that have come
  std::size_t room_left_;
};

}  // namespace millrace::detail
