// Answering what is asked of dead letters, and replaying them bit by bit.
#include "host/letter_requests.hpp"

#include <algorithm>
#include <charconv>
#include <deque>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "env/disk.hpp"

namespace millrace::detail {
namespace {

constexpr std::uint64_t kListed = 20'000;
constexpr std::uint64_t kListedBytes = 64u << 20;
constexpr std::size_t kNewest = 50;
constexpr std::size_t kRecordShown = 500;
constexpr std::uint64_t kAtALook = 500;
constexpr const char* kFlag = "--dead-letters-to";

/// Of the newest letters.
struct Listed {
  LetterCounts counts;
  std::uint64_t read = 0;   ///< how many were looked at
  std::uint64_t older = 0;  ///< and how many lie before
  std::deque<std::string> newest;
};

Result<Listed> list(const LetterPlace& place) {
  auto walk = LetterWalk::open(place.folder, {.topology = place.topology});
  if (!walk) return walk.error();
  const auto marks = ReplayMarks::read(real_disk(), place.folder);
  if (!marks) return marks.error();
  const LetterWalk::Extent extent = walk->extent();
  const std::uint64_t all = extent.end - extent.begin;
  const std::uint64_t each = all == 0 ? 1 : std::max<std::uint64_t>(1, extent.bytes / all);
  Listed listed;
  listed.read = std::min({all, kListed, std::max<std::uint64_t>(kNewest, kListedBytes / each)});
  listed.older = all - listed.read;
  walk->begin_at(extent.begin + listed.older);
  PlacedLetter letter;
  for (std::uint64_t at = 0; at < listed.read; ++at) {
    const auto more = walk->next(letter);
    if (!more) return more.error();
    if (!*more) break;
    const bool replayed = marks->has(letter.topic, letter.offset);
    listed.counts.add(letter, replayed);
    listed.newest.push_front(to_json(letter, replayed, kRecordShown));
    if (listed.newest.size() > kNewest) listed.newest.pop_back();
  }
  return listed;
}

void append_counts(std::string& out, const LetterCounts& counts) {
  const char* before = "";
  for (const auto& [topic, components] : counts.topics()) {
    for (const auto& [component, reasons] : components) {
      for (const auto& [key, reason] : reasons) {
        out += fmt::format("{}{{\"component\":", before);
        append_json_string(out, component);
        out += ",\"reason\":";
        append_json_string(out, reason.text);
        out += fmt::format(",\"letters\":{},\"not_replayed\":{},\"first\":\"{}\",\"last\":\"{}\"}}",
                           reason.count, reason.waiting, format_iso_time(reason.first),
                           format_iso_time(reason.last));
        before = ",";
      }
    }
  }
}

}  // namespace

void LetterRequests::begin(LetterPlace place) {
  const std::lock_guard lock(mutex_);
  place_ = std::move(place);
}

PageAnswer LetterRequests::ask(const PageQuery& query) {
  Asked asked;
  for (const auto& [name, value] : query) {
    if (name == "component") {
      asked.filter.component = value;
    } else if (name == "reason") {
      asked.filter.reason = value;
    } else if (name == "alike") {
      asked.filter.alike = value;
    } else if (name == "again" && (value == "true" || value == "false")) {
      asked.again = value == "true";
    } else {
      return {400, fmt::format("{}={}: give component=NAME, reason=TEXT, alike=REASON or "
                               "again=true, or nothing for all that were not replayed",
                               name, value)};
    }
  }
  const std::lock_guard lock(mutex_);
  if (!ended_.empty()) return {409, "nothing is replayed any more: " + ended_};
  if (place_.folder.empty())
    return {409, "this run keeps no dead letters: start it with --dead-letters DIR"};
  if (place_.to.empty()) {
    return {409, fmt::format("this run does not say where records are replayed to: start it with "
                             "{0} journal:DIR/TOPIC or {0} FILE, where a source reads, or use "
                             "`millrace dead-letters replay`",
                             kFlag)};
  }
  if (number_ != over_) return {409, "a replay is under way: ask again when it is over"};
  asked.filter.topology = place_.topology;
  asked_ = std::move(asked);
  return {202, fmt::format("{{\"number\":{}}}\n", ++number_)};
}

std::string LetterRequests::to_json() const {
  std::unique_lock lock(mutex_);
  const LetterPlace place = place_;
  std::string text = fmt::format(
      "{{\"number\":{},\"over\":{},\"last_failed\":{},\"records\":{},\"before\":{},\"cut\":{},"
      "\"no_records\":{},\"last_failure\":",
      number_, over_, last_failed_, last_.records, last_.before, last_.cut, last_.none);
  append_json_string(text, last_failure_);
  lock.unlock();
  text += ",\"folder\":";
  append_json_string(text, place.folder);
  text += ",\"to\":";
  append_json_string(text, place.to);
  std::string error;
  Listed listed;
  if (!place.folder.empty()) {
    auto found = list(place);
    if (found) listed = std::move(*found);
    if (!found) error = found.error().to_string();
  }
  text += ",\"error\":";
  append_json_string(text, error);
  text += fmt::format(",\"read\":{},\"older\":{},\"reasons\":[", listed.read, listed.older);
  append_counts(text, listed.counts);
  return text + fmt::format("],\"newest\":[{}]}}\n", fmt::join(listed.newest, ","));
}

PageAnswer LetterRequests::one(std::string_view offset) const {
  std::uint64_t number = 0;
  const auto [end, wrong] = std::from_chars(offset.data(), offset.data() + offset.size(), number);
  if (wrong != std::errc() || end != offset.data() + offset.size())
    return {400, "give the offset of a letter: /api/v1/dead-letters/17"};
  std::unique_lock lock(mutex_);
  const LetterPlace place = place_;
  lock.unlock();
  if (place.folder.empty())
    return {409, "this run keeps no dead letters: start it with --dead-letters DIR"};
  auto walk = LetterWalk::open(place.folder, {.topology = place.topology});
  if (!walk) return {503, walk.error().to_string()};
  const LetterWalk::Extent extent = walk->extent();
  if (number < extent.begin || number >= extent.end) {
    return {404, fmt::format("there is no letter {}: there are those from {} and before {}", number,
                             extent.begin, extent.end)};
  }
  const auto marks = ReplayMarks::read(real_disk(), place.folder);
  if (!marks) return {503, marks.error().to_string()};
  walk->begin_at(number);
  PlacedLetter letter;
  const auto found = walk->next(letter);
  if (!found) return {503, found.error().to_string()};
  if (!*found || letter.offset != number)
    return {404, fmt::format("there is no letter {}", number)};
  return {200, detail::to_json(letter, marks->has(letter.topic, number)) + "\n"};
}

void LetterRequests::look() {
  if (!replay_) open();
  if (!replay_) return;
  const auto more = replay_->step(kAtALook);
  if (more && *more) return;
  close(more ? replay_->finish() : more.error());
}

void LetterRequests::open() {
  std::unique_lock lock(mutex_);
  if (number_ == over_) return;
  const LetterPlace place = place_;
  const Asked asked = asked_;
  lock.unlock();
  auto replay = LetterReplay::open(place.folder, asked.filter, place.to, kFlag, asked.again);
  if (replay) {
    replay_ = std::move(*replay);
  } else {
    close(replay.error());
  }
}

/// The replay at hand is over.
void LetterRequests::close(const Status& failure) {
  const std::lock_guard lock(mutex_);
  over_ = number_;
  last_ = replay_ ? replay_->done() : Replayed();
  if (!failure.ok()) {
    last_failed_ = over_;
    last_failure_ = failure.to_string();
    last_ = {};
  }
  replay_.reset();
}

void LetterRequests::end(const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    ended_ = why;
    if (number_ == over_) return;
  }
  const Status cut_off = {Code::option_invalid, "the replay was cut off: " + why};
  Status status = replay_ ? replay_->finish() : Status();
  close(status.ok() ? cut_off : status);
}

}  // namespace millrace::detail
