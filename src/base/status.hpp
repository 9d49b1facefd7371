// Status and Result<T>: how an operation that can fail says what, where, why and what to do.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace millrace {

/// Numbers by origin: 1xxx options, 2xxx topology, 3xxx running, 4xxx sources and sinks, 5xxx page
/// and service, 9xxx a bug of Millrace. Numbers are stable; messages may improve.
enum class Code : std::uint16_t {
  ok = 0,
  option_unknown = 1001,        ///< a flag or subcommand that does not exist
  option_invalid = 1002,        ///< a known flag with a value out of range
  option_not_built = 1003,      ///< known, but this version does not have it
  topology_empty = 2001,        ///< nothing to run
  name_invalid = 2002,          ///< a component name that is empty, too long or taken
  input_missing = 2003,         ///< a component that nothing feeds
  output_unread = 2004,         ///< a stream that no sink or component reads
  window_invalid = 2005,        ///< size <= 0, slide <= 0 or slide > size
  event_time_missing = 2006,    ///< an event-time window over a stream without event time
  event_time_misplaced = 2007,  ///< event_time after a shuffle
  tasks_invalid = 2008,         ///< a number of tasks below 1 or above the bound
  cycle = 2009,                 ///< a component that feeds itself
  parameter_invalid = 2010,     ///< a verb's parameter that cannot be used, such as top(0)
  user_code_failed = 3001,      ///< user code threw and the topology was told to stop
  memory_exceeded = 3002,       ///< keyed state that does not fit the memory budget
  state_unreadable = 3003,      ///< a checkpoint that is damaged, or of a later version
  state_mismatch = 3004,        ///< stored state that does not fit the topology
  state_in_use = 3005,          ///< a state folder that another process works with
  source_failed = 4001,         ///< a source cannot be opened or read
  sink_failed = 4002,           ///< a sink cannot be opened or written
  record_invalid = 4003,        ///< a record that cannot be parsed (goes to the dead letters)
  input_corrupt = 4004,         ///< a compressed input that is cut or damaged
  output_closed = 4005,         ///< the reader of an output went away, as with `| head`
  columns_mismatch = 4006,      ///< the columns of an input do not fit its records
  address_in_use = 5001,        ///< the page's port is taken
  address_refused = 5002,       ///< an address that is not loopback
  internal = 9001,              ///< a broken invariant
};

/// The outcome of an operation: ok, or a code and one sentence that says what, where, why and what
/// to do.
///
/// Cost: one pointer; an ok status allocates nothing. Copies share the message.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message)
      : detail_(std::make_shared<const Detail>(Detail{code, std::move(message)})) {}

  bool ok() const { return detail_ == nullptr; }
  explicit operator bool() const { return ok(); }
  Code code() const { return detail_ ? detail_->code : Code::ok; }
  /// The sentence without its number; empty when ok.
  const std::string& message() const;
  /// "2005 bolt "x": ..." or "ok".
  std::string to_string() const;

 private:
  struct Detail {
    Code code;
    std::string message;
  };
  std::shared_ptr<const Detail> detail_;
};

/// Thrown by `Result::value()` for those who prefer exceptions; the engine itself does not throw
/// it.
class Error : public std::runtime_error {
 public:
  explicit Error(Status status)
      : std::runtime_error(status.to_string()), status_(std::move(status)) {}
  const Status& status() const { return status_; }

 private:
  Status status_;
};

/// A value or the Status that says why there is none; member names follow std::expected.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit, as std::expected
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) {}  // NOLINT

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  /// The value; throws Error when there is none.
  T& value() & {
    if (!has_value()) throw Error(std::get<1>(state_));
    return std::get<0>(state_);
  }
  T&& value() && {
    if (!has_value()) throw Error(std::get<1>(state_));
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  /// The failure; ok when there is a value.
  Status error() const { return has_value() ? Status() : std::get<1>(state_); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace millrace
