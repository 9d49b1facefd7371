// Emission: the batches that user code fills while it handles one batch, one for each of its
// streams.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

#include "operator/operator.hpp"
#include "operator/stateless.hpp"
#include "operator/streams.hpp"
#include "operator/task_context.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {

/// `Emitted` is a record type or Streams<...>. All of it inlines; with one stream it costs what one
/// batch costs.
template <class Emitted, class Out = Output<Emitted>>
class Emission {
 public:
  using PortsOf = Ports<Emitted>;
  static constexpr std::size_t kPorts = PortsOf::kCount;

  Out& output() { return output_; }

  /// Direct streams learn how many tasks their readers have; `arenas` counts texts, or is null.
  void open(const TaskContext& context, MemoryMeter* arenas) {
    output_.count_with(arenas);
    if constexpr (requires { output_.set_tasks(0, 0); }) {
      for (std::size_t port = 0; port < kPorts; ++port) {
        int least = std::numeric_limits<int>::max();
        for (const TargetInfo& target : context.outputs()[port].targets) {
          least = std::min(least, target.tasks);
        }
        output_.set_tasks(port, least);
      }
    }
  }
  /// Empties the batches and lets the output fill them.
  void begin() {
    each([](auto& batch, std::size_t) { batch.clear(); });
    if constexpr (requires { output_.bind(batches_); }) {
      output_.bind(batches_);
    } else {
      output_.bind(std::get<0>(batches_));
    }
    cursor_ = 0;
  }
  void begin(const BatchBase& in) {
    begin();
    each([&in](auto& batch, std::size_t) { carry_marks(in, batch); });
  }
  /// What is emitted from here on can be undone.
  void mark() {
    each([this](auto& batch, std::size_t port) { marks_[port] = batch.values.size(); });
  }
  void undo() {
    each([this](auto& batch, std::size_t port) {
      truncate(batch.values, marks_[port]);
      if (!batch.hashes.empty()) batch.hashes.resize(marks_[port]);
      if (batch.messages.size() > marks_[port]) batch.messages.resize(marks_[port]);
    });
  }
  /// What was emitted since mark() takes the time, lateness, place and message of record `index` of
  /// `in`.
  void inherit(const BatchBase& in, std::size_t index) {
    inherit_apart(in, index);
    if (!in.messages.empty()) give_message(in.message_of(index));
  }
  /// The same without the message.
  void inherit_apart(const BatchBase& in, std::size_t index) {
    each([&](auto& batch, std::size_t port) {
      inherit_time(in, index, batch, marks_[port], batch.values.size(), cursor_);
    });
    if (!in.arrivals.empty()) inherit_arrival(in, index);
  }
  /// What was emitted since the last call descends from `message`, or from none.
  void fill_messages(MessageRef message) {
    each([message](auto& batch, std::size_t) {
      batch.messages.resize(batch.values.size(), message);
    });
  }
  /// What was emitted since mark() descends from `message`.
  void give_message(MessageRef message) {
    each([&](auto& batch, std::size_t port) {
      if (!message && batch.messages.empty()) return;
      batch.messages.resize(marks_[port]);
      batch.messages.resize(batch.values.size(), message);
    });
  }
  /// Everything emitted takes that event time; kTimeMin: none.
  void stamp(Time time) {
    if (time == kTimeMin) return;
    each([time](auto& batch, std::size_t) { batch.times.assign(batch.values.size(), time); });
  }
  /// Everything emitted gets places of its own, for readers that break ties by them.
  void number(std::uint32_t component, std::uint32_t task) {
    each([&](auto& batch, std::size_t) {
      for (std::size_t left = batch.values.size(); left > 0; --left) {
        batch.arrivals.push_back(Arrival::at(component, task, numbered_++));
      }
    });
  }
  /// Hands on what was emitted; the records may borrow from `in`.
  void push(const BatchBase* in, Outputs& outputs) {
    each([&](auto& batch, std::size_t port) {
      if (batch.values.empty()) return;
      mark_direct(batch);
      if (in) batch.pin_all(*in);
      outputs.push(static_cast<std::uint32_t>(port), batch);
    });
  }

  /// Records of each port.
  std::array<std::size_t, kPorts> sizes() {
    std::array<std::size_t, kPorts> sizes{};
    each([&sizes](auto& batch, std::size_t port) { sizes[port] = batch.values.size(); });
    return sizes;
  }
  /// Bytes on the heap of what was emitted since mark().
  std::size_t heap_bytes() {
    std::size_t bytes = 0;
    each([&](auto& batch, std::size_t port) {
      using T = typename std::decay_t<decltype(batch.values)>::value_type;
      bytes += batch_type<T>().heap_bytes(batch, marks_[port]);
    });
    return bytes;
  }
  /// Exchanges the records of port `port` with those of `base`, a batch of its type.
  void swap_with(std::size_t port, BatchBase& base) {
    each([&](auto& batch, std::size_t at) {
      if (at != port) return;
      using T = typename std::decay_t<decltype(batch.values)>::value_type;
      mark_direct(batch);
      batch_type<T>().swap(batch, base);
    });
  }

 protected:
  static void mark_direct(BatchBase& batch) {
    if (!batch.hashes.empty()) batch.hashed_by = &kDirectMark;
  }
  /// The records made of one have places behind each other, stream by stream.
  void inherit_arrival(const BatchBase& in, std::size_t index) {
    std::uint64_t child = 0;
    each([&](auto& batch, std::size_t port) {
      batch.arrivals.resize(marks_[port]);
      while (batch.arrivals.size() < batch.values.size()) {
        batch.arrivals.push_back(in.arrival_of(index).child(child++));
      }
    });
  }

  template <class Use>
  void each(Use&& use) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (use(std::get<I>(batches_), I), ...);
    }(std::make_index_sequence<kPorts>{});
  }

  typename PortsOf::Batches batches_;
  Out output_;
  std::array<std::size_t, kPorts> marks_{};
  std::size_t cursor_ = 0;
  std::uint64_t numbered_ = 0;
};

}  // namespace millrace::detail
