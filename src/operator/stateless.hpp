// Map, filter, flat_map and branch: operators whose every record is handled by itself.
#pragma once

#include <array>
#include <functional>
#include <type_traits>
#include <utility>

#include "operator/operator.hpp"
#include "operator/output.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {

/// The lateness mark of record `index`, walking `at` along the sparse ascending marks; kTimeMin
/// when on time.
inline Time behind_at(const BatchBase& batch, std::size_t index, std::size_t& at) {
  while (at < batch.behind.size() && batch.behind[at].index < index) ++at;
  if (at < batch.behind.size() && batch.behind[at].index == index)
    return batch.behind[at].watermark;
  return kTimeMin;
}

/// Gives the records [size_before, now) of `out` the place and the message of record `index` of
/// `in`.
inline void inherit_arrival(const BatchBase& in, std::size_t index, BatchBase& out,
                            std::size_t size_before, std::size_t size_now) {
  if (!in.messages.empty()) out.messages.resize(size_now, in.message_of(index));
  if (in.arrivals.empty()) return;
  out.arrivals.resize(size_before);
  for (std::size_t at = size_before; at < size_now; ++at) {
    out.arrivals.push_back(in.arrival_of(index).child(at - size_before));
  }
}

/// Gives the records [size_before, now) of `out` the time and lateness of record `index` of `in`.
inline void inherit_time(const BatchBase& in, std::size_t index, BatchBase& out,
                         std::size_t size_before, std::size_t size_now,
                         std::size_t& behind_cursor) {
  if (in.times.empty() || size_now == size_before) return;
  out.times.resize(size_now, in.times[index]);
  if (in.behind.empty()) return;
  const Time watermark = behind_at(in, index, behind_cursor);
  if (watermark == kTimeMin) return;
  for (std::size_t at = size_before; at < size_now; ++at) {
    out.behind.push_back({static_cast<std::uint32_t>(at), watermark});
  }
}

/// Emits any number of records for each: the shell of flat_map. `Each` is called as
/// each(const In&, Output<Out>&) through its concrete type, so it inlines.
template <class In, class Out, class Each>
class EmitOperator final : public Operator {
 public:
  static constexpr bool kByRecord = true;
  explicit EmitOperator(Each each) : each_(std::move(each)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    output_.count_with(context.arenas);
  }
  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool, Outputs& outputs) override {
    auto& in = static_cast<Batch<In>&>(base);
    const std::size_t count = in.values.size();
    out_.clear();
    carry_marks(in, out_);
    output_.bind(out_);
    std::size_t mark = 0;
    std::size_t cursor = 0;
    std::size_t failed = 0;
    const auto undo = [&](std::size_t) { truncate(out_.values, mark); };
    if (in.is_plain()) {
      failed = guarded_loop(
          0, count, in, batch_type<In>(), *context().dead_letters,
          [&](std::size_t at) {
            mark = out_.values.size();
            each_(record_at(in, at), output_);
          },
          undo);
    } else {
      failed = guarded_loop(
          0, count, in, batch_type<In>(), *context().dead_letters,
          [&](std::size_t at) {
            mark = out_.values.size();
            each_(record_at(in, at), output_);
            inherit_time(in, at, out_, mark, out_.values.size(), cursor);
            inherit_arrival(in, at, out_, mark, out_.values.size());
          },
          undo);
    }
    tally().processed += count - failed;
    tally().dead_lettered += failed;
    if (out_.values.empty()) return;
    out_.pin_all(in);
    outputs.push(0, out_);
  }

 private:
  Each each_;
  Batch<Out> out_;
  Output<Out> output_;
};

