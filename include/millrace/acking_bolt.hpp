// ReliableSpout and AckingBolt: Storm's contract in one's own hands: ids, acks, fails, anchors.
#pragma once

#include <type_traits>

#include "millrace/bolt.hpp"
#include "operator/acking_operator.hpp"
#include "operator/message_output.hpp"

namespace millrace {

/// A spout whose messages have ids, so that it learns what became of them: of a queue, say, that
/// gives again what was not acked. It plays failed messages again itself, if it wants to. All calls
/// by its task's thread, none within another.
///
/// Without at_least_once each message is acked as soon as it is handed on, as in Storm with no
/// ackers.
template <class Emitted>
class ReliableSpout {
 public:
  using Record = Emitted;
  using NamesMessages = void;  ///< internal
  virtual ~ReliableSpout() = default;

  /// As those of Spout.
  virtual void open(TaskContext& /*context*/) {}
  virtual void activate() {}
  /// As that of Spout; false: there will be no more, also not of what fails from now on. While
  /// messages are on their way or may be played again, return true.
  virtual bool next(MessageOutput<Emitted>& out) = 0;
  /// The message is handled to the end, or its record is a dead letter after its last try.
  virtual void ack(MessageId /*id*/) {}
  /// User code failed at a record of it, or it timed out. Emit it again under the same id for
  /// another try, or leave it.
  virtual void fail(MessageId /*id*/) {}
  virtual void deactivate() {}
  virtual void close() {}
};

/// A bolt that may take messages into its own hands: to write many at once, to wait for an answer,
/// to join two. See docs/guides/how-to-ack-by-hand.md.
///
/// process() is given the message of the record: left alone it is acked when process() returns,
/// and failed when it throws, as by a Bolt. Taken by std::move, it is acked or failed when the
/// bolt says so, in a later call or in another thread; nothing happened to it for the time-out of
/// the guarantee: it fails. Everything else is as for a Bolt.
template <class In, class Emitted>
class AckingBolt {
 public:
  using Input = In;
  using Record = Emitted;
  using TickOfBase = void (AckingBolt::*)(AnchoredOutput<Emitted>&);  ///< internal
  virtual ~AckingBolt() = default;

  virtual void prepare(TaskContext& /*context*/) {}
  virtual void process(const In& record, Message& message, AnchoredOutput<Emitted>& out) = 0;
  /// What it emits belongs to no message, unless it says so.
  virtual void tick(AnchoredOutput<Emitted>& /*out*/) {}
  /// Messages that are still held after it fail for good: they are dead letters of their source.
  virtual void finish(AnchoredOutput<Emitted>& /*out*/) {}
  virtual void cleanup() {}
};

namespace detail {

template <class In, class Emitted>
class TakesMessage {
 public:
  virtual void process(const In& /*record*/, Message& /*message*/,
                       AnchoredOutput<Emitted>& /*out*/) {}

 protected:
  ~TakesMessage() = default;
};

}  // namespace detail

/// With inputs of several types, as Bolt<Inputs<...>, Emitted>.
template <class... In, class Emitted>
class AckingBolt<Inputs<In...>, Emitted> : public detail::TakesMessage<In, Emitted>... {
 public:
  using Input = Inputs<In...>;
  using Record = Emitted;
  using TickOfBase = void (AckingBolt::*)(AnchoredOutput<Emitted>&);  ///< internal
  virtual ~AckingBolt() = default;

  virtual void prepare(TaskContext& /*context*/) {}
  virtual void tick(AnchoredOutput<Emitted>& /*out*/) {}
  virtual void finish(AnchoredOutput<Emitted>& /*out*/) {}
  virtual void cleanup() {}
};

namespace detail {

template <class B>
inline constexpr bool kAcksByHand =
    std::is_base_of_v<AckingBolt<typename B::Input, typename B::Record>, B>;

template <class B>
using OperatorOfBolt = std::conditional_t<kAcksByHand<B>, AckingOperator<B>, BoltOperator<B>>;

}  // namespace detail
}  // namespace millrace
