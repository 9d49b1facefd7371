// Lines of records by key.
#include "operator/key_turns.hpp"

namespace millrace::detail {

bool KeyTurns::add(std::uint32_t place, std::uint64_t key, std::int64_t now_ns) {
  if (places_.size() <= place) places_.resize(place + 1);
  places_[place] = {key, now_ns};
  if (room_left_ > 0) return enter(place);
  outside_.push_back(place);
  return false;
}

void KeyTurns::left() {
  ++room_left_;
  while (room_left_ > 0 && !outside_.empty()) {
    const std::uint32_t place = outside_.front();
    outside_.pop_front();
    if (enter(place)) turns_.push_back(place);
  }
}

/// True: its turn has come.
bool KeyTurns::enter(std::uint32_t place) {
  --room_left_;
  Line& line = lines_[places_[place].key];
  places_[place].before = line.last;
  (line.last == kNone ? line.first : places_[line.last].behind) = place;
  line.last = place;
  if (line.at_once < at_once_max_) {
    ++line.at_once;
    return true;
  }
  if (line.waits == kNone) line.waits = place;
  return false;
}

std::optional<KeyTurns::Turn> KeyTurns::next() {
  if (turns_.empty()) return std::nullopt;
  const std::uint32_t place = turns_.front();
  turns_.pop_front();
  return Turn{place, places_[place].came_ns};
}

void KeyTurns::end_turn(Line& line) {
  if (line.waits == kNone) {
    --line.at_once;
    return;
  }
  turns_.push_back(line.waits);
  line.waits = places_[line.waits].behind;
}

void KeyTurns::take_out(Line& line, std::uint32_t place) {
  const Place& its = places_[place];
  (its.before == kNone ? line.first : places_[its.before].behind) = its.behind;
  (its.behind == kNone ? line.last : places_[its.behind].before) = its.before;
}

}  // namespace millrace::detail
