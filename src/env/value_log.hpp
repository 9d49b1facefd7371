// ValueLog: values one behind another in segments on a scratch disk, each of which goes as a whole.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "env/disk_table.hpp"
#include "env/scratch_pages.hpp"

namespace millrace::detail {

/// A place says the segment, the position there and the length, so that who lets go of a value
/// need not read it. One thread.
class ValueLog {
 public:
  struct Record {
    std::uint64_t key = 0;
    OverAt over;
    bool changed = true;     ///< see DiskTable::put()
    std::string_view value;  ///< as long as its segment is there

    bool is_over(Time watermark, Time clock) const {
      return over.event <= watermark && over.clock <= clock;
    }
  };

  /// Of a value in the order of appends.
  struct Position {
    std::uint64_t segment = 0;  ///< in the order in which they were opened
    std::uint64_t at = 0;       ///< bytes
    auto operator<=>(const Position&) const = default;
  };

  explicit ValueLog(std::string folder) : folder_(std::move(folder)) {}

  /// Makes room for append(). Errors: 4002, unchanged.
  Status reserve(OverAt over, std::string_view value);
  /// Behind reserve() of the same. Returns its place, which is none of 0.
  std::uint64_t append(std::uint64_t key, OverAt over, std::string_view value, bool changed);
  Record at(std::uint64_t place) const { return read(at_bytes(place)); }
  /// Brings near what at() reads.
  void prefetch(std::uint64_t place) const {
    __builtin_prefetch(at_bytes(place));
    __builtin_prefetch(at_bytes(place) + 64);
  }
  /// Nobody asks for it any more. A segment without any that is asked for goes.
  void retire(std::uint64_t place);

  /// More than half is of values that were retired.
  bool is_wasteful() const { return used_ > 2 * live_ + kWasteLeast; }
  /// Begins a walk over the full segment that has the least of living values, or over the one
  /// behind that which was walked last. False where there is none.
  bool walk_emptiest();
  bool walk_next();
  bool walks() const { return walked_ != kNone; }
  /// Calls visit(const Record&, std::uint64_t place) for the records of the segment that is walked,
  /// living or not, until `bytes` are passed or it ends. visit() may append and retire.
  template <class Visit>
  void walk(std::uint64_t bytes, Visit&& visit) {
    const std::uint64_t end = position_ + bytes;
    while (walked_ != kNone && position_ < end) {
      const Segment& segment = *segments_[walked_];
      if (position_ >= segment.used) {
        walked_ = kNone;
        return;
      }
      const Record record = read(segment.pages.data() + position_);
      const std::uint64_t place = place_of(walked_, position_, bytes_of(record.over, record.value));
      position_ += bytes_of(record.over, record.value);
      visit(record, place);
    }
  }

  /// No value stands there or behind it.
  Position end() const;
  Position position_of(std::uint64_t place) const;
  /// Calls visit(const Record&, std::uint64_t place) for so many records from `from` on, living or
  /// not, but none of `to` or behind it; `from` goes behind them. How many are left. visit()
  /// changes nothing.
  template <class Visit>
  std::size_t read(Position& from, Position to, std::size_t records, Visit&& visit) const {
    while (from < to && records > 0) {
      const std::uint32_t number = segment_from(from);
      if (number == kNone || segments_[number]->opened > to.segment) {
        from = to;
        break;
      }
      const Segment& segment = *segments_[number];
      if (segment.opened > from.segment) from = {segment.opened, 0};
      const std::uint64_t end = segment.opened == to.segment ? to.at : segment.used;
      segment.pages.read_ahead(from.at, kReadAhead);
      for (; from.at < end && records > 0; --records) {
        const Record record = read(segment.pages.data() + from.at);
        const std::uint64_t bytes = bytes_of(record.over, record.value);
        visit(record, place_of(number, from.at, bytes));
        from.at += bytes;
      }
      if (from.at >= end && segment.opened < to.segment) from = {segment.opened + 1, 0};
    }
    return records;
  }
  /// From now on no walk goes over segments with records of [from, to).
  void keep(Position from, Position to);

  /// Of records, and of files. O(1).
  std::uint64_t used_bytes() const { return used_; }
  std::uint64_t file_bytes() const { return files_; }

 private:
  struct Segment {
    ScratchPages pages;
    std::uint64_t used = 0;
    std::uint64_t live = 0;
    std::uint64_t opened = 0;  ///< so many were opened before
  };
  static constexpr std::uint32_t kNone = 0;  ///< no segment has that number
  static constexpr std::uint64_t kSegmentLeast = 1u << 20;
  static constexpr std::uint64_t kSegmentMost = 1u << 30;
  static constexpr std::uint64_t kWasteLeast = 2 * kSegmentLeast;
  static constexpr std::size_t kReadAhead = 1u << 20;
  static constexpr std::uint32_t kSegmentsMax = 1u << 12;
  static constexpr std::uint64_t kUnit = 8;  ///< positions and lengths are multiples
  static constexpr int kLengthBits = 24;
  static constexpr int kPositionBits = 28;
  static constexpr std::uint64_t kLengthMost = (std::uint64_t{1} << kLengthBits) - 1;

  static std::uint64_t bytes_of(OverAt over, std::string_view value);
  static Record read(const char* at);
  static std::uint64_t place_of(std::uint32_t segment, std::uint64_t position, std::uint64_t bytes);
  static std::uint32_t segment_of(std::uint64_t place) {
    return static_cast<std::uint32_t>(place >> (kLengthBits + kPositionBits));
  }
  const char* at_bytes(std::uint64_t place) const {
    const std::uint64_t units = place >> kLengthBits & ((std::uint64_t{1} << kPositionBits) - 1);
    return segments_[segment_of(place)]->pages.data() + units * kUnit;
  }
  bool is_full(std::uint32_t segment) const {
    return segment != newest_ && segments_[segment] != nullptr;
  }
  bool is_kept(std::uint32_t segment) const {
    const std::uint64_t opened = segments_[segment]->opened;
    return kept_from_ < kept_to_ && opened >= kept_from_.segment && opened <= kept_to_.segment;
  }
  bool may_walk(std::uint32_t segment) const { return is_full(segment) && !is_kept(segment); }
  /// The first that has records at `from` or behind it; kNone: there is none.
  std::uint32_t segment_from(Position from) const;
  Status open_segment(std::uint64_t bytes);
  void release(std::uint32_t segment);

  std::string folder_;
  std::vector<std::unique_ptr<Segment>> segments_ = std::vector<std::unique_ptr<Segment>>(1);
  ScratchPages spare_;            ///< of a segment that went: making and removing files takes long
  std::uint32_t newest_ = kNone;  ///< where is appended
  std::uint32_t walked_ = kNone;
  std::uint32_t looked_ = kNone;  ///< walk_next() goes on behind it
  std::uint64_t position_ = 0;    ///< of the walk
  std::uint64_t opened_ = 0;      ///< segments so far
  Position kept_from_;            ///< see keep()
  Position kept_to_;
  std::uint64_t used_ = 0;  ///< of all segments, as below
  std::uint64_t live_ = 0;
  std::uint64_t files_ = 0;
};

}  // namespace millrace::detail
