// journal: appends and reads of a journal against plain write and fdatasync of the same bytes.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "millrace/journal_store.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

constexpr std::size_t kSmall = 100;
constexpr std::size_t kLarge = 1000;
constexpr std::size_t kAppendBytes = 256u << 10;
constexpr std::uint64_t kAlone = 1000;  // records that one producer appends one by one

/// A folder in the working directory, as folders for temporary files are often not on a disk.
class Place {
 public:
  Place() {
    std::string name = std::filesystem::current_path() / "millrace_bench_journal_XXXXXX";
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("journal: a folder cannot be made where the program runs");
    folder_ = name;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string path(const std::string& name) const { return folder_ / name; }

 private:
  std::filesystem::path folder_;
};

/// The number in the first bytes of a record, which the answer is made of.
std::uint64_t number_of(std::string_view bytes) {
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

/// Bytes of records one behind the other.
std::string payload(std::uint64_t first, std::uint64_t records, std::size_t bytes) {
  std::string all(records * bytes, 'x');
  for (std::uint64_t at = 0; at < records; ++at) {
    const std::uint64_t number = first + at;
    std::memcpy(all.data() + at * bytes, &number, sizeof number);
  }
  return all;
}

Answer right_answer(std::uint64_t records) {
  Answer answer;
  answer.records = records;
  for (std::uint64_t number = 0; number < records; ++number) answer.checksum += mix(number);
  return answer;
}

/// What every loop here does: fill a buffer with records, have it durable, until all are.
template <class Store>
Answer in_turns(std::uint64_t records, std::size_t bytes, std::uint64_t turn, Store store) {
  Answer answer;
  answer.records = records;
  for (std::uint64_t first = 0; first < records; first += turn) {
    const std::uint64_t count = std::min(turn, records - first);
    const std::string all = payload(first, count, bytes);
    for (std::uint64_t at = 0; at < count; ++at) answer.checksum += mix(first + at);
    answer.failure = store(std::string_view(all));
    if (!answer.failure.empty()) return answer;
  }
  return answer;
}

Answer plain_writes(std::uint64_t records, std::size_t bytes, std::uint64_t turn) {
  const Place place;
  const int file = ::open(place.path("plain").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  Answer answer = in_turns(records, bytes, turn, [file](std::string_view all) {
    while (!all.empty()) {
      const ssize_t count = ::write(file, all.data(), all.size());
      if (count < 0) return std::string("the plain loop cannot write");
      all.remove_prefix(static_cast<std::size_t>(count));
    }
    return std::string(::fdatasync(file) == 0 ? "" : "the plain loop cannot sync");
  });
  ::close(file);
  return answer;
}

std::string append(Topic& topic, std::string_view all, std::size_t bytes) {
  std::vector<JournalRecord> records(all.size() / bytes);
  for (std::size_t at = 0; at < records.size(); ++at)
    records[at].value = all.substr(at * bytes, bytes);
  return topic.log(0)->append(records).error().message();
}

Answer appends(std::uint64_t records, std::size_t bytes, std::uint64_t turn) {
  const Place place;
  const auto journal = open_journal(place.path("journal")).value();
  Topic& topic = *journal->create_topic("t", {}).value();
  Answer answer = in_turns(records, bytes, turn,
                           [&](std::string_view all) { return append(topic, all, bytes); });
  if (topic.view(0).shape().value().end_offset() != records) answer.failure = "records are missing";
  return answer;
}

/// Several threads, each waiting for its record to be durable before it appends the next.
Answer producers(std::uint64_t records, unsigned count) {
  const Place place;
  const auto journal = open_journal(place.path("journal")).value();
  Topic& topic = *journal->create_topic("t", {}).value();
  std::vector<Answer> answers(count);
  std::vector<std::thread> threads;
  for (unsigned own = 0; own < count; ++own) {
    threads.emplace_back([&, own] {
      for (std::uint64_t number = own; number < records; number += count) {
        answers[own].checksum += mix(number);
        answers[own].failure = append(topic, payload(number, 1, kSmall), kSmall);
        if (!answers[own].failure.empty()) return;
      }
    });
  }
  Answer sum;
  sum.records = records;
  for (unsigned own = 0; own < count; ++own) {
    threads[own].join();
    sum.checksum += answers[own].checksum;
    if (!answers[own].failure.empty()) sum.failure = answers[own].failure;
  }
  return sum;
}

/// A journal that was filled before, to be read again and again.
class Filled {
 public:
  Filled(std::uint64_t records, std::size_t bytes) : records_(records), bytes_(bytes) {}
  Answer read() {
    if (!journal_) fill();
    Answer answer;
    LogReader reader(topic_->view(0), 0);
    JournalRecord record;
    for (;;) {
      const auto more = reader.next(record);
      if (!more) answer.failure = more.error().message();
      if (!more || !*more) return answer;
      ++answer.records;
      answer.checksum += mix(number_of(*record.value));
    }
  }
  /// The same bytes from a plain file.
  Answer read_plain() {
    if (!journal_) fill();
    Answer answer;
    std::string buffer(kAppendBytes / bytes_ * bytes_, '\0');
    const int file = ::open(place_.path("plain").c_str(), O_RDONLY | O_CLOEXEC);
    for (;;) {
      const ssize_t count = ::read(file, buffer.data(), buffer.size());
      if (count <= 0) break;
      for (std::size_t at = 0; at < static_cast<std::size_t>(count); at += bytes_, ++answer.records)
        answer.checksum += mix(number_of(std::string_view(buffer).substr(at)));
    }
    ::close(file);
    return answer;
  }

 private:
  void fill() {
    journal_ = open_journal(place_.path("journal"), {.mode = JournalMode::async}).value();
    topic_ = journal_->create_topic("t", {}).value();
    const int file = ::open(place_.path("plain").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const Answer filled =
        in_turns(records_, bytes_, kAppendBytes / bytes_, [&](std::string_view all) {
          if (::write(file, all.data(), all.size()) != static_cast<ssize_t>(all.size()))
            return std::string("the plain file cannot be written");
          return append(*topic_, all, bytes_);
        });
    ::close(file);
    if (!filled.failure.empty()) throw std::runtime_error("journal: " + filled.failure);
  }

  const std::uint64_t records_;
  const std::size_t bytes_;
  Place place_;
  std::unique_ptr<Journal> journal_;
  Topic* topic_ = nullptr;
};

}  // namespace

Workload journal_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 1'000'000;
  const std::uint64_t large = std::max<std::uint64_t>(1, records / 10);
  const std::uint64_t alone = std::min(records, kAlone);
  Workload workload;
  workload.name = "journal";
  workload.unit = "records";
  workload.engine = [=](unsigned) { return appends(records, kSmall, kAppendBytes / kSmall); };
  workload.limit = [=] { return plain_writes(records, kSmall, kAppendBytes / kSmall); };
  const auto filled = std::make_shared<Filled>(records, kSmall);
  const auto small_ones = [=] { return right_answer(alone); };
  const auto large_ones = [=] { return right_answer(large); };
  workload.extras = {
      {"append_1k", [=] { return appends(large, kLarge, kAppendBytes / kLarge); }, large_ones},
      {"plain_1k", [=] { return plain_writes(large, kLarge, kAppendBytes / kLarge); }, large_ones},
      {"read", [=] { return filled->read(); }, nullptr},
      {"plain_read", [=] { return filled->read_plain(); }, nullptr},
      {"producers_1", [=] { return producers(alone, 1); }, small_ones},
      {"plain_alone", [=] { return plain_writes(alone, kSmall, 1); }, small_ones},
      {"producers_16", [=] { return producers(alone * 8, 16); },
       [=] { return right_answer(alone * 8); }},
      {"producers_256", [=] { return producers(alone * 64, 256); },
       [=] { return right_answer(alone * 64); }},
  };
  workload.figures = [](const Outcome& outcome) {
    const auto ratio = [&outcome](std::size_t one, std::size_t other) {
      return outcome.extras[one].rate / outcome.extras[other].rate;
    };
    return std::vector<Figure>{{"append_100", outcome.engine.rate / outcome.limit.rate, 0.7, 0},
                               {"append_1k", ratio(0, 1), 0.7, 0},
                               {"read_100", ratio(2, 3), 0, 0},
                               {"one_producer", ratio(4, 5), 0.7, 0},
                               {"16_producers", ratio(6, 5), 0, 0},
                               {"256_producers", ratio(7, 5), 0, 0}};
  };
  return workload;
}

}  // namespace millrace::bench
