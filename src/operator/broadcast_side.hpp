// BroadcastSide: hands the records of a broadcast stream to on_broadcast of a user's class.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/owned_emission.hpp"
#include "operator/processor.hpp"
#include "operator/stored_records.hpp"
#include "state/broadcast_state.hpp"
#include "state/stored_content.hpp"
#include "state/stored_tables.hpp"

namespace millrace {

/// Given to on_broadcast; valid during the call.
class BroadcastContext {
 public:
  /// Event time of the record; kTimeMin where there is none.
  Time time() const { return time_; }
  /// True for a record behind the watermark of its own source partition.
  bool is_late() const { return late_; }
  /// No record of either stream with an earlier time will come, late ones aside; kTimeMin: not
  /// known yet.
  Time watermark() const { return watermark_; }
  /// The wall clock as it was when the batch at hand began.
  Timestamp now() const { return {now_}; }
  /// The component's place, log and metrics. Each task is called for every record.
  TaskContext& task() { return *task_; }

  // Internal, as all below.
  void point(Time time, bool late) {
    time_ = time;
    late_ = late;
  }
  void set_watermark(Time watermark) { watermark_ = watermark; }
  void set_now(Time now) { now_ = now; }
  void set_task(TaskContext& task) { task_ = &task; }

 private:
  TaskContext* task_ = nullptr;
  Time time_ = kTimeMin;
  Time watermark_ = kTimeMin;
  Time now_ = 0;
  bool late_ = false;
};

namespace detail {

/// Reads the types off on_broadcast(const R&, BroadcastContext&, Output<U>&).
template <class Method>
struct BroadcastTraits {
  static constexpr bool kBroadcast = false;
};
template <class C, class R, class U, bool kNoexcept>
struct BroadcastTraits<void (C::*)(R, BroadcastContext&, Output<U>&) noexcept(kNoexcept)> {
  static constexpr bool kBroadcast = true;
  static constexpr bool kNothrow = kNoexcept;
  using Record = std::decay_t<R>;
  using Emitted = U;
};

template <class P>
concept HasOnBroadcast =
    requires { requires BroadcastTraits<decltype(&P::on_broadcast)>::kBroadcast; };

template <class M>
auto pointer_if_broadcast(M& member) {
  if constexpr (kIsBroadcastState<M>) {
    return std::tuple<M*>{&member};
  } else {
    return std::tuple<>{};
  }
}
template <class P>
auto broadcasts_of(P& processor) {
  return pick_members(
      processor, [](auto&... members) { return std::tuple_cat(pointer_if_broadcast(members)...); });
}

/// The names of the broadcast states, in the same order.
template <class P>
std::vector<std::string> broadcast_names(P& processor) {
  std::vector<std::string> names;
  [[maybe_unused]] const auto add = [&names](auto& member, std::string_view declared) {
    if constexpr (kIsBroadcastState<std::remove_reference_t<decltype(member)>>)
      names.emplace_back(declared);
  };
  [[maybe_unused]] std::size_t at = 0;
  if constexpr (NamesStates<P>) {
    std::apply([&](auto&... states) { (add(states, "state-" + std::to_string(++at)), ...); },
               processor.states());
  } else if constexpr (!std::is_empty_v<P>) {
    MemberBinder<kMemberCount<P>>::bind(
        processor, [&](auto&... members) { (add(members, kDeclaredNames<P>[at++]), ...); });
  }
  return names;
}

/// Emits into batches of its own. A call that throws leaves no trace; its record is a dead letter
/// of each task. One thread.
template <class P>
class BroadcastSide {
 public:
  using Traits = BroadcastTraits<decltype(&P::on_broadcast)>;
  using R = typename Traits::Record;

  BroadcastSide() = default;
  BroadcastSide(const BroadcastSide&) = delete;
  BroadcastSide& operator=(const BroadcastSide&) = delete;
  ~BroadcastSide() { count_heap(0); }

  /// `processor` stays where it is and outlives this, as the context does.
  void open(P& processor, const OperatorContext& context) {
    processor_ = &processor;
    operator_ = &context;
    context_.set_task(*context.user);
    call_.logging = !Traits::kNothrow;
    emission_.open(*context.user, context.arenas);
    std::apply([this](auto*... states) { (states->attach(call_, may_write_), ...); },
               broadcasts_of(processor));
  }
  void set_watermark(Time watermark) { context_.set_watermark(watermark); }
  /// Answers with the first state of the type that is asked for: they have no names.
  void inspect(StateQuery& query) {
    each([&query](auto& state) {
      using S = std::decay_t<decltype(state)>;
      if (query.content != nullptr || query.state_type != std::type_index(typeid(S))) return;
      query.state_fits = true;
      query.content = &state.all();
    });
  }

