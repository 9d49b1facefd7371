// RuleSetProcess: the records of a RuleSetWatch, which tells the keys of a rule that changed or
// went.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "operator/kept_figures.hpp"
#include "operator/pattern_tally.hpp"
#include "operator/processor_caller.hpp"

namespace millrace::detail {

/// What a BroadcastProcess by event time runs: it is given the records of all keys in the order of
/// event time, so that none waits; timers come behind the records of their time.
///
/// Cost: a look-up a record; at a rule that changes or goes, a look at each key.
template <class T, class Key, class P>
class RuleSetProcess final : public Operator, public Inspectable {
 public:
  using K = typename Key::View;
  using Caller = ProcessorCaller<K, P>;
  using Row = typename Caller::Row;
  using Emitted = typename Caller::Emitted;
  using Kind = KeyTimers::Kind;
  using KeyPtr = std::shared_ptr<const TypedKeyHash<T, Key>>;

  RuleSetProcess(KeyPtr key, P processor) : key_(std::move(key)), caller_(std::move(processor)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    caller_.open(context);
    figures_.open(context.user);
  }
  /// A rule that goes is asked of each key that knows it: keys stay in memory.
  void spill_to(const SpillPlace&) {}
  void process(BatchBase& base, bool, Outputs& outputs) override {
    auto& in = static_cast<Batch<T>&>(base);
    begin();
    caller_.emission().set_due(in.due_ns);
    newest_ = std::max(newest_, newest_of(in));
    std::size_t cursor = 0;
    const auto one = [&](std::size_t at) {
      const Time behind = behind_at(in, at, cursor);
      fire(saturating_add(std::max(in.times[at], behind), -1));
      caller_.emission().mark();
      key_->key().with(in.values[at], [&](const K& key) {
        const std::uint64_t hash = KeyTraits<K>::hash(key);
        caller_.process(in, at, behind, key, hash, tables().find(key, hash));
      });
      tally_of_patterns().keep();
    };
    const auto undo = [this](std::size_t) {
      caller_.undo();
      tally_of_patterns().undo();
    };
    const std::size_t failed =
        guarded_loop(0, in.values.size(), in, batch_type<T>(), *context().dead_letters, one, undo);
    tally().processed += in.values.size() - failed;
    tally().dead_lettered += failed;
    caller_.emission().pin(in);
    end(outputs);
  }
  void advance(Time watermark, Outputs& outputs) override {
    catch_up(watermark, outputs);
    caller_.set_forwarded();
  }
  /// The same for a watermark that readers are not told of.
  void catch_up(Time watermark, Outputs& outputs) {
    begin();
    caller_.set_watermark(watermark, 0);
    fire(watermark == kTimeMax ? watermark : watermark - 1);
    if (watermark != kTimeMax) caller_.processor().texts().set_floor(watermark);
    end(outputs);
  }
  const KeyHash* key_hash() const { return key_.get(); }
  P& processor() { return caller_.processor(); }
  void inspect(StateQuery& query) override { caller_.inspect(query); }
  void save_state(StateWriter& writer) override { caller_.save(writer, newest_); }
  void restore_state(StateReader& reader) override {
    newest_ = caller_.restore(reader);
    caller_.processor().texts().set_floor(caller_.watermark());
    each_key([this](auto&) { caller_.processor().memory().count_partial(); });
    tally_of_patterns().keep();
    tally_of_patterns().tell(figures_);
  }

 private:
  auto& tables() { return caller_.rows().tables(); }
  PatternTally& tally_of_patterns() { return caller_.processor().memory().tally(); }
  void begin() {
    caller_.begin_batch();
    if (const auto time = caller_.processor().texts().take_change()) tell_keys(*time);
  }
  void end(Outputs& outputs) {
    tally_of_patterns().tell(figures_);
    caller_.rows().upkeep(caller_.user().watermark());
    caller_.emission().push(nullptr, outputs);
  }
  /// Keys that know a rule which is no more get a timer at the time of that.
  void tell_keys(Time time) {
    caller_.rows().call().event_now = time;
    each_key([&](auto& rows) {
      if (caller_.processor().knows_gone()) rows.timers().at(time);
    });
  }
  /// Calls visit(rows) with the states of each key at hand.
  template <class Visit>
  void each_key(Visit&& visit) {
    auto& rows = caller_.rows();
    tables().for_each([&](const K& key, Row& row) {
      const std::uint64_t hash = KeyTraits<K>::hash(key);
      rows.begin(hash, &row);
      visit(rows);
      rows.keep(key, hash, &row);
    });
  }
  /// Fires the timers up to `until`, by time and then by key.
  void fire(Time until) {
    while (const auto time = caller_.rows().timers().queue(Kind::event).pop(until, due_hashes_)) {
      caller_.rows().due().find(Kind::event, *time, due_hashes_, due_);
      for (const auto& due : due_) caller_.fire(Kind::event, *time, K(due.key), due.hash, newest_);
      tally_of_patterns().keep();
    }
  }

  KeyPtr key_;
  Caller caller_;
  MatchFigures figures_;
  std::vector<std::uint64_t> due_hashes_;
  std::vector<typename DueTimers<K, P>::Due> due_;
  Time newest_ = kTimeMin;  ///< of the records
};

}  // namespace millrace::detail
