// `millrace journal produce`: lines of standard input or of files become records.
#include <sysexits.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "env/env.hpp"
#include "host/host.hpp"
#include "journal/journal.hpp"
#include "journal_command.hpp"
#include "journal_lines.hpp"
#include "journal_words.hpp"

namespace millrace::apps {
namespace {

class LogToStderr final : public LogSink {
 public:
  void write(LogLevel, std::string_view event, std::string_view text) override {
    fmt::print(stderr, "{} {}\n", event, text);
  }
};

using Inputs = std::vector<std::unique_ptr<JournalLines>>;

/// What excludes one another.
Status check_flags(const JournalWords& words, const std::vector<std::string>& files) {
  const auto invalid = [](std::string text) { return Status(Code::option_invalid, text); };
  if (words.has("--producer") && words.text("--producer").empty())
    return invalid("--producer: give a name that is not empty");
  if (std::set<std::string>(files.begin(), files.end()).size() < files.size())
    return invalid("journal produce: a file is named twice; name each once");
  if (!words.has("--transaction")) return {};
  if (words.has("--acks")) {
    return invalid(
        "--acks: with --transaction no record is safe before the last one; leave one of them away");
  }
  if (words.has("--producer")) {
    return invalid(
        "--producer: with --transaction a run that is killed leaves nothing, so that it can be "
        "repeated as it was; leave one of them away");
  }
  if (files.size() > 1)
    return invalid("--transaction: it takes one input; give one file, or standard input");
  return {};
}

/// --transaction: all lines are one.
Status begin_if_asked(const JournalWords& words, detail::Journal& journal,
                      std::optional<detail::Transaction>& begun) {
  if (!words.has("--transaction")) return {};
  const auto producer = journal.transactions()->producer("millrace journal produce");
  if (!producer) return producer.error();
  auto transaction = (*producer)->begin();
  if (transaction) begun.emplace(std::move(*transaction));
  return transaction.error();
}

/// Each input in a thread of its own, the last one in this. Errors: that of the first which failed;
/// the others go on to their ends.
Status copy_all(const Inputs& inputs) {
  for (const auto& input : inputs) {
    if (Status status = input->open(); !status) return status;
  }
  std::vector<Status> outcomes(inputs.size());
  std::vector<std::thread> threads;
  const std::size_t last = inputs.size() - 1;
  for (std::size_t at = 0; at < last; ++at)
    threads.emplace_back([&, at] { outcomes[at] = inputs[at]->copy(); });
  outcomes[last] = inputs[last]->copy();
  for (std::thread& thread : threads) thread.join();
  for (const Status& outcome : outcomes)
    if (!outcome) return outcome;
  return {};
}

void report(const Inputs& inputs, const std::string& topic) {
  std::uint64_t appended = 0;
  std::uint64_t passed_over = 0;
  for (const auto& input : inputs) {
    appended += input->appended();
    passed_over += input->passed_over();
  }
  fmt::print(stderr, "{} records appended to {}{}\n", appended, topic,
             passed_over == 0 ? "" : fmt::format("; {} were there already", passed_over));
}

/// The topic, made when it is not there.
Result<detail::Topic*> topic_of(const JournalWords& words, detail::Journal& journal) {
  detail::TopicOptions made;
  std::uint64_t partitions = 1;
  if (Status status = first_of({words.number("--partitions", 1, 4096, partitions),
                                words.duration("--retention-time", made.retention.time),
                                words.bytes("--retention-bytes", 1, made.retention.bytes)});
      !status)
    return status;
  made.partitions = static_cast<std::uint32_t>(partitions);
  auto topic = journal.topic(words.plain(1));
  if (!topic) return journal.create_topic(words.plain(1), made);
  if (words.has("--partitions") && (*topic)->partitions() != partitions) {
    return Status(
        Code::option_invalid,
        fmt::format("--partitions {}: topic \"{}\" exists and has {}; leave the flag away",
                    partitions, words.plain(1), (*topic)->partitions()));
  }
  return topic;
}

Status produce(const JournalWords& words) {
  LogToStderr sink;
  detail::JournalOptions options{.log = Log(&sink, LogLevel::warn)};
  std::vector<std::string> files = words.plain_from(2);
  if (Status status = first_of({words.options(options), check_flags(words, files)}); !status)
    return status;
  auto journal = detail::Journal::open(detail::real_disk(), *detail::real_env().clock,
                                       words.plain(0), options);
  if (!journal) return journal.error();
  const auto topic = topic_of(words, **journal);
  if (!topic) return topic.error();
  std::optional<detail::Transaction> transaction;
  if (Status status = begin_if_asked(words, **journal, transaction); !status) return status;
  const LineOptions line_options{words.text("--key-separator"), words.text("--producer"),
                                 transaction ? &*transaction : nullptr, words.has("--acks")};
  if (files.empty()) files.emplace_back();  // standard input
  Inputs inputs;
  for (std::string& file : files)
    inputs.push_back(
        std::make_unique<JournalLines>(**journal, **topic, line_options, std::move(file)));
  if (Status status = copy_all(inputs); !status) return status;
  if (transaction) {
    if (Status status = transaction->commit(); !status) return status;
  }
  if (Status status = (*journal)->close(); !status) return status;
  report(inputs, words.plain(1));
  return {};
}

}  // namespace

int journal_produce(int argc, char** argv) {
  const auto words =
      JournalWords::read(argc, argv,
                         {{"--key-separator", "--mode", "--partitions", "--producer",
                           "--retention-time", "--retention-bytes", "--segment-bytes", "--unsafe"},
                          {"--acks", "--transaction"}},
                         {"DIR", "TOPIC", "[FILE...]"});
  if (!words) return detail::report_error(words.error());
  const Status status = produce(*words);
  return status ? EX_OK : detail::report_error(status);
}

}  // namespace millrace::apps
