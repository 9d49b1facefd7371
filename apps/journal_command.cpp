// `millrace journal`: the list of its commands, and those that look: ls, describe, verify.
#include "journal_command.hpp"

#include <sysexits.h>

#include <charconv>
#include <cstdio>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "env/env.hpp"
#include "host/host.hpp"
#include "journal/journal.hpp"
#include "journal_words.hpp"

namespace millrace::apps {
namespace {

constexpr const char* kHelp = R"(The journal: a durable log in a folder, of topics with partitions.

usage: millrace journal ls DIR
       millrace journal describe DIR TOPIC
       millrace journal produce DIR TOPIC [FILE...] [flags]
                                                     lines of files become records, or those of
                                                     standard input
       millrace journal consume DIR TOPIC [flags]    records become lines
       millrace journal verify DIR                   reads every byte and lists all damage
       millrace journal commit DIR NUMBER            decides a transaction that was prepared, and
       millrace journal abort DIR NUMBER             whose program does not come back

produce makes journal and topic when they are not there:
  --key-separator TEXT   what stands before it in a line is the record's key
  --acks                 prints PARTITION OFFSET for each record that is acknowledged, and FILE
                         when files are named
  --producer NAME        remembers how far each input has come: after a run that was killed, the
                         same command goes on there, and stores nothing twice
  --transaction          all lines become visible together, at the end of input, or none
  --mode sync|async      when a record is acknowledged: sync, it survives a loss of power
                         (default); async, the end of this process only
  --partitions N         of a new topic (default 1)
  --retention-time TIME  of a new topic, such as 7d: older segments are removed (default: never)
  --retention-bytes N    of a new topic, such as 10G: a partition has at most this (default: all)
  --segment-bytes N      size of a partition's files (default 64M)

consume:
  --from FROM            earliest (default), latest, an offset, or a time such as
                         2015-09-12T06:00:00Z: the first record of that event time or later
  --isolation LEVEL      read_committed (default): what transactions have committed;
                         read_uncommitted: all, also what is open or was aborted
  --partition N          one partition only
  --limit N              ends after this many records
  --follow               goes on with what comes, until Ctrl-C
  --json                 a JSON object a record: partition, offset, time, key, value, headers

One process produces into a journal; any number may look, also meanwhile. Several files of one
produce are read side by side, and share the syncs of the disk.
)";

int fail(const Status& status) { return detail::report_error(status); }

Result<std::unique_ptr<detail::Journal>> open_to_read(const std::string& folder) {
  return detail::Journal::open(detail::real_disk(), *detail::real_env().clock, folder,
                               {.read_only = true});
}

/// A topic's partitions together.
struct TopicFigures {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::size_t segments = 0;
};

Result<TopicFigures> figures_of(detail::Topic& topic) {
  TopicFigures sum;
  for (std::uint32_t number = 0; number < topic.partitions(); ++number) {
    const auto shape = topic.view(number).shape();
    if (!shape) return shape.error();
    sum.records += shape->end_offset() - shape->begin_offset();
    sum.bytes += shape->bytes();
    sum.segments += shape->sealed->size() + 1;
  }
  return sum;
}

int list_main(int argc, char** argv) {
  const auto words = JournalWords::read(argc, argv, {}, {"DIR"});
  if (!words) return fail(words.error());
  const auto journal = open_to_read(words->plain(0));
  if (!journal) return fail(journal.error());
  fmt::print("{:<24} {:>10} {:>14} {:>16}\n", "topic", "partitions", "records", "bytes");
  for (detail::Topic* topic : (*journal)->topics()) {
    const auto sum = figures_of(*topic);
    if (!sum) return fail(sum.error());
    fmt::print("{:<24} {:>10} {:>14} {:>16}\n", topic->name(), topic->partitions(), sum->records,
               sum->bytes);
  }
  return EX_OK;
}

/// Transactions that are not decided and have records in a topic, a line for each partition.
class Undecided {
 public:
  /// Errors: 4001, 4004.
  Status open(detail::TransactionBook& book) {
    const auto prepared = book.prepared();
    if (!prepared) return prepared.error();
    for (const detail::PreparedTransaction& one : *prepared) {
      states_[one.number] =
          fmt::format("prepared by \"{}\"{} at {}; it waits for commit or abort", one.producer,
                      one.label.empty() ? "" : fmt::format(" as \"{}\"", one.label),
                      detail::format_iso_time(one.prepared_at));
    }
    return {};
  }
  void add(std::uint32_t partition, const detail::PartitionShape& shape) {
    for (const auto& [number, offset] : shape.undecided) {
      const auto found = states_.find(number);
      lines_ += fmt::format("transaction {}: partition {} from offset {}; {}\n", number, partition,
                            offset, found == states_.end() ? "open" : found->second);
    }
  }
  const std::string& lines() const { return lines_; }

