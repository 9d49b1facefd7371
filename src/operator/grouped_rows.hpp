// GroupedRows: aggregates over the rows of a table by another key, kept true while rows change.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/accumulator_tables.hpp"
#include "operator/change_places.hpp"
#include "operator/retracting.hpp"
#include "operator/stateless.hpp"

namespace millrace::detail {

/// What happens to one group: a row goes, a row comes, or one takes the place of another.
template <class T>
struct RowTurn {
  bool goes = false;
  bool comes = false;
  T before{};
  T now{};
};

/// What a turn says, whatever it is.
template <class Turn>
struct TurnSides {
  static bool goes(const Turn& turn) { return turn.goes; }
  static bool comes(const Turn& turn) { return turn.comes; }
};

/// A key of the row that there is of a turn; both have the same.
template <class T, class Part>
struct TurnPart {
  Part part;
  decltype(auto) operator()(const RowTurn<T>& turn) const {
    return std::invoke(part, turn.comes ? turn.now : turn.before);
  }
};

/// Changes as turns: -U and +U of one group are one, so that nobody sees the group without the row.
/// Both stand behind each other in one batch, for they came of one record. Stateless.
template <class T, class... Parts>
class ChangeTurns final : public Operator {
 public:
  using In = Change<T>;
  using Out = RowTurn<T>;

  explicit ChangeTurns(std::tuple<Parts...> parts) : parts_(std::move(parts)) {}

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool, Outputs& outputs) override {
    auto& in = static_cast<Batch<In>&>(base);
    out_.clear();
    carry_marks(in, out_);
    out_.hashed_by = nullptr;
    std::size_t cursor = 0;
    std::size_t paired = in.values.size();  // the +U that has gone with its -U
    const auto turn = [&](std::size_t at) {
      if (at == paired) return;
      const std::size_t mark = out_.values.size();
      const In& change = in.values[at];
      if (is_update_within(in, at, parts_)) {
        out_.values.push_back({true, true, change.record, in.values[at + 1].record});
        paired = at + 1;
      } else if (change.takes_back()) {
        out_.values.push_back({true, false, change.record, T{}});
      } else {
        out_.values.push_back({false, true, T{}, change.record});
      }
      inherit_time(in, at, out_, mark, out_.values.size(), cursor);
      inherit_arrival(in, at, out_, mark, out_.values.size());
    };
    const std::size_t failed = guarded_loop(0, in.values.size(), in, batch_type<In>(),
                                            *context().dead_letters, turn, [](std::size_t) {});
    tally().processed += in.values.size() - failed;
    tally().dead_lettered += failed;
    if (out_.values.empty()) return;
    out_.pin_all(in);
    outputs.push(0, out_);
  }

 private:
  std::tuple<Parts...> parts_;
  Batch<Out> out_;
};

/// A kernel of rows as one of turns.
template <class T, class Kernel>
struct TurnKernel {
  using Inner = Retracting<Kernel>;
  static_assert(Inner::kCan,
                "millrace: of tables count, sum, mean, min and max can be kept true while rows "
                "change: put another aggregate together in process()");
  using Acc = typename Inner::Acc;
  using Value = typename Inner::Value;
  static constexpr bool kMerges = false;
  static constexpr bool kStaged = true;
  static constexpr bool kNothrow = false;
  static constexpr bool kOrdered = false;
  Inner inner;

  Acc init() const { return inner.init(); }
  auto take(const RowTurn<T>& turn, const Stamp& stamp) const {
    using One = std::decay_t<decltype(inner.take(turn.now, stamp))>;
    std::pair<std::optional<One>, std::optional<One>> taken;
    if (turn.goes) taken.first.emplace(inner.take(turn.before, stamp));
    if (turn.comes) taken.second.emplace(inner.take(turn.now, stamp));
    return taken;
  }
  template <class Taken>
  void put(Acc& acc, const Taken& taken) const {
    if (taken.first) inner.take_back(acc, *taken.first);
    if (taken.second) inner.put(acc, *taken.second);
  }
  Value result(const Acc& acc) const { return inner.result(acc); }
};

/// A group with the number of its rows: without any it is gone.
template <class Kernel>
struct GroupKernel {
  struct Acc {
    std::int64_t rows = 0;
    typename Kernel::Acc of{};
    std::size_t heap_bytes() const
      requires kAccHoldsHeap<typename Kernel::Acc>
    {
      return acc_heap_bytes(of);
    }
  };
  using Value = typename Kernel::Value;
  static constexpr bool kMerges = false;
  Kernel kernel;

  Acc init() const { return {0, kernel.init()}; }
  Value result(const Acc& acc) const { return kernel.result(acc.of); }

  static constexpr bool kStorable = true;
  std::string acc_shape() const
    requires StoresAccumulators<Kernel>
  {
    return "group{" + kernel.acc_shape() + "}";
  }
  void store_acc(std::string& out, const Acc& acc) const {
    store_value(out, acc.rows);
    kernel.store_acc(out, acc.of);
  }
  bool load_acc(BytesCursor& in, Acc& acc) const {
    return load_value(in, acc.rows) && kernel.load_acc(in, acc.of);
  }
};