  /// A part of each task: alike, but for how far each is by event time.
  void save(StateWriter& writer) {
    const std::vector<std::string> names = broadcast_names(*processor_);
    std::size_t number = 0;
    each([&](auto& state) {
      using Map = typename std::decay_t<decltype(state)>::Map;
      store_value(writer.task_part(names[number++], stored_shape<Map>()), state.all());
    });
    put_number(writer.task_part(kWatermarkPart, "watermark"), context_.watermark());
    put_number(writer.task_part(kToldPart, "watermark"),
               std::max(told_until_, context_.watermark()));
  }
  /// Goes on where the task was that was furthest behind, and returns its number: by event time
  /// the others have applied what no record of its may see yet, and it holds all that they have
  /// applied since.
  std::uint32_t restore(StateReader& reader) {
    const std::uint32_t from = task_behind_all(reader, kWatermarkPart);
    const std::vector<std::string> names = broadcast_names(*processor_);
    std::size_t number = 0;
    each([&](auto& state) { restore_one(reader, names[number++], from, state); });
    context_.set_watermark(time_of(reader, kWatermarkPart, from));
    told_until_ = time_of(reader, kToldPart, reader.task());
    count_heap(static_cast<std::size_t>(std::max<std::int64_t>(0, call_.heap_bytes)));
    return from;
  }
  /// Handles the records [begin, end) of `in`; by event time `turn` is when. Of those that the
  /// former task of this number had handled nothing is emitted again.
  void process(Batch<R>& in, std::size_t begin, std::size_t end, Outputs& outputs,
               Time turn = kTimeMax) {
    context_.set_now(operator_->env->clock->wall_us());
    emission_.begin();
    emission_.set_due(in.due_ns);
    std::size_t cursor = 0;
    const auto one = [&](std::size_t at) {
      const Time time = in.times.empty() ? kTimeMin : in.times[at];
      const Time behind = behind_at(in, at, cursor);
      emission_.mark();
      context_.point(time, behind != kTimeMin);
      heap_before_ = call_.heap_bytes;
      may_write_ = true;
      processor_->on_broadcast(record_at(in, at), context_, emission_.output());
      may_write_ = false;
      if (turn < told_until_) emission_.undo();
      emission_.own_texts(operator_->arenas);
      each([](auto& state) { state.keep(); });
      emission_.give_time(time, behind);
      if (operator_->makes_arrivals) emission_.give_place(in.arrival_of(at));
      emission_.give_message(in.message_of(at));
    };
    const auto undo = [this](std::size_t) {
      may_write_ = false;
      emission_.undo();
      each([](auto& state) { state.undo(); });
      call_.heap_bytes = heap_before_;
    };
    const std::size_t failed =
        guarded_loop(begin, end, in, batch_type<R>(), *operator_->dead_letters, one, undo);
    operator_->tally->processed += end - begin - failed;
    operator_->tally->dead_lettered += failed;
    emission_.pin(in);
    emission_.push(nullptr, outputs);
    count_heap(static_cast<std::size_t>(std::max<std::int64_t>(0, call_.heap_bytes)));
  }

 private:
  static constexpr std::string_view kWatermarkPart = ":broadcast";
  static constexpr std::string_view kToldPart = ":told";

  /// kTimeMin: there is none.
  static Time time_of(StateReader& reader, std::string_view name, std::uint32_t task) {
    Time time = kTimeMin;
    reader.each(name, [&](const StatePart& part) {
      if (part.number != task) return;
      BytesCursor in(part.bytes);
      time = in.number<Time>();
      if (!in.ok()) reader.refuse(part, kBytesDoNotFit);
    });
    return time;
  }
  template <class S>
  void restore_one(StateReader& reader, const std::string& name, std::uint32_t from, S& state) {
    reader.each(name, [&](const StatePart& part) {
      if (part.number != from) return;
      const auto content = ContentReader<typename S::Map>::of(part.shape);
      if (!content) return reader.refuse(part, content.error().message());
      BytesCursor in(part.bytes);
      typename S::Map map;
      if (!content->read(in, map)) return reader.refuse(part, kBytesDoNotFit);
      state.restore(std::move(map), call_);
    });
  }
  template <class Use>
  void each(Use&& use) {
    std::apply([&use](auto*... states) { (use(*states), ...); }, broadcasts_of(*processor_));
  }
  void count_heap(std::size_t bytes) {
    MemoryMeter* const meter = operator_ ? operator_->state : nullptr;
    if (meter && bytes > counted_heap_) meter->grow(bytes - counted_heap_);
    if (meter && bytes < counted_heap_) meter->shrink(counted_heap_ - bytes);
    counted_heap_ = bytes;
  }

  P* processor_ = nullptr;
  const OperatorContext* operator_ = nullptr;
  BroadcastContext context_;
  StateCall call_;
  bool may_write_ = false;
  Time told_until_ = kTimeMin;  ///< how far the former task of this number was
  OwnedEmission<typename Traits::Emitted> emission_;
  std::int64_t heap_before_ = 0;
  std::size_t counted_heap_ = 0;
};

}  // namespace detail
}  // namespace millrace
