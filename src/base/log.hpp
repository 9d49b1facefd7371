// The log front: leveled lines of an event name and key=value text, written by a sink that the host supplies.
#pragma once

#include <string>
#include <string_view>

namespace millrace {

enum class LogLevel : int { debug = 0, info = 1, warn = 2, error = 3, off = 4 };

/// Receives finished lines; called by any thread, one call at a time per sink is not guaranteed.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(LogLevel level, std::string_view event, std::string_view text) = 0;
};

/// What parts of the engine log through: a sink and a threshold. Cheap to copy; the sink must outlive it.
///
/// There is no line per record anywhere: counters do that.
class Log {
 public:
  Log() = default;
  Log(LogSink* sink, LogLevel level) : sink_(sink), level_(level) {}

  bool enabled(LogLevel level) const { return sink_ != nullptr && level >= level_; }
  void operator()(LogLevel level, std::string_view event, std::string_view text) const {
    if (enabled(level)) sink_->write(level, event, text);
  }

 private:
  LogSink* sink_ = nullptr;
  LogLevel level_ = LogLevel::warn;
};

}  // namespace millrace
