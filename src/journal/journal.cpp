// Topics: their making, their opening, their upkeep.
#include "journal/journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/byte_codec.hpp"
#include "base/crc32c.hpp"
#include "base/text.hpp"
#include "journal/journal_file.hpp"
#include "journal/partition_tail.hpp"
#include "journal/transaction_follower.hpp"

namespace millrace::detail {
namespace {

constexpr std::string_view kRootKind = "MRJroot ";
constexpr std::string_view kTopicKind = "MRJtopic";
constexpr const char* kRootName = "journal";
constexpr const char* kLockName = "lock";
constexpr const char* kTopicName = "topic";
constexpr std::uint32_t kPartitionsMax = 4096;
constexpr std::size_t kNameMax = 100;
constexpr std::uint64_t kSegmentBytesMin = 1u << 10;

bool name_is_good(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kNameMax && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), good);
}

Status no_journal(const std::string& folder, std::string_view why) {
  return {Code::source_failed,
          fmt::format("\"{}\" is no journal: {}; check the path", folder, why)};
}

Result<TopicOptions> read_topic(Disk& disk, const std::string& folder) {
  const std::string path = folder + "/" + kTopicName;
  const auto bytes = read_whole(disk, path);
  if (!bytes) return bytes.error();
  const auto payload = unsealed(path, kTopicKind, *bytes);
  if (!payload) return payload.error();
  BytesCursor from(*payload);
  TopicOptions options;
  options.partitions = from.number<std::uint32_t>();
  options.retention.time = Duration(from.number<std::int64_t>());
  options.retention.bytes = from.number<std::uint64_t>();
  const bool good = from.ok() && from.rest().empty() && options.partitions > 0 &&
                    options.partitions <= kPartitionsMax;
  if (!good) return journal_damage(path, 0, "its content is no topic");
  return options;
}

Status write_topic(Disk& disk, const std::string& folder, const TopicOptions& options) {
  std::string payload;
  put_number(payload, options.partitions);
  put_number(payload, static_cast<std::int64_t>(options.retention.time.count()));
  put_number(payload, options.retention.bytes);
  return replace_file(disk, folder, kTopicName, kTopicKind, payload);
}

Status check_root(Disk& disk, const std::string& folder) {
  const std::string path = folder + "/" + kRootName;
  const auto bytes = read_whole(disk, path);
  if (!bytes) return bytes.error();
  return unsealed(path, kRootKind, *bytes).error();
}

/// The folders that hold a topic; one without is the leftover of a crash while it was made.
Result<std::vector<std::string>> topic_names(Disk& disk, const std::string& folder) {
  auto names = disk.list_folder(folder);
  if (!names) return names;
  std::erase_if(*names, [&](const std::string& name) {
    return !disk.exists(folder + "/" + name + "/" + kTopicName);
  });
  return names;
}

Status first_failure(Status one, const Status& other) { return one ? other : one; }

}  // namespace

std::uint32_t Topic::partition_of(std::string_view key) const {
  return crc32c(key) % options_.partitions;
}

Result<std::unique_ptr<Journal>> Journal::open(Disk& disk, Clock& clock, std::string folder,
                                               JournalOptions options) {
  if (options.segment_bytes < kSegmentBytesMin) {
    return Status(
        Code::parameter_invalid,
        fmt::format("journal \"{}\": segments of {} bytes are too small; give at least {}", folder,
                    options.segment_bytes, kSegmentBytesMin));
  }
  std::unique_ptr<Journal> journal(new Journal(disk, clock, std::move(folder), options));
  if (Status status = journal->open_all(); !status) return status;
  return journal;
}

Status Journal::open_all() {
  const bool is_there = disk_.exists(folder_ + "/" + kRootName);
  if (options_.read_only) {
    if (!is_there) {
      return no_journal(folder_, disk_.exists(folder_) ? "no file \"journal\" lies in it"
                                                       : "there is no such folder");
    }
  } else if (!is_there) {
    if (Status status = make_root(); !status) return status;
  } else if (Status status = take_lock(); !status) {
    return status;
  }
  if (Status status = keep_names(folder_); !status) return status;
  if (Status status = check_root(disk_, folder_); !status) return status;
  if (Status status = open_book(); !status) return status;
  const auto names = topic_names(disk_, folder_);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (Status status = open_topic(name); !status) return status;
  }
  return {};
}

/// What lies in a folder may have been put there by a process that ended before it was synced, or
/// whose sync failed: before anything is written behind it, its name is made to last.
Status Journal::keep_names(const std::string& folder) {
  return options_.read_only ? Status() : disk_.sync_folder(folder);
}

Status Journal::take_lock() {
  if (options_.no_fence) return {};
  auto lock = disk_.lock(folder_ + "/" + kLockName);
  if (!lock) return {Code::sink_failed, lock.error().message()};
  lock_ = std::move(*lock);
  return {};
}

Status Journal::open_book() {
  if (options_.read_only) {
    book_ = std::make_unique<TransactionFollower>(disk_, folder_, !options_.no_checksum);
    return {};
  }
  auto transactions = Transactions::open(disk_, clock_, folder_, options_);
  if (!transactions) return transactions.error();
  transactions_ = transactions->get();
  book_ = std::move(*transactions);
  return {};
}

