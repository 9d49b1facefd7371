// Holding by event time, and joints for rows.
#include "runtime/stage_acks.hpp"

#include <utility>

namespace millrace::detail {

void StageAcks::begin(const BatchBase& batch, const Operator& to) {
  if (batch.messages.empty()) return;
  batch.messages.each_origin([this](Origin& origin) {
    origin.count(1, 0);
    given_.push_back(&origin);
  });
  newest_ = to.newest_of(batch);
}

void StageAcks::anchor(BatchBase& out) {
  if (!out.messages.empty() || (given_.empty() && held_.empty())) return;
  if (!rows_) rows_ = &Joint::make(false);
  out.messages.resize(out.size(), MessageRef(*rows_, 0));
}

/// A joint takes over shares of what is done with; what no row was made of is let go.
void StageAcks::end(std::optional<Time> holds_from) {
  if (holds_from) {
    for (Origin* origin : given_) origin->count(-1, 1);
    if (!given_.empty()) {
      auto& held = held_[newest_];
      held.insert(held.end(), given_.begin(), given_.end());
    }
  } else {
    for (Origin* origin : given_) hand_over(*origin);
  }
  given_.clear();
  while (!held_.empty() && (!holds_from || held_.begin()->first < *holds_from)) {
    for (Origin* origin : held_.begin()->second) {
      origin->count(1, -1);
      hand_over(*origin);
    }
    held_.erase(held_.begin());
  }
  if (Joint* const rows = std::exchange(rows_, nullptr)) rows->count(-1, 0);
}

/// A moving share in `origin`.
void StageAcks::hand_over(Origin& origin) {
  if (rows_) {
    rows_->adopt(MessageRef(origin, 0));
  } else {
    origin.count(-1, 0);
  }
}

void StageAcks::abandon() {
  for (const auto& [time, origins] : held_) {
    for (Origin* origin : origins) {
      origin->abandon();
      origin->count(0, -1);
    }
  }
  held_.clear();
}

}  // namespace millrace::detail
