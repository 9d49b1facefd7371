// PatternMatch: the matches of a pattern in the records of each key, in the order of event time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/byte_codec.hpp"
#include "base/hash.hpp"
#include "operator/kept_figures.hpp"
#include "operator/matched.hpp"
#include "operator/matched_rows.hpp"
#include "operator/order_restore.hpp"
#include "operator/pattern_keys.hpp"

namespace millrace::detail {

/// What a pattern of `T`s is made of, compiled.
template <class T>
struct TypedPattern {
  MatchPlan plan;
  std::vector<Where<T>> conditions;
  MatchedForm<T> form = {};
};

/// The records that partial matches have, and one match as it is shown. One thread.
template <class T>
class ShownMatch {
 public:
  /// Outlive it.
  explicit ShownMatch(std::span<const std::string> stages) : match_(stages) {}

  JoinedRecords<T>& records() { return records_; }
  /// Of the path that ends at `node`; MatchBuffer::kNone: nothing.
  Match<T>& show(const MatchBuffer& buffer, std::uint32_t node) {
    auto& entries = match_.entries();
    entries.clear();
    slots_.clear();
    rows_.clear();
    for (; node != MatchBuffer::kNone; node = buffer.node(node).before) {
      const MatchBuffer::Record& record = buffer.record_of(node);
      entries.push_back({buffer.node(node).stage, shown(record.slot), record.time});
      slots_.push_back(record.slot);
    }
    std::reverse(entries.begin(), entries.end());
    return match_;
  }
  /// The match that was shown last.
  Match<T>& match() { return match_; }
  /// Its place: no other one has the same records in the same stages. When the last record came
  /// does not say which match it is, for one record ends several, some of them much later.
  Arrival place(std::uint32_t component) {
    places_.clear();
    auto slot = slots_.rbegin();
    for (const auto& entry : match_.entries()) {
      const Arrival of_record = records_.place_of(*slot++);
      put_number(places_, entry.stage);
      put_number(places_, of_record.origin);
      put_number(places_, of_record.path);
      put_number(places_, of_record.number);
      put_number(places_, entry.time);
    }
    return Arrival::at(component, 0, hash_bytes(places_));
  }
  /// Its records as JSON.
  std::string text() {
    std::string text = "[";
    for (auto slot = slots_.rbegin(); slot != slots_.rend(); ++slot) {
      if (text.size() > 1) text += ',';
      text += batch_type<T>().describe(records_.batch(*slot), static_cast<std::uint32_t>(*slot));
    }
    return text + "]";
  }

 private:
  const T* shown(std::uint64_t slot) {
    if constexpr (std::is_same_v<T, RowRef>) {
      return &rows_.emplace_back(records_.record(slot));
    } else {
      return &records_.record(slot);
    }
  }

  JoinedRecords<T> records_;
  Match<T> match_;
  std::vector<std::uint64_t> slots_;  ///< of its records, the last one first
  std::deque<RowRef> rows_;           ///< where the records are rows: these
  std::string places_;                ///< and where they stand in the input, as bytes
};

/// What comes behind putting records in order: take(batch) gets those, `outputs` the late ones.
template <class Take>
class BehindOrder final : public Outputs {
 public:
  BehindOrder(Take take, Outputs& outputs, std::uint32_t late_port)
      : take_(std::move(take)), outputs_(outputs), late_port_(late_port) {}
  void push(std::uint32_t port, BatchBase& batch) override {
    if (port == 0) return take_(batch);
    outputs_.push(late_port_, batch);
  }
  bool has_readers(std::uint32_t port) const override {
    return port == 0 || outputs_.has_readers(late_port_);
  }
  void advance_watermark(Time) override {}

 private:
  Take take_;
  Outputs& outputs_;
  std::uint32_t late_port_;
};

/// Records are put in the order of time and place first; when the watermark has passed them they
/// are matched, and what is over at its time goes. So what is found depends on the inputs alone.
/// Rows of matches leave by port 0, late records by port 1, rows of partial matches whose time is
/// over by port 2.
///
/// A condition that throws makes its record a dead letter, as if it had not come.
/// Memory: a copy of each record that is part of a partial match, in chunks of 1,024, which give
/// the room of those that have gone back when it is an eighth of all; about 110 bytes a partial
/// match and about 380 a key that has any, all counted; of a key that lies on disk the 16 bytes of
/// its alarm.
template <class T, class Key, class Out, class Maker, class Over, class OverMaker>
class PatternMatch final : public Operator, public Spills, private MatchHost {
 public:
  using K = typename Key::View;
  using KeyPtr = std::shared_ptr<const TypedKeyHash<T, Key>>;
  static constexpr std::uint32_t kLatePort = 1;
  static constexpr std::uint32_t kOverPort = 2;

  PatternMatch(KeyPtr key, const TypedPattern<T>& pattern, Maker maker, OverMaker over)
      : key_(std::move(key)),
        pattern_(pattern),
        ordered_(key_),
        shown_(pattern_.plan.stages),
        known_(pattern_.conditions.size()),
        rows_(std::move(maker), 0),
        over_(std::move(over), kOverPort) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    ordered_.open(context);
    shown_.records().count_with(context.state);
    matcher_.emplace(pattern_.plan, static_cast<MatchHost&>(*this), context.state);
    keys_.emplace(*matcher_, pattern_.form, shown_.records(), context.state);
    figures_.open(context.user);
  }
  void spill_to(const SpillPlace& place) override { keys_->spill_to(place); }
  void close() override { ordered_.close(); }
  void save_state(StateWriter& writer) override {
    ordered_.save_state(writer);
    keys_->save(writer);
  }
  void restore_state(StateReader& reader) override {
    ordered_.restore_state(reader);
    keys_->restore(reader);
    tell_figures();
  }

