// Spout and Bolt: the Storm style of writing components, as classes of one's own.
#pragma once

#include <string>
#include <string_view>

#include "operator/bolt_operator.hpp"
#include "operator/output.hpp"
#include "operator/streams.hpp"
#include "operator/task_context.hpp"

namespace millrace {

class Message;
template <class Emitted>
class AnchoredOutput;

/// A source of records written by the user. Derive, implement next(), pass an instance to
/// Topology::spout().
///
/// `Emitted` is the type of the records it emits, or Streams<...> for several streams; each stream
/// keeps its order, and of two streams what one call emitted may be handled in either order.
/// Each task owns a copy of the instance it was declared with; calls never overlap. In order:
/// open(), activate(), next() again and again, deactivate(), close().
template <class Emitted>
class Spout {
 public:
  using Record = Emitted;
  virtual ~Spout() = default;

  /// Called once before all others. What it throws ends the run before it begins.
  virtual void open(TaskContext& /*context*/) {}
  /// Called before the first next(), and when the topology is activated again.
  virtual void activate() {}
  /// Emits zero or more records (a few; it is called again at once) and returns true, or returns
  /// false when there will never be more. Nothing emitted: asked again after at most half a
  /// millisecond. Must not block for long. What it throws ends the topology with that text.
  virtual bool next(Output<Emitted>& out) = 0;
  /// Called when the topology is deactivated, and before close(): next() rests meanwhile.
  virtual void deactivate() {}
  /// Called once at every orderly end, also when another component failed.
  virtual void close() {}

  /// True: what it has emitted it can emit again, from any position() on. Called after open(). Of
  /// spouts of one stream.
  virtual bool replayable() const { return false; }
  /// What resume() needs to go on behind all that was emitted so far, as any bytes; kept in each
  /// checkpoint. Called between calls of next().
  virtual std::string position() const { return {}; }
  /// Goes on from what position() of this task returned in an earlier run; not called where there
  /// is none. Called between open() and activate(). What it throws ends the run before it begins.
  virtual void resume(std::string_view /*position*/) {}
};

/// A step written by the user. Derive, implement process(), pass an instance to Topology::bolt().
///
/// `Emitted` is the type of the records it emits, or Streams<...> for several streams. Each task
/// owns a copy of the instance it was declared with; calls never overlap. Plain members keep their
/// values from record to record of a task, but no checkpoint holds them.
template <class In, class Emitted>
class Bolt {
 public:
  using Input = In;
  using Record = Emitted;
  using TickOfBase = void (Bolt::*)(Output<Emitted>&);  ///< internal
  virtual ~Bolt() = default;

  /// Called once before the first record. What it throws ends the run before it begins.
  virtual void prepare(TaskContext& /*context*/) {}
  /// Handles one record and emits any number, which take its event time. When it throws, what it
  /// emitted for this record is withdrawn, the record goes to the dead letters with the text, and
  /// the next record is handled.
  virtual void process(const In& record, Output<Emitted>& out) = 0;
  /// Called every `{.tick = 250ms}`, also while no records come; a tick that could not be on time
  /// is made up once. What it emits takes the newest event time that the task has seen; a stream
  /// with event time does not tick before its first record. What it throws ends the topology.
  virtual void tick(Output<Emitted>& /*out*/) {}
  /// Called when all input has ended (not at Ctrl-C or --duration): emits what is left, with the
  /// newest event time. What it throws ends the topology.
  virtual void finish(Output<Emitted>& /*out*/) {}
  /// Called once at every orderly end, also when another component failed.
  virtual void cleanup() {}
};

namespace detail {

/// One overload of process() to override.
template <class In, class Emitted>
class Takes {
 public:
  virtual void process(const In& /*record*/, Output<Emitted>& /*out*/) {}

 protected:
  ~Takes() = default;
};

}  // namespace detail

/// A bolt with inputs of several types: `Bolt<Inputs<Order, Payment>, Match>` overrides process()
/// for each of them; everything else is as for a bolt of one type.
template <class... In, class Emitted>
class Bolt<Inputs<In...>, Emitted> : public detail::Takes<In, Emitted>... {
 public:
  using Input = Inputs<In...>;
  using Record = Emitted;
  using TickOfBase = void (Bolt::*)(Output<Emitted>&);  ///< internal
  virtual ~Bolt() = default;

  virtual void prepare(TaskContext& /*context*/) {}
  virtual void tick(Output<Emitted>& /*out*/) {}
  virtual void finish(Output<Emitted>& /*out*/) {}
  virtual void cleanup() {}
};

namespace detail {

/// True when B declares process(const In&, Output<...>&) itself.
template <class B, class In>
concept Processes = requires {
  static_cast<void (B::*)(const In&, Output<typename B::Record>&)>(&B::process);
} || requires {
  static_cast<void (B::*)(const In&, Message&, AnchoredOutput<typename B::Record>&)>(&B::process);
};

template <class B, class In>
struct BoltCheck {
  static constexpr bool kComplete = true;
};
template <class B, class... In>
struct BoltCheck<B, Inputs<In...>> {
  static constexpr bool kComplete = (Processes<B, In> && ...);
};

}  // namespace detail
}  // namespace millrace
