// Walking through the topics of dead letters, and what is told of them.
#include "host/letter_walk.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "env/env.hpp"

namespace millrace::detail {
namespace {

std::string without_numbers(const std::string& reason) {
  std::string key;
  for (const char c : reason) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit) key += c;
    if (digit && (key.empty() || key.back() != '#')) key += '#';
  }
  return key;
}

void append_member(std::string& out, const char* name, std::string_view text) {
  out += fmt::format(",\"{}\":", name);
  append_json_string(out, text);
}

/// Not within a character.
std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

}  // namespace

bool LetterFilter::passes(const KeptLetter& letter) const {
  return (component.empty() || letter.component == component) &&
         letter.reason.find(reason) != std::string::npos &&
         (alike.empty() || without_numbers(letter.reason) == without_numbers(alike));
}

Result<LetterWalk> LetterWalk::open(const std::string& folder, LetterFilter filter) {
  auto journal = Journal::open(real_disk(), *real_env().clock, folder, {.read_only = true});
  if (!journal) return journal.error();
  LetterWalk walk(std::move(*journal), std::move(filter));
  std::vector<Topic*> topics = walk.journal_->topics();
  if (!walk.filter_.topology.empty()) {
    const auto topic = walk.journal_->topic(letter_topic(walk.filter_.topology));
    if (!topic) return topic.error();
    topics = {*topic};
  }
  for (Topic* const topic : topics) {
    if (Status status = walk.add(topic); !status.ok()) return status;
  }
  return walk;
}

Status LetterWalk::add(Topic* topic) {
  const auto shape = topic->view(0).shape();
  if (!shape) return shape.error();
  parts_.push_back({topic, {shape->begin_offset(), shape->end_offset(), shape->bytes()}});
  return {};
}

void LetterWalk::begin_at(std::uint64_t offset) {
  at_ = 0;
  if (!parts_.empty()) reader_ = std::make_unique<LogReader>(parts_[0].topic->view(0), offset);
}

Result<bool> LetterWalk::step(std::optional<PlacedLetter>& out) {
  out.reset();
  for (; at_ < parts_.size(); ++at_, reader_.reset()) {
    const auto& [topic, extent] = parts_[at_];
    if (!reader_) reader_ = std::make_unique<LogReader>(topic->view(0), extent.begin);
    if (reader_->offset() >= extent.end) continue;
    JournalRecord record;
    const auto found = reader_->next(record);
    if (!found) return found.error();
    if (!*found || record.offset >= extent.end) continue;
    PlacedLetter letter{topic->name(), record.offset, KeptLetter(record)};
    if (filter_.passes(letter.letter)) out = std::move(letter);
    return true;
  }
  return false;
}

Result<bool> LetterWalk::next(PlacedLetter& out) {
  std::optional<PlacedLetter> letter;
  while (true) {
    const auto more = step(letter);
    if (!more || !*more) return more;
    if (!letter) continue;
    out = std::move(*letter);
    return true;
  }
}

Status read_letters(const std::string& folder, const LetterFilter& filter,
                    const std::function<bool(PlacedLetter)>& use) {
  auto walk = LetterWalk::open(folder, filter);
  if (!walk) return walk.error();
  PlacedLetter letter;
  while (true) {
    const auto more = walk->next(letter);
    if (!more) return more.error();
    if (!*more || !use(std::move(letter))) return {};
  }
}

std::string to_json(const PlacedLetter& placed, bool replayed, std::size_t record_bytes) {
  const KeptLetter& letter = placed.letter;
  std::string out = fmt::format("{{\"at\":\"{}\"", format_iso_time(letter.at));
  append_member(out, "topology", placed.topic);
  out += fmt::format(",\"offset\":{}", placed.offset);
  append_member(out, "component", letter.component);
  out += fmt::format(",\"task\":{}", letter.task);
  append_member(out, "reason", letter.reason);
  append_member(out, "where", letter.where);
  if (letter.tries > 0) out += fmt::format(",\"tries\":{}", letter.tries);
  if (!letter.origin.source.empty()) append_member(out, "source", letter.origin.source);
  if (letter.origin.partition) out += fmt::format(",\"partition\":{}", *letter.origin.partition);
  if (letter.origin.position) out += fmt::format(",\"position\":{}", *letter.origin.position);
  out += fmt::format(",\"replayed\":{},\"is_record\":{}", replayed, letter.is_record);
  if (letter.is_cut()) out += fmt::format(",\"bytes\":{}", letter.whole_bytes);
  append_member(out, "record", cut(letter.record, record_bytes));
  return out + '}';
}

void LetterCounts::add(const PlacedLetter& letter, bool replayed) {
  constexpr std::size_t kReasonsMax = 100;  // texts may differ in each
  Reasons& all = topics_[letter.topic][letter.letter.component];
  std::string key = without_numbers(letter.letter.reason);
  const bool other = !all.contains(key) && all.size() + 1 >= kReasonsMax;
  LetterReason& reason = all[other ? std::string() : std::move(key)];
  reason.text = other ? "other reasons" : letter.letter.reason;
  if (reason.count++ == 0) reason.first = letter.letter.at;
  reason.last = letter.letter.at;
  if (!replayed) ++reason.waiting;
}

}  // namespace millrace::detail
