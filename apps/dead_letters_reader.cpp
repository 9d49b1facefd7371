// Walking through the topics of dead letters.
#include "dead_letters_reader.hpp"

#include "env/env.hpp"

namespace millrace::apps {

LetterFilter::LetterFilter(const JournalWords& words)
    : topology(words.text("--topology")),
      component(words.text("--component")),
      reason(words.text("--reason")) {}

bool LetterFilter::passes(const detail::KeptLetter& letter) const {
  return (component.empty() || letter.component == component) &&
         letter.reason.find(reason) != std::string::npos;
}

Status read_letters(const std::string& folder, const LetterFilter& filter,
                    const std::function<bool(PlacedLetter)>& use) {
  auto journal = detail::Journal::open(detail::real_disk(), *detail::real_env().clock, folder,
                                       {.read_only = true});
  if (!journal) return journal.error();
  std::vector<detail::Topic*> topics = (*journal)->topics();
  if (!filter.topology.empty()) {
    const auto topic = (*journal)->topic(detail::letter_topic(filter.topology));
    if (!topic) return topic.error();
    topics = {*topic};
  }
  for (detail::Topic* topic : topics) {
    const auto shape = topic->view(0).shape();
    if (!shape) return shape.error();
    detail::LogReader reader(topic->view(0), shape->begin_offset());
    detail::JournalRecord record;
    while (true) {
      const auto found = reader.next(record);
      if (!found) return found.error();
      if (!*found) break;
      PlacedLetter letter{topic->name(), record.offset, detail::KeptLetter(record)};
      if (filter.passes(letter.letter) && !use(std::move(letter))) return {};
    }
  }
  return {};
}

}  // namespace millrace::apps