  void process(BatchBase& batch, bool exclusive, Outputs& outputs) override {
    auto behind = in_order(outputs);
    ordered_.process(batch, exclusive, behind);
  }
  void advance(Time watermark, Outputs& outputs) override {
    auto behind = in_order(outputs);
    ordered_.advance(watermark, behind);
    outputs_ = &outputs;
    keys_->advance(watermark);
    if (watermark == kTimeMax) keys_->end(kTimeMax - 1);
    watermark_ = watermark;
    flush(outputs);
    keys_->end_batch();
  }
  Waiting waiting() const override { return ordered_.waiting(); }
  Standing standing() const override {
    Standing standing = ordered_.standing();
    if (!keys_->any()) return standing;
    const PatternShape& shape = pattern_.plan.shape;
    const std::int64_t longest = shape.within.count() + shape.lasting().count();
    const Time from = shape.within.count() > 0 ? saturating_add(watermark_, -longest) : kTimeMin;
    standing.holds_from = std::min(from, standing.holds_from.value_or(from));
    return standing;
  }
  void release(std::int64_t now_ns, bool drain, Outputs& outputs) override {
    auto behind = in_order(outputs);
    ordered_.release(now_ns, drain, behind);
    flush(outputs);
  }

 private:
  /// Where records go when they are in order.
  auto in_order(Outputs& outputs) {
    return BehindOrder(
        [this, &outputs](BatchBase& batch) { take(static_cast<Batch<T>&>(batch), outputs); },
        outputs, kLatePort);
  }

  void take(Batch<T>& in, Outputs& outputs) {
    batch_ = &in;
    outputs_ = &outputs;
    const std::uint64_t* const hashes = keys_->begin_batch(*key_, in);
    const auto one = [&](std::size_t at) {
      at_ = static_cast<std::uint32_t>(at);
      std::fill(known_.begin(), known_.end(), Known::no);
      key_->key().with(in.values[at], [&](const K& key) {
        keys_->take(key, hashes ? hashes[at] : KeyTraits<K>::hash(key), in.times[at]);
      });
    };
    const std::size_t failed = guarded_loop(0, in.values.size(), in, batch_type<T>(),
                                            *context().dead_letters, one, [](std::size_t) {});
    tally().processed -= failed;  // counted where they were put in order
    tally().dead_lettered += failed;
    flush(outputs);
    keys_->end_batch();
  }
  void flush(Outputs& outputs) {
    rows_.flush(outputs);
    over_.flush(outputs);
    tell_figures();
  }
  void tell_figures() { figures_.tell(keys_->partial(), keys_->keys(), keys_->waiting()); }

  bool holds(std::uint32_t condition, std::uint32_t node) override {
    const Where<T>& asked = pattern_.conditions[condition];
    Known& known = known_[condition];
    if (!asked.looks_back() && known != Known::no) return known == Known::holds;
    if (asked.looks_back()) show(node);
    const bool holds = asked(batch_->values[at_], shown_.match());
    known = holds ? Known::holds : Known::fails;
    return holds;
  }
  std::uint64_t keep() override { return shown_.records().keep(*batch_, {&at_, 1}); }
  void gone(std::uint64_t slot) override { shown_.records().gone(slot); }
  void matched(std::uint32_t node, Time now) override { tell(node, now, rows_); }
  void timed_out(std::uint32_t node, Time now) override {
    if (outputs_->has_readers(kOverPort)) tell(node, now, over_);
  }
  void missed(std::uint32_t node, Time) override {
    show(node);
    context().dead_letters->add("the match has no record of stage \"" +
                                    pattern_.plan.shape.skip_stage +
                                    "\" that it could skip to, or begins with it",
                                "", shown_.text());
    ++tally().rows_refused;
  }

  Match<T>& show(std::uint32_t node) { return shown_.show(matcher_->buffer(), node); }
  template <class Rows>
  void tell(std::uint32_t node, Time now, Rows& rows) {
    Match<T>& match = show(node);
    match.set_time(now);
    rows.add(
        match, [this] { return shown_.place(context().component); },
        [this] { return shown_.text(); }, context(), *outputs_);
  }
  enum class Known : std::uint8_t { no, holds, fails };

  KeyPtr key_;
  TypedPattern<T> pattern_;
  OrderRestore<T> ordered_;
  ShownMatch<T> shown_;
  std::optional<Matcher> matcher_;         ///< from open() on
  std::optional<PatternKeys<K, T>> keys_;  ///< the same
  MatchFigures figures_;
  Time watermark_ = kTimeMin;
  std::vector<Known> known_;  ///< by condition: what it says of the record at hand
  MatchedRows<Out, Maker> rows_;
  MatchedRows<Over, OverMaker> over_;
  const Batch<T>* batch_ = nullptr;
  std::uint32_t at_ = 0;  ///< the record at hand
  Outputs* outputs_ = nullptr;
};

}  // namespace millrace::detail
