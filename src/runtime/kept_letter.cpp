// Dead letters as records of a journal, and back.
#include "runtime/kept_letter.hpp"

#include <algorithm>
#include <charconv>

namespace millrace::detail {
namespace {

template <class N>
void read_number(std::string_view text, N& out) {
  std::from_chars(text.data(), text.data() + text.size(), out);
}

}  // namespace

KeptLetter::KeptLetter(const SetAside& letter, Time now)
    : at(now),
      component(letter.component),
      task(letter.task),
      reason(letter.reason),
      where(letter.where),
      record(letter.record.substr(0, kRecordBytesMax)),
      whole_bytes(letter.record.size()),
      tries(letter.tries),
      origin(letter.origin),
      is_record(letter.is_record) {}

KeptLetter::KeptLetter(const JournalRecord& kept)
    : at(kept.time),
      component(kept.key.value_or("")),
      record(kept.value.value_or("")),
      whole_bytes(record.size()) {
  for (const auto& [name, value] : kept.headers) {
    if (name == "reason") reason = value;
    if (name == "where") where = value;
    if (name == "source") origin.source = value;
    if (name == "kind") is_record = value != "row";
    if (name == "task") read_number(value, task);
    if (name == "tries") read_number(value, tries);
    if (name == "bytes") read_number(value, whole_bytes);
    if (name == "partition") read_number(value, origin.partition.emplace());
    if (name == "position") read_number(value, origin.position.emplace());
  }
}

void KeptLetter::append_to(std::vector<JournalRecord>& records,
                           std::deque<std::string>& texts) const {
  JournalRecord& to = records.emplace_back();
  to.time = at;
  to.key = component;
  to.value = record;
  const auto number = [&](std::string_view name, std::uint64_t value) {
    to.headers.push_back({name, texts.emplace_back(std::to_string(value))});
  };
  to.headers.push_back({"reason", reason});
  if (!where.empty()) to.headers.push_back({"where", where});
  number("task", task);
  if (tries > 0) number("tries", static_cast<std::uint64_t>(tries));
  if (!origin.source.empty()) to.headers.push_back({"source", origin.source});
  if (origin.partition) number("partition", *origin.partition);
  if (origin.position) number("position", *origin.position);
  if (!is_record) to.headers.push_back({"kind", "row"});
  if (is_cut()) number("bytes", whole_bytes);
}

std::string letter_topic(std::string_view topology) {
  constexpr std::size_t kNameMax = 100;
  std::string name(topology.substr(0, kNameMax));
  std::replace_if(
      name.begin(), name.end(),
      [](char c) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        return !letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-';
      },
      '_');
  if (name.empty()) return "_";
  if (name.front() == '.') name.front() = '_';
  return name == "journal" || name == "lock" ? "_" + name : name;
}

}  // namespace millrace::detail
