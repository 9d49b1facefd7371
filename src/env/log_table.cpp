// DiskTables as a log of values and an index of their places, in files without names.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "env/disk_table.hpp"
#include "env/log_image.hpp"
#include "env/place_index.hpp"
#include "env/value_log.hpp"

namespace millrace::detail {
namespace {

/// Bitcask (Sheehy and Smith 2010): what is put is appended, and an index of all keys says where
/// the newest value of each is. Segments of which most is dead are written anew, as much at each
/// put as it takes to keep up.
class LogTable final : public DiskTable {
 public:
  explicit LogTable(std::string folder) : folder_(folder), index_(folder), log_(folder) {}
  ~LogTable() override {
    std::error_code ignored;  // others may have files there
    std::filesystem::remove(folder_, ignored);
  }

  /// Whether the folder takes files.
  Status open() { return said(ScratchPages::make(folder_, kPageBytes).error()); }

  void put(std::uint64_t key, OverAt over, std::string_view value, bool changed) override {
    if (!set(key, over, value, changed)) return;
    any_end_ |= over.event != kTimeMax && over.clock != kTimeMax;
    tidy(value.size() + kPutBytes);
  }
  void erase(std::uint64_t key) override {
    if (const std::uint64_t place = index_.erase(key)) log_.retire(place);
  }
  Status check() const override { return failed_; }

  void find(std::span<const std::uint64_t> keys, const Visit& visit) override {
    for (; !keys.empty(); keys = keys.subspan(std::min(keys.size(), kAtOnce)))
      find_some(keys.first(std::min(keys.size(), kAtOnce)), visit);
  }
  void each(std::uint64_t first, std::uint64_t last, const Visit& visit) override {
    std::vector<std::uint64_t> places;
    index_.each(first, last, [&](const auto& entry) { places.push_back(entry.place); });
    std::sort(places.begin(), places.end());  // as they stand on the disk
    for (const std::uint64_t place : places) {
      const ValueLog::Record record = log_.at(place);
      if (!record.is_over(watermark_, clock_)) visit(record.key, record.value);
    }
  }
  void set_time(Time watermark, Time clock) override {
    if (image_.is_open()) return;
    watermark_ = watermark;
    clock_ = clock;
  }
  std::uint64_t bytes() const override { return log_.file_bytes() + index_.bytes(); }

  void begin_image(DiskImage what) override { image_.begin(what, log_); }
  std::size_t read_image(std::size_t values, const Visit& visit) override {
    std::array<std::pair<ValueLog::Record, std::uint64_t>, kAtOnce> some;
    std::size_t count = 0;
    const auto visit_some = [&] {
      for (const auto& [record, place] : std::span(some).first(std::exchange(count, 0))) {
        if (index_.find(record.key) != place || is_left_out(record)) continue;
        visit(record.key, record.value);
      }
    };
    values = image_.read(log_, values, [&](const ValueLog::Record& record, std::uint64_t place) {
      index_.prefetch(record.key);
      some[count++] = {record, place};
      if (count == kAtOnce) visit_some();
    });
    visit_some();
    return values;
  }
  bool is_awaited(std::uint64_t key) const override {
    const std::uint64_t place = image_.is_open() ? index_.find(key) : 0;
    if (place == 0) return false;
    const ValueLog::Record record = log_.at(place);
    return image_.awaits(record, log_.position_of(place)) && !is_left_out(record);
  }
  void end_image() override { image_.end(log_); }
  void when_over(std::function<void(std::uint64_t)> gone) override { gone_ = std::move(gone); }

 private:
  static constexpr std::size_t kPageBytes = 4096;
  static constexpr std::size_t kAtOnce = 64;       ///< keys whose memory is asked for ahead
  static constexpr std::uint64_t kPutBytes = 32;   ///< that a put takes beside its value, about
  static constexpr std::uint64_t kMovedBytes = 4;  ///< looked at for each byte that is put

  Status said(const Status& status) const {
    if (status.ok()) return {};
    return {status.code(), fmt::format("the state on disk in \"{}\": {}; make room there, give "
                                       "another folder with --spill-dir, or keep the state in "
                                       "memory with --state memory",
                                       folder_, status.message())};
  }
  bool is_left_out(const ValueLog::Record& record) const {
    return image_.is_whole() && record.is_over(watermark_, clock_);
  }
  bool may_go(const ValueLog::Record& record, std::uint64_t place) const {
    return record.is_over(watermark_, clock_) && !image_.needs(record, log_.position_of(place));
  }
  void let_end(std::uint64_t key) {
    erase(key);
    if (gone_) gone_(key);
  }
  bool set(std::uint64_t key, OverAt over, std::string_view value, bool changed) {
    if (!failed_.ok()) return false;
    Status status = index_.reserve(key);
    if (status.ok()) status = log_.reserve(over, value);
    if (!status.ok()) {
      failed_ = said(status);
      return false;
    }
    const std::uint64_t before = index_.put(key, log_.append(key, over, value, changed));
    if (before != 0) log_.retire(before);
    return true;
  }
  void find_some(std::span<const std::uint64_t> keys, const Visit& visit) {
    std::array<std::uint64_t, kAtOnce> places;
    for (const std::uint64_t key : keys) index_.prefetch(key);
    for (std::size_t at = 0; at < keys.size(); ++at) {
      places[at] = index_.find(keys[at]);
      if (places[at] != 0) log_.prefetch(places[at]);
    }
    for (std::size_t at = 0; at < keys.size(); ++at) {
      if (places[at] == 0) continue;
      const ValueLog::Record record = log_.at(places[at]);
      if (may_go(record, places[at])) {
        let_end(keys[at]);
      } else {
        visit(keys[at], record.value);
      }
    }
  }
  /// Goes on with the segment that is written anew, or is looked through for what is over.
  void tidy(std::uint64_t put_bytes) {
    if (!log_.walks()) {
      moves_ = log_.is_wasteful() && log_.walk_emptiest();
      if (!moves_ && !(any_end_ && log_.walk_next())) return;
    }
    log_.walk(put_bytes * kMovedBytes, [this](const ValueLog::Record& record, std::uint64_t place) {
      if (index_.find(record.key) != place) return;
      if (may_go(record, place)) {
        let_end(record.key);
      } else if (moves_) {
        set(record.key, record.over, record.value,
            image_.is_change(record, log_.position_of(place)));
      }
    });
  }

  std::string folder_;
  PlaceIndex index_;
  ValueLog log_;
  LogImage image_;
  std::function<void(std::uint64_t)> gone_;  ///< told of what is over; empty: nobody is
  Status failed_;  ///< of the first put that found no room; nothing is put from then on
  Time watermark_ = kTimeMin;
  Time clock_ = kTimeMin;
  bool any_end_ = false;  ///< some value is over one day
  bool moves_ = false;    ///< what is walked is written anew
};

class LogTables final : public DiskTables {
 public:
  Result<std::unique_ptr<DiskTable>> make(const std::string& folder) override {
    auto table = std::make_unique<LogTable>(folder);
    if (Status status = table->open(); !status.ok()) return status;
    return std::unique_ptr<DiskTable>(std::move(table));
  }
};

}  // namespace

DiskTables& log_tables() {
  static LogTables tables;
  return tables;
}

}  // namespace millrace::detail