Status Journal::make_root() {
  if (Status status = disk_.make_folder(folder_); !status) return status;
  const auto names = disk_.list_folder(folder_);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (name == kLockName || name == std::string(kRootName) + ".new") continue;
    return {Code::sink_failed,
            fmt::format("\"{}\" is no journal and not empty (\"{}\" lies in it): choose a folder "
                        "that is empty or not there yet",
                        folder_, name)};
  }
  if (Status status = take_lock(); !status) return status;
  if (Status status = replace_file(disk_, folder_, kRootName, kRootKind, ""); !status)
    return status;
  const auto slash = folder_.find_last_of('/');
  return disk_.sync_folder(slash == std::string::npos ? "." : folder_.substr(0, slash + 1));
}

Status Journal::open_topic(const std::string& name) {
  const auto options = read_topic(disk_, folder_ + "/" + name);
  if (!options) return options.error();
  auto topic = std::make_unique<Topic>(name, *options);
  if (Status status = keep_names(folder_ + "/" + name); !status) return status;
  if (Status status = open_partitions(*topic); !status) return status;
  topics_[name] = std::move(topic);
  return {};
}

Status Journal::open_partitions(Topic& topic) {
  for (std::uint32_t number = 0; number < topic.partitions(); ++number) {
    std::string folder = fmt::format("{}/{}/{}", folder_, topic.name(), number);
    if (options_.read_only) {
      topic.views_.push_back(std::make_unique<PartitionTail>(disk_, std::move(folder),
                                                             !options_.no_checksum, book_.get()));
      continue;
    }
    if (disk_.exists(folder)) {
      if (Status status = keep_names(folder); !status) return status;
    }
    auto log = PartitionLog::open(disk_, clock_, std::move(folder), options_, book_.get());
    if (!log) return log.error();
    topic.logs_.push_back(log->get());
    topic.views_.push_back(std::move(*log));
  }
  return {};
}

Result<Topic*> Journal::create_topic(const std::string& name, const TopicOptions& options) {
  const std::lock_guard lock(mutex_);
  if (!name_is_good(name) || name == kLockName || name == kRootName) {
    return Status(Code::parameter_invalid,
                  fmt::format("topic \"{}\": a name has letters, digits, '.', '_' and '-', at most "
                              "{}, and begins with no '.'; \"journal\" and \"lock\" are taken",
                              name, kNameMax));
  }
  if (options.partitions == 0 || options.partitions > kPartitionsMax) {
    return Status(Code::parameter_invalid,
                  fmt::format("topic \"{}\": {} partitions cannot be; give 1 to {}", name,
                              options.partitions, kPartitionsMax));
  }
  if (options_.read_only || topics_.contains(name)) {
    return Status(Code::sink_failed,
                  fmt::format("topic \"{}\" of \"{}\" cannot be made: {}", name, folder_,
                              options_.read_only ? "the journal is open to be read only"
                                                 : "it exists; append to it, or choose a name"));
  }
  const std::string folder = folder_ + "/" + name;
  if (Status status = disk_.make_folder(folder); !status) return status;
  for (std::uint32_t number = 0; number < options.partitions; ++number) {
    const std::string partition = fmt::format("{}/{}", folder, number);
    if (Status status = disk_.make_folder(partition); !status) return status;
    if (Status status = PartitionLog::create(disk_, partition); !status) return status;
  }
  // With this file it exists.
  if (Status status = write_topic(disk_, folder, options); !status) return status;
  if (Status status = disk_.sync_folder(folder_); !status) return status;
  if (Status status = open_topic(name); !status) return status;
  return topics_[name].get();
}

Result<Topic*> Journal::topic(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = topics_.find(name); found != topics_.end()) return found->second.get();
  std::vector<std::string> known;
  for (const auto& [other, topic] : topics_) known.push_back(other);
  const std::string near = nearest_word(name, known);
  return Status(
      Code::source_failed,
      fmt::format("topic \"{}\" is not in \"{}\"{}", name, folder_,
                  !near.empty()   ? fmt::format(": did you mean \"{}\"?", near)
                  : known.empty() ? ", which has none; append a record to make it"
                                  : fmt::format("; there is \"{}\"", fmt::join(known, "\", \""))));
}

std::vector<Topic*> Journal::topics() {
  const std::lock_guard lock(mutex_);
  std::vector<Topic*> found;
  for (const auto& [name, topic] : topics_) found.push_back(topic.get());
  return found;
}

Status Journal::step() {
  Status status = transactions_ != nullptr ? transactions_->step() : Status();
  for (Topic* topic : topics()) {
    for (PartitionLog* log : topic->logs_) {
      if (options_.mode == JournalMode::async) status = first_failure(status, log->sync());
      status = first_failure(status, log->retain(topic->options().retention));
    }
  }
  return status;
}

Status Journal::close() {
  Status status;
  for (Topic* topic : topics())
    for (PartitionLog* log : topic->logs_) status = first_failure(status, log->close());
  if (transactions_ != nullptr) status = first_failure(status, transactions_->close());
  return status;
}

}  // namespace millrace::detail
