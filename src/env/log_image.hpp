// LogImage: which values of a log an image has still to read, and which are the changes of the
// next.
#pragma once

#include <cstddef>
#include <optional>

#include "env/disk_table.hpp"
#include "env/value_log.hpp"

namespace millrace::detail {

/// Values stand in the order in which they were put, so what has been put since a moment stands
/// behind a position. What an image has not read yet is not written anew meanwhile: it would stand
/// behind the end of it. See DiskTable. One thread.
class LogImage {
 public:
  using Record = ValueLog::Record;
  using Position = ValueLog::Position;

  void begin(DiskImage what, ValueLog& log) {
    is_whole_ = what != DiskImage::changes;
    from_ = is_whole_ ? Position{} : changed_from_.value_or(Position{});
    to_ = log.end();
    if (what != DiskImage::alone) changed_from_ = to_;
    log.keep(from_, *to_);
  }
  bool is_open() const { return to_.has_value(); }
  /// Of the one that is open: it has more than what has changed.
  bool is_whole() const { return is_whole_; }
  /// Calls visit(const Record&, std::uint64_t place) for what it holds of the next values, living
  /// or not. How many of them are left; then it is over.
  template <class Visit>
  std::size_t read(ValueLog& log, std::size_t values, Visit&& visit) {
    if (!to_) return values;
    values = log.read(from_, *to_, values, [&](const Record& record, std::uint64_t place) {
      if (is_whole_ || record.changed) visit(record, place);
    });
    if (values > 0) {
      end(log);  // not before whoever reads knows it: time goes on then
    } else {
      log.keep(from_, *to_);
    }
    return values;
  }
  /// It is still to read what stands there.
  bool awaits(const Record& record, Position at) const {
    return to_ && (is_whole_ || record.changed) && at >= from_ && at < *to_;
  }
  void end(ValueLog& log) {
    to_.reset();
    log.keep({}, {});
  }

  /// Whether it is one of the changes of the next image; where there was none, each is.
  bool is_change(const Record& record, Position at) const {
    return record.changed && (!changed_from_ || at >= *changed_from_);
  }
  /// An image of changes has to have it: where one before has an older value of its key, that would
  /// come back.
  bool needs(const Record& record, Position at) const {
    return changed_from_ && (is_change(record, at) || (!is_whole_ && awaits(record, at)));
  }

 private:
  bool is_whole_ = true;
  Position from_;               ///< of the one that is open: what stands before has been read
  std::optional<Position> to_;  ///< the same: what stands there or behind came later
  std::optional<Position> changed_from_;  ///< the changes of the next one stand there or behind
};

}  // namespace millrace::detail
