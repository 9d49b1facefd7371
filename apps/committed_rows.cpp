// Opening the journal once it is there, and reading on.
#include "committed_rows.hpp"

#include <fmt/format.h>

#include "trending.hpp"

namespace millrace::apps {

Status CommittedRows::open() {
  detail::JournalOptions options;
  options.read_only = true;
  auto journal = detail::Journal::open(detail::real_disk(), *detail::real_env().clock, folder_,
                                       std::move(options));
  if (!journal) return journal.error();
  const auto topic = (*journal)->topic(kRankedTopic);
  if (!topic) return topic.error();
  reader_ = std::make_unique<detail::LogReader>((*topic)->view(0), 0);
  journal_ = std::move(*journal);
  return {};
}

Status CommittedRows::read() {
  if (!reader_) {
    if (Status status = open(); !status) return status;
  }
  detail::JournalRecord record;
  for (;;) {
    const auto found = reader_->next(record);
    if (!found) return found.error();
    if (!*found) return {};
    if (Status status = take(record); !status) return status;
  }
}

Status CommittedRows::take(const detail::JournalRecord& record) {
  ++rows_;
  JournalledRow row;
  const detail::ArenaRef texts = detail::ArenaRef::make(256);
  const std::string_view value = record.value.value_or("");
  if (decoder_.decode(value, row, *texts, detail::LineHome::elsewhere) != detail::Decoded::record) {
    return {Code::record_invalid,
            fmt::format("{}, offset {}: {}: the program that writes there is another one", folder_,
                        record.offset, decoder_.error())};
  }
  oracle_.check({row.window_start.micros, row.rank, row.channel,
                 ChannelStats{row.edits, row.added, row.deleted}});
  return {};
}

}  // namespace millrace::apps