/// Takes turns of rows in their order, emits changes of groups: +I of a group's first row, -U and
/// +U where its value becomes another one, -D when its last row has gone. A group whose result is
/// refused (a sum that leaves 64 bits) has no row until it fits again, and the change that did it
/// is a dead letter.
///
/// `In`: a turn, see TurnSides. Cost: one look-up a turn, and two results. Memory: an accumulator a
/// group.
template <class In, class Key, class Kernel>
class GroupedRows final : public Operator, public HoldsAggregates, public Spills, public HandsOver {
 public:
  using Sides = TurnSides<In>;
  using K = typename Key::View;
  using Groups = GroupKernel<Kernel>;
  using Group = typename Groups::Acc;
  using Value = typename Kernel::Value;
  using Row = Change<millrace::Aggregate<K, Value>>;
  using KeyPtr = std::shared_ptr<const TypedKeyHash<In, Key>>;

  GroupedRows(KeyPtr key, Kernel kernel) : key_(std::move(key)), groups_{std::move(kernel)} {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    tables_.emplace(groups_, context.state);
  }
  void spill_to(const SpillPlace& place) override { tables_->spill_to(place); }

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool, Outputs& outputs) override {
    auto& in = static_cast<Batch<In>&>(base);
    const std::uint64_t* const hashes = tables_->begin_batch(*key_, in);
    out_.clear();
    carry_marks(in, out_);
    out_.hashed_by = nullptr;
    arena_ = {};
    std::size_t cursor = 0;
    const auto mark = [&](std::size_t at, std::size_t first) {
      inherit_time(in, at, out_, first, out_.values.size(), cursor);
      inherit_arrival(in, at, out_, first, out_.values.size());
    };
    const auto turn = [&](std::size_t at) {
      const std::size_t first = out_.values.size();
      key_->key().with(in.values[at], [&](const K& key) {
        const std::uint64_t hash = hashes ? hashes[at] : KeyTraits<K>::hash(key);
        take(key, hash, in.values[at]);
      });
      mark(at, first);
      if (refused_) std::rethrow_exception(std::exchange(refused_, nullptr));
    };
    const std::size_t failed = guarded_loop(0, in.values.size(), in, batch_type<In>(),
                                            *context().dead_letters, turn, [](std::size_t) {});
    tally().processed += in.values.size() - failed;
    tally().dead_lettered += failed;
    tables_->end_batch();
    if (!out_.values.empty()) outputs.push(0, out_);
  }
  void save_state(StateWriter& writer) override { tables_->save(writer, kPart); }
  void restore_state(StateReader& reader) override { tables_->restore(reader, kPart); }
  bool hands_over() const override { return tables_->hands_over(); }
  std::unique_ptr<HandedState> hand_over() override { return tables_->hand_over(kPart); }
  bool take_over(HandedState& handed) override { return tables_->take_over(handed); }
  void add_held(std::unique_ptr<HeldAggregates>& held) override {
    tables_->add_to(HeldOf<Groups>::in(held, groups_));
  }
  std::int64_t take_moved_heap() override { return tables_->take_moved_heap(); }

 private:
  static constexpr const char* kPart = "groups";

  void take(const K& key, std::uint64_t hash, const In& turn) {
    const auto& taken = groups_.kernel.take(turn, {});
    Group& group = tables_->tables().upsert(key, hash, [this] { return groups_.init(); });
    std::optional<Value> before = result_of(group);
    refused_ = nullptr;  // it was told when it came
    groups_.kernel.put(group.of, taken);
    group.rows += int{Sides::comes(turn)} - int{Sides::goes(turn)};
    std::optional<Value> after = result_of(group);
    if (group.rows == 0) tables_->erase(key, hash);
    if (before && after && same(*before, *after)) return;
    if (before) emit(after ? ChangeKind::update_before : ChangeKind::erase, key, *before);
    if (after) emit(before ? ChangeKind::update_after : ChangeKind::insert, key, *after);
  }
  /// None: it has no rows, or its result is refused, see refused_.
  std::optional<Value> result_of(const Group& group) {
    if (group.rows <= 0) return std::nullopt;
    try {
      return groups_.result(group);
    } catch (...) {
      refused_ = std::current_exception();
      return std::nullopt;
    }
  }
  static bool same(const Value& left, const Value& right) {
    if constexpr (requires { Kernel::same(left, right); }) {
      return Kernel::same(left, right);
    } else if constexpr (Storable<Value>) {
      std::string bytes[2];
      store_value(bytes[0], left);
      store_value(bytes[1], right);
      return bytes[0] == bytes[1];
    } else {
      return false;
    }
  }
  void emit(ChangeKind kind, const K& key, Value& value) {
    if (!arena_) {
      arena_ = pool_.take(context().arenas);
      out_.pin(arena_);
    }
    out_.values.push_back(
        {kind, {KeyTraits<K>::intern(key, *arena_), std::move(value), kTimeMin, kTimeMax}});
  }

  KeyPtr key_;
  Groups groups_;
  std::optional<AccumulatorTables<K, Groups>> tables_;  ///< from open() on
  std::exception_ptr refused_;                          ///< of the result asked for last
  Batch<Row> out_;
  ArenaPool pool_{16u << 10};
  ArenaRef arena_;
};

}  // namespace millrace::detail
