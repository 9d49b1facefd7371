// Holding by event time, and joints for rows.
#include "runtime/stage_acks.hpp"

#include <algorithm>
#include <utility>

namespace millrace::detail {

void StageAcks::begin(const BatchBase& batch, const Operator& to) {
  if (batch.messages.empty()) return;
  batch.messages.each_origin([this](Origin& origin) {
    origin.count(1, 0);
    given_.push_back(&origin);
  });
  newest_ = to.newest_of(batch);
  oldest_ =
      batch.has_times() ? *std::min_element(batch.times.begin(), batch.times.end()) : kTimeMin;
}

void StageAcks::anchor(BatchBase& out) {
  if (!out.messages.empty() || (given_.empty() && held_.empty())) return;
  if (!rows_) rows_ = &Joint::make(false);
  const Time newest =
      out.has_times() ? *std::max_element(out.times.begin(), out.times.end()) : kTimeMax;
  newest_row_ = std::max(newest_row_, newest);
  out.messages.resize(out.size(), MessageRef(*rows_, 0));
}

/// A joint takes over shares of what is done with; what no row was made of is let go.
void StageAcks::end(std::optional<Time> holds_from) {
  if (holds_from) {
    for (Origin* origin : given_) {
      origin->count(-1, 1);
      held_[newest_].push_back({origin, oldest_});
    }
  } else {
    for (Origin* origin : given_) hand_over(*origin);
  }
  given_.clear();
  let_go(holds_from);
  if (rows_) anchor_to_held();
  if (Joint* const rows = std::exchange(rows_, nullptr)) rows->count(-1, 0);
  newest_row_ = kTimeMin;
}

void StageAcks::let_go(std::optional<Time> holds_from) {
  while (!held_.empty() && (!holds_from || held_.begin()->first < *holds_from)) {
    for (const Held& held : held_.begin()->second) {
      held.origin->count(1, -1);
      hand_over(*held.origin);
    }
    held_.erase(held_.begin());
  }
}

/// A row may be made of records whose neighbours are held on, and of records that later rows will
/// be made of too: so it is handled before these messages are acked.
void StageAcks::anchor_to_held() {
  for (const auto& [newest, all] : held_) {
    for (const Held& held : all) {
      if (held.oldest > newest_row_) continue;
      held.origin->count(1, 0);
      rows_->adopt(MessageRef(*held.origin, 0));
    }
  }
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
  for (const auto& [newest, all] : held_) {
    for (const Held& held : all) {
      held.origin->abandon();
      held.origin->count(0, -1);
    }
  }
  held_.clear();
}

}  // namespace millrace::detail