 private:
  std::map<detail::TransactionNumber, std::string> states_;
  std::string lines_;
};

int describe_main(int argc, char** argv) {
  const auto words = JournalWords::read(argc, argv, {}, {"DIR", "TOPIC"});
  if (!words) return fail(words.error());
  const auto journal = open_to_read(words->plain(0));
  if (!journal) return fail(journal.error());
  const auto found = (*journal)->topic(words->plain(1));
  if (!found) return fail(found.error());
  detail::Topic& topic = **found;
  const detail::JournalRetention& retention = topic.options().retention;
  fmt::print("topic {}: {} partitions; kept: {}, {}\n", topic.name(), topic.partitions(),
             retention.time.count() > 0 ? detail::format_duration(retention.time) : "for ever",
             retention.bytes > 0 ? fmt::format("at most {} bytes a partition", retention.bytes)
                                 : "any number of bytes");
  Undecided undecided;
  if (Status status = undecided.open((*journal)->transaction_book()); !status) return fail(status);
  fmt::print("{:>9} {:>14} {:>14} {:>14} {:>16} {:>8}  {}\n", "partition", "earliest", "stable",
             "latest", "bytes", "segments", "latest event time");
  for (std::uint32_t number = 0; number < topic.partitions(); ++number) {
    const auto shape = topic.view(number).shape();
    if (!shape) return fail(shape.error());
    Time latest = shape->active.max_time;
    for (const detail::Segment& segment : *shape->sealed)
      latest = std::max(latest, segment.max_time);
    fmt::print("{:>9} {:>14} {:>14} {:>14} {:>16} {:>8}  {}\n", number, shape->begin_offset(),
               shape->stable_offset(), shape->end_offset(), shape->bytes(),
               shape->sealed->size() + 1,
               latest == detail::Segment::kNoTime ? "-" : detail::format_iso_time(latest));
    undecided.add(number, *shape);
  }
  fmt::print("{}", undecided.lines());
  return EX_OK;
}

int verify_main(int argc, char** argv) {
  const auto words = JournalWords::read(argc, argv, {}, {"DIR"});
  if (!words) return fail(words.error());
  const auto verdict =
      detail::verify_journal(detail::real_disk(), *detail::real_env().clock, words->plain(0));
  if (!verdict) return fail(verdict.error());
  for (const Status& damage : verdict->damage) fail(damage);
  fmt::print("{} files, {} batches, {} records, {} damaged\n", verdict->files, verdict->batches,
             verdict->records, verdict->damage.size());
  return verdict->damage.empty() ? EX_OK : detail::exit_code(verdict->damage.front());
}

/// commit and abort: for transactions whose program does not come back.
int settle_main(int argc, char** argv, bool commits) {
  const auto words = JournalWords::read(argc, argv, {}, {"DIR", "NUMBER"});
  if (!words) return fail(words.error());
  const std::string& given = words->plain(1);
  detail::TransactionNumber number = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), number);
  if (error != std::errc() || end != given.data() + given.size()) {
    return fail(
        {Code::option_invalid,
         fmt::format("journal {} {}: give the number of a transaction, as `millrace journal "
                     "describe` shows it",
                     argv[0], given)});
  }
  // To look first makes no journal where there is none.
  if (const auto there = open_to_read(words->plain(0)); !there) return fail(there.error());
  const auto journal =
      detail::Journal::open(detail::real_disk(), *detail::real_env().clock, words->plain(0), {});
  if (!journal) return fail(journal.error());
  detail::Transactions& transactions = *(*journal)->transactions();
  const std::span<const detail::TransactionNumber> numbers(&number, 1);
  Status status = commits ? transactions.commit(numbers) : transactions.roll_back(numbers);
  if (status) status = (*journal)->close();
  if (!status) return fail(status);
  fmt::print("transaction {} is {}\n", number, commits ? "committed" : "aborted");
  return EX_OK;
}

}  // namespace

int journal_main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  for (int at = 1; at < argc; ++at) {
    const std::string word = argv[at];
    if (word != "--help" && word != "-h") continue;
    std::fputs(kHelp, stdout);
    return EX_OK;
  }
  if (command == "ls") return list_main(argc - 1, argv + 1);
  if (command == "describe") return describe_main(argc - 1, argv + 1);
  if (command == "produce") return journal_produce(argc - 1, argv + 1);
  if (command == "consume") return journal_consume(argc - 1, argv + 1);
  if (command == "verify") return verify_main(argc - 1, argv + 1);
  if (command == "commit" || command == "abort")
    return settle_main(argc - 1, argv + 1, command == "commit");
  const std::vector<std::string> known = {"ls",     "describe", "produce", "consume",
                                          "verify", "commit",   "abort"};
  const std::string near = detail::nearest_word(command, known);
  return fail({Code::option_unknown,
               command.empty()
                   ? "journal: which command? ls, describe, produce, consume, verify, commit or "
                     "abort; `millrace journal --help` tells more"
                   : fmt::format("journal {}: there is no such command{}; `millrace "
                                 "journal --help` lists them",
                                 command, near.empty() ? "" : ": did you mean " + near + "?")});
}

}  // namespace millrace::apps