/// One record for each: out = f(in).
template <class In, class Out, class F>
class MapOperator final : public Operator {
 public:
  static constexpr bool kByRecord = true;
  explicit MapOperator(F f) : f_(std::move(f)) {}

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool, Outputs& outputs) override {
    auto& in = static_cast<Batch<In>&>(base);
    const std::size_t count = in.values.size();
    out_.clear();
    carry_marks(in, out_);
    out_.values.reserve(count);
    const std::size_t failed = guarded_loop(
        0, count, in, batch_type<In>(), *context().dead_letters,
        [&](std::size_t at) { out_.values.push_back(std::invoke(f_, record_at(in, at))); },
        [&](std::size_t at) { failed_.push_back(static_cast<std::uint32_t>(at)); });
    tally().processed += count - failed;
    tally().dead_lettered += failed;
    copy_times(in);
    if (out_.values.empty()) return;
    out_.pin_all(in);
    outputs.push(0, out_);
  }

 private:
  void copy_times(const Batch<In>& in) {
    if (failed_.empty()) {
      out_.times = in.times;
      out_.behind = in.behind;
      out_.arrivals = in.arrivals;
      out_.messages.append_all(in.messages);
      return;
    }
    std::size_t next_failed = 0;
    std::size_t cursor = 0;
    for (std::size_t at = 0, to = 0; at < in.values.size(); ++at) {
      if (next_failed < failed_.size() && failed_[next_failed] == at) {
        ++next_failed;
        continue;
      }
      inherit_time(in, at, out_, to, to + 1, cursor);
      if (!in.arrivals.empty()) out_.arrivals.push_back(in.arrival_of(at));
      if (!in.messages.empty()) out_.messages.push_back(in.message_of(at));
      ++to;
    }
    failed_.clear();
  }

  F f_;
  Batch<Out> out_;
  std::vector<std::uint32_t> failed_;
};

/// Sends each record to the first port whose predicate holds; records that none takes go to the
/// last port when `kRest`, else they are filtered, and so are those of a port that nothing reads.
/// filter is one predicate without rest, branch is several with it.
template <class T, bool kRest, class... Preds>
class SelectOperator final : public Operator {
 public:
  static constexpr bool kByRecord = true;
  static constexpr std::size_t kPorts = sizeof...(Preds) + (kRest ? 1 : 0);

  explicit SelectOperator(std::tuple<Preds...> predicates) : predicates_(std::move(predicates)) {}

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool exclusive, Outputs& outputs) override {
    auto& in = static_cast<Batch<T>&>(base);
    const std::size_t count = in.values.size();
    for (auto& list : picks_) {
      list.clear();
      list.reserve(count);
    }
    const std::size_t failed = guarded_loop(
        0, count, in, batch_type<T>(), *context().dead_letters,
        [&](std::size_t at) { select(in.values[at], static_cast<std::uint32_t>(at)); },
        [](std::size_t) {});
    std::size_t taken = 0;
    for (std::uint32_t port = 0; port < kPorts; ++port) {
      if (!outputs.has_readers(port)) picks_[port].clear();
      taken += picks_[port].size();
    }
    tally().processed += taken;
    tally().dead_lettered += failed;
    tally().filtered += count - failed - taken;
    for (std::uint32_t port = 0; port < kPorts; ++port) emit(in, exclusive, port, outputs);
  }

 private:
  void select(const T& record, std::uint32_t index) {
    const std::size_t port = first_match(record, std::index_sequence_for<Preds...>{});
    if (port < kPorts) picks_[port].push_back(index);
  }
  template <std::size_t... I>
  std::size_t first_match(const T& record, std::index_sequence<I...>) {
    std::size_t port = sizeof...(Preds);
    (void)((std::invoke(std::get<I>(predicates_), record) ? (port = I, true) : false) || ...);
    return port;
  }
  void emit(Batch<T>& in, bool exclusive, std::uint32_t port, Outputs& outputs) {
    const auto& picks = picks_[port];
    if (picks.empty()) return;
    // Everything passed: hand on the input itself.
    if (exclusive && picks.size() == in.values.size()) {
      outputs.push(port, in);
      return;
    }
    out_.clear();
    carry_marks(in, out_);
    batch_type<T>().append(out_, in, picks);
    outputs.push(port, out_);
  }

  std::tuple<Preds...> predicates_;
  std::array<std::vector<std::uint32_t>, kPorts> picks_;
  Batch<T> out_;
};

}  // namespace millrace::detail
