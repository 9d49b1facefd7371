// Reading TZif files, and finding local times among the changes of a zone.
#include "window/time_zone.hpp"

#include <algorithm>
#include <utility>

#include "base/civil_date.hpp"
#include "base/time_unit.hpp"

namespace millrace::detail {
namespace {

constexpr std::int64_t kCycleUs = 146'097 * kDayUs;  // 400 years, a whole number of weeks
/// No local time is further from UTC: RFC 9636 has 25 and 26 hours.
constexpr std::int64_t kOffsetMax = 26 * 3'600 * kSecondUs;

/// Eats big-endian numbers from the left; behind the end `good` is false and all is 0.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  bool good = true;

  std::string_view take(std::size_t count) {
    good &= count <= bytes_.size();
    if (!good) return {};
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  std::int64_t number(std::size_t width) {
    std::uint64_t value = 0;
    const std::string_view taken = take(width);
    for (const char byte : taken) value = value << 8 | static_cast<unsigned char>(byte);
    const std::size_t unused = 64 - 8 * width;
    return static_cast<std::int64_t>(value << unused) >> unused;  // with the sign of its width
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

struct Header {
  char version = 0;
  std::size_t is_utc, is_std, leaps, times, types, chars;
};

std::optional<Header> read_header(ByteReader& in) {
  if (in.take(4) != "TZif") return std::nullopt;
  const std::string_view version = in.take(16);
  Header header{};
  header.version = in.good ? version.front() : '\0';
  for (std::size_t* count : {&header.is_utc, &header.is_std, &header.leaps, &header.times,
                             &header.types, &header.chars}) {
    *count = static_cast<std::size_t>(in.number(4));
    in.good &= *count <= 1u << 20;
  }
  if (!in.good || header.types == 0) return std::nullopt;
  return header;
}

/// The changes of a block whose times have `width` bytes; the first is the offset before them all.
std::optional<std::vector<ZoneChange>> read_block(ByteReader& in, const Header& header,
                                                  std::size_t width) {
  std::vector<Time> times;
  for (std::size_t at = 0; at < header.times && in.good; ++at) {
    Time time = 0;
    const std::int64_t seconds = in.number(width);
    if (__builtin_mul_overflow(seconds, kSecondUs, &time)) time = seconds < 0 ? kTimeMin : kTimeMax;
    times.push_back(time);
  }
  const std::string_view type_of = in.take(header.times);
  std::vector<std::int64_t> offsets;
  for (std::size_t at = 0; at < header.types && in.good; ++at) {
    offsets.push_back(in.number(4) * kSecondUs);
    in.take(2);  // summer time or not, and its name
    in.good &= offsets.back() >= -kOffsetMax && offsets.back() <= kOffsetMax;
  }
  in.take(header.chars + header.leaps * (width + 4) + header.is_std + header.is_utc);
  if (!in.good || header.leaps != 0) return std::nullopt;
  std::vector<ZoneChange> changes = {{kTimeMin, offsets.front()}};
  for (std::size_t at = 0; at < times.size(); ++at) {
    const auto type = static_cast<unsigned char>(type_of[at]);
    if (type >= offsets.size() || (at > 0 && times[at] < times[at - 1])) return std::nullopt;
    changes.push_back({times[at], offsets[type]});
  }
  return changes;
}

}  // namespace

std::optional<TimeZone> TimeZone::parse(std::string_view tzif) {
  ByteReader in(tzif);
  auto header = read_header(in);
  if (!header) return std::nullopt;
  auto changes = read_block(in, *header, 4);
  std::string_view rule_text;
  if (header->version >= '2') {  // the same again with longer times
    header = read_header(in);
    if (!header) return std::nullopt;
    changes = read_block(in, *header, 8);
    rule_text = in.rest();
    if (rule_text.size() < 2 || rule_text.front() != '\n' || rule_text.back() != '\n')
      return std::nullopt;
    rule_text = rule_text.substr(1, rule_text.size() - 2);
  }
  if (!changes) return std::nullopt;
  TimeZone zone;
  zone.offsets_ = {changes->front().offset};
  for (auto at = changes->begin() + 1; at != changes->end(); ++at) zone.append(*at);
  if (rule_text.empty()) return zone;
  const auto rule = ZoneRule::parse(rule_text);
  if (!rule) return std::nullopt;
  zone.go_on_by(*rule);
  return zone;
}

void TimeZone::append(ZoneChange change) {
  if (change.at == kTimeMin) {  // "the beginning of time" of some files
    offsets_.front() = change.offset;
  } else if (!starts_.empty() && starts_.back() == change.at) {
    offsets_.back() = change.offset;
  } else {
    starts_.push_back(change.at);
    offsets_.push_back(change.offset);
  }
}

void TimeZone::go_on_by(const ZoneRule& rule) {
  const Time last = starts_.empty() ? 0 : starts_.back();
  if (!rule.summer || last > kTimeMax - 2 * kCycleUs || last < kTimeMin + 2 * kCycleUs) return;
  const std::int64_t year = civil_from_days(floor_div(last, kDayUs)).year;
  std::vector<ZoneChange> changes;
  for (std::int64_t ahead = -1; ahead <= 403; ++ahead) rule.add_changes(year + ahead, changes);
  // Summer that lasts all year ends when it begins: then it goes on.
  std::stable_sort(changes.begin(), changes.end(),
                   [](const ZoneChange& a, const ZoneChange& b) { return a.at < b.at; });
  for (const ZoneChange& change : changes) {
    if (starts_.empty() || change.at > last) append(change);
  }
  repeats_from_ = last + 366 * kDayUs;
}

std::int64_t TimeZone::cycles_before(Time time) const {
  if (time <= repeats_from_) return 0;
  // Unsigned: the distance may be longer than half of all time.
  const auto beyond = static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(repeats_from_);
  return static_cast<std::int64_t>(beyond / static_cast<std::uint64_t>(kCycleUs));
}

std::size_t TimeZone::interval_of(Time time) const {
  const auto behind = std::upper_bound(starts_.begin(), starts_.end(), time);
  return static_cast<std::size_t>(behind - starts_.begin());
}

std::int64_t TimeZone::offset_at(Time time) const {
  return offsets_[interval_of(time - cycles_before(time) * kCycleUs)];
}

Time TimeZone::first_at(Time local) const {
  const Time earliest = saturating_add(local, -kOffsetMax);
  const std::int64_t cycles = cycles_before(earliest);
  const Time wanted = local - cycles * kCycleUs;
  std::size_t at = interval_of(earliest - cycles * kCycleUs);
  // Where an interval ends before it shows so late a time, a later one does.
  while (at < starts_.size() && saturating_add(starts_[at], offsets_[at]) <= wanted) ++at;
  const Time begins = at == 0 ? kTimeMin : starts_[at - 1];
  const Time found = std::max(begins, saturating_add(wanted, -offsets_[at]));
  return saturating_add(found, cycles * kCycleUs);
}

}  // namespace millrace::detail
