// JoinSides: the records of both inputs of a join, and the order in which they are handled.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/join_images.hpp"
#include "operator/join_side.hpp"
#include "operator/join_turns.hpp"

namespace millrace::detail {

/// What a LookAhead, or who takes turns, need not do.
struct NoLook {
  template <class Hashes>
  void operator()(const Hashes&) const {}
};

/// The hashes of the keys of records that are handled one after the other. What their tables hold
/// is brought near before: near(hash) is called some records ahead, and next(hash), which may read
/// what that brought, a few.
template <class Near, class Next = NoLook>
class LookAhead {
 public:
  /// `hashes` outlives it; empty: they are not known.
  explicit LookAhead(const std::vector<std::uint64_t>& hashes, Near near, Next next = {})
      : hashes_(hashes), near_(std::move(near)), next_(std::move(next)) {
    for (std::size_t at = 0; at < std::min(kNear, hashes_.size()); ++at) near_(hashes_[at]);
  }

  /// Of record `at`, whose turn it is; null where it is not known.
  const std::uint64_t* come_to(std::size_t at) const {
    if (at + kNear < hashes_.size()) near_(hashes_[at + kNear]);
    if (at + kNext < hashes_.size()) next_(hashes_[at + kNext]);
    return hashes_.empty() ? nullptr : &hashes_[at];
  }

 private:
  static constexpr std::size_t kNear = 24;
  static constexpr std::size_t kNext = 8;
  const std::vector<std::uint64_t>& hashes_;
  Near near_;
  Next next_;
};

/// The hash of one key, of which all is near; null where it is not known.
struct KnownHash {
  const std::uint64_t* hash;
  const std::uint64_t* come_to(std::size_t) const { return hash; }
};

/// Input 0 is the left side, input 1 the right one.
template <class L, class LKey, class R, class RKey>
class JoinSides : public Operator {
 public:
  using Left = JoinSide<L, LKey>;
  using Right = JoinSide<R, RKey>;

  void open(const OperatorContext& context) override {
    Operator::open(context);
    open_side<0>();
    open_side<1>();
  }
  Waiting waiting() const override { return {turns_ ? turns_->size() : 0, kNeverDue}; }

 protected:
  template <int kSide>
  using RecordOf = std::conditional_t<kSide == 0, L, R>;

  JoinSides(typename Left::KeyPtr left, typename Right::KeyPtr right)
      : sides_(std::move(left), std::move(right)) {}

  template <int kSide>
  auto& side() {
    return std::get<kSide>(sides_);
  }
  /// A record that was kept goes; `side` is a constant.
  template <class Side>
  void let_go(Side, std::uint64_t slot) {
    side<Side::value>().records().gone(slot);
  }

  /// Of the `count` records from `first` on, which lie side by side, calls use(at, key, hash) ->
  /// whether record first + at stays in state. A key that throws makes it a dead letter. `keys`: a
  /// LookAhead over theirs, or what has no hash.
  template <int kSide, class Keys, class Use>
  void handle(std::uint64_t first, std::size_t count, const Keys& keys, Use&& use) {
    auto& records = side<kSide>().records();
    const std::size_t begin = static_cast<std::uint32_t>(first);
    const auto one = [&](std::size_t place) {
      const std::size_t at = place - begin;
      bool stays = false;
      side<kSide>().with_key(
          first + at, keys.come_to(at),
          [&](const auto& key, std::uint64_t hash) { stays = use(at, key, hash); });
      if (!stays) gone_.push_back(first + at);
    };
    const auto undo = [&](std::size_t place) { gone_.push_back(first + place - begin); };
    const std::size_t failed =
        guarded_loop(begin, begin + count, records.batch(first), batch_type<RecordOf<kSide>>(),
                     *context().dead_letters, one, undo);
    tally().processed += count - failed;
    tally().dead_lettered += failed;
    for (const std::uint64_t slot : gone_) records.gone(slot);
    gone_.clear();
  }

  // Records that wait for their turn.
  void start_turns() {
    if (!turns_) turns_ = std::make_unique<JoinTurns>(context().state);
  }
  JoinTurns* turns() { return turns_.get(); }
  /// Calls use(side, kept) for each record that waits for its turn, in no order.
  template <class Use>
  void each_waiting(Use&& use) const {
    if (!turns_) return;
    turns_->for_each([&](const JoinTurns::Turn& turn) {
      use(turn.side, JoinKept{turn.time, turn.slot, kTimeMin, JoinMark::waiting});
    });
  }
  /// Calls use(side as a constant, time, slot, key, hash) -> whether it stays in state for those up
  /// to `until`, in the order of their times and places. `near` and `next`: of a LookAhead. Some at
  /// a time are handled, before which ready(hashes of their keys) is called.
  template <class Near, class Next, class Ready, class Use>
  void take_turns(Time until, const Near& near, const Next& next, const Ready& ready, Use&& use) {
    const auto place_of = [this](int side, std::uint64_t slot) {
      return side == 0 ? this->side<0>().records().place_of(slot)
                       : this->side<1>().records().place_of(slot);
    };
    while (const std::size_t count = turns_->take(until, place_of)) {
      const bool all_known = hash_turns(count);
      ready(turn_hashes_);
      if (!all_known) turn_hashes_.clear();
      const LookAhead keys(turn_hashes_, near, next);
      for (std::size_t at = 0; at < count; ++at) {
        const std::uint64_t* const hash = keys.come_to(at);
        const auto take_one = [&](auto side) {
          const JoinTurns::Turn turn = turns_->turn(at);
          handle<decltype(side)::value>(turn.slot, 1, KnownHash{hash},
                                        [&](std::size_t, const auto& key, std::uint64_t of_key) {
                                          return use(side, turn.time, turn.slot, key, of_key);
                                        });
        };
        if (turns_->turn(at).side == 0) {
          take_one(std::integral_constant<int, 0>());
        } else {
          take_one(std::integral_constant<int, 1>());
        }
      }
    }
  }

 private:
  template <int kSide>
  void open_side() {
    auto& records = side<kSide>().records();
    records.count_with(context().state);
    records.figures().open(context().user, kSide);
  }
  /// The hashes of the turns at hand; false where a key throws, whose hash is left out.
  bool hash_turns(std::size_t count) {
    turn_hashes_.clear();
    for (std::size_t at = 0; at < count; ++at) {
      const JoinTurns::Turn turn = turns_->turn(at);
      const auto hash =
          turn.side == 0 ? side<0>().hash_of(turn.slot) : side<1>().hash_of(turn.slot);
      if (hash) turn_hashes_.push_back(*hash);
    }
    return turn_hashes_.size() == count;
  }

  std::tuple<Left, Right> sides_;
  std::unique_ptr<JoinTurns> turns_;  ///< null: records are handled as they come
  std::vector<std::uint64_t> turn_hashes_;
  std::vector<std::uint64_t> gone_;  ///< slots of those handled that go
};

}  // namespace millrace::detail
