// Lines of one input become records of a topic, in the order in which they come.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "base/time.hpp"
#include "env/env.hpp"
#include "journal/journal.hpp"

namespace millrace::apps {

/// How lines become records; the same for all inputs of a command.
struct LineOptions {
  std::string separator;                       ///< stands behind the key; "": no keys
  std::string producer;                        ///< "": nobody is remembered, see JournalLines
  detail::Transaction* transaction = nullptr;  ///< null: each append stands for itself
  bool acks = false;                           ///< print what is acknowledged
};

/// One input of `millrace journal produce`: lines with a key go to its partition, the others to the
/// partitions in turn. One thread; journal and topic outlive it.
///
/// With LineOptions::producer the partitions know how many lines of this input they have. An input
/// that is read again from its beginning is then stored once: the lines that are there are passed
/// over.
class JournalLines {
 public:
  /// `name`: the input as it was given; "": standard input.
  JournalLines(detail::Journal& journal, detail::Topic& topic, const LineOptions& options,
               std::string name);

  /// Errors: 4001 when it cannot be opened.
  Status open();
  /// Reads to the end; what has come together is appended together. Errors: 1002 for a line that is
  /// too long, 4001, 4002.
  Status copy();

  std::uint64_t appended() const { return appended_; }
  /// Lines that an earlier run has stored.
  std::uint64_t passed_over() const { return passed_over_; }

 private:
  /// What goes to one partition.
  struct Part {
    std::vector<detail::JournalRecord> records;
    std::uint64_t lines = 0;   // of this input, so far
    std::uint64_t stored = 0;  // of them, by an earlier run
  };
  Status append(std::string_view lines);
  void add(std::string_view line, Time now);
  Status append_part(std::uint32_t number);
  void acknowledge(std::uint32_t number, std::uint64_t first, std::size_t count);
  Status step();

  detail::Journal& journal_;
  detail::Topic& topic_;
  const LineOptions& options_;
  const std::string name_;
  const std::uint64_t producer_;  // id; 0: nobody
  std::unique_ptr<detail::ByteReader> input_;
  std::vector<Part> parts_;  // by partition
  std::uint64_t turn_ = 0;
  std::uint64_t appended_ = 0;
  std::uint64_t passed_over_ = 0;
  std::int64_t stepped_ns_ = 0;
};

}  // namespace millrace::apps
