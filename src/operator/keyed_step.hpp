// KeyedStep: the shell of verbs that keep a state for each key and emit when they have something to
// say.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/accumulator_tables.hpp"
#include "operator/keyed.hpp"
#include "operator/stateless.hpp"

namespace millrace::detail {

/// The state of a key as what AccumulatorTables keep.
template <class State>
struct StateKernel {
  static_assert(!kAccHoldsHeap<State>, "nobody counts it");
  using Acc = State;
  Acc init() const { return {}; }
};

/// Calls step(State&, const K& key, const T& record, Time time, emit) for each record, where emit
/// takes any number of Out; State starts as State{}. Each task has a copy of `step`.
///
/// Out::key is copied into the emitted batch. When step throws, what it emitted for the record is
/// withdrawn; State keeps what step had changed.
/// Cost: one look-up a record.
template <class T, class Key, class State, class Out, class Step>
class KeyedStep final : public Operator, public Spills, public HandsOver {
 public:
  using K = typename Key::View;
  using KeyPtr = std::shared_ptr<const TypedKeyHash<T, Key>>;

  KeyedStep(KeyPtr key, Step step) : key_(std::move(key)), step_(std::move(step)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    states_.emplace(kernel_, context.state);
  }
  void spill_to(const SpillPlace& place) override { states_->spill_to(place); }

  Step& step() { return step_; }
  const KeyPtr& key() const { return key_; }

  void save_state(StateWriter& writer) override { states_->save(writer, kStatePart); }
  void restore_state(StateReader& reader) override { states_->restore(reader, kStatePart); }
  bool hands_over() const override { return states_->hands_over(); }
  std::unique_ptr<HandedState> hand_over() override { return states_->hand_over(kStatePart); }
  bool take_over(HandedState& handed) override { return states_->take_over(handed); }

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool, Outputs& outputs) override {
    auto& in = static_cast<Batch<T>&>(base);
    const std::uint64_t* const hashes = states_->begin_batch(*key_, in);
    out_.clear();
    carry_marks(in, out_);
    out_.hashed_by = nullptr;
    arena_ = {};
    std::size_t mark = 0;
    std::size_t cursor = 0;
    const auto handle = [&](std::size_t at) {
      mark = out_.values.size();
      const Time time = in.times.empty() ? kTimeMin : in.times[at];
      key_->key().with(in.values[at], [&](const K& key) {
        const std::uint64_t hash = hashes ? hashes[at] : KeyTraits<K>::hash(key);
        State& state = states_->tables().upsert(key, hash, [] { return State{}; });
        step_(state, key, record_at(in, at), time, [this](Out row) { emit(std::move(row)); });
      });
      inherit_time(in, at, out_, mark, out_.values.size(), cursor);
      inherit_arrival(in, at, out_, mark, out_.values.size());
    };
    const auto undo = [&](std::size_t) {
      out_.values.erase(out_.values.begin() + static_cast<std::ptrdiff_t>(mark), out_.values.end());
    };
    const std::size_t failed = guarded_loop(0, in.values.size(), in, batch_type<T>(),
                                            *context().dead_letters, handle, undo);
    tally().processed += in.values.size() - failed;
    tally().dead_lettered += failed;
    states_->end_batch();
    if (!out_.values.empty()) outputs.push(0, out_);
  }

 private:
  static constexpr const char* kStatePart = "state";

  void emit(Out row) {
    if (!arena_) {
      arena_ = pool_.take(context().arenas);
      out_.pin(arena_);
    }
    row.key = KeyTraits<K>::intern(row.key, *arena_);
    out_.values.push_back(std::move(row));
  }

  KeyPtr key_;
  Step step_;
  StateKernel<State> kernel_;
  std::optional<AccumulatorTables<K, StateKernel<State>>> states_;  ///< from open() on
  Batch<Out> out_;
  ArenaPool pool_{8u << 10};
  ArenaRef arena_;
};

}  // namespace millrace::detail
