// What a journal with transactions may show after a crash, from what was said of each of them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "journal/journal.hpp"

namespace millrace::detail {

/// Ends of a transaction, as bits: those that are still possible.
struct TransactionEnd {
  static constexpr unsigned kNone = 1;      ///< nothing of it may be seen
  static constexpr unsigned kAll = 2;       ///< all of it must be seen
  static constexpr unsigned kPrepared = 4;  ///< it waits, hidden
};

/// Remembers what was said, and compares a journal that was opened again with it. What it has seen
/// once must stay. Places 0 and 1 are the partitions of topic "a", 2 is that of "b".
class TransactionTruth {
 public:
  static constexpr std::size_t kPlaces = 3;
  using Texts = std::vector<std::set<std::string>>;

  /// `keeps`: records outside of transactions survive a loss of power.
  explicit TransactionTruth(bool keeps) : keeps_(keeps) {}

  static PartitionView& view(Journal& journal, std::size_t place) {
    return (*journal.topic(place < 2 ? "a" : "b"))->view(static_cast<std::uint32_t>(place % 2));
  }

  /// The ends that transaction `number` may have; none when nothing was said of it yet.
  unsigned& may(TransactionNumber number) { return said_[number].may; }
  void note_alone(std::size_t place, std::string text, bool acknowledged) {
    (acknowledged ? alone_ : maybe_alone_)[place].insert(std::move(text));
  }
  void note_in(TransactionNumber number, std::size_t place, std::string text, bool acknowledged) {
    (acknowledged ? said_[number].texts : never_)[place].insert(std::move(text));
  }
  std::size_t committed() const {
    return static_cast<std::size_t>(std::count_if(said_.begin(), said_.end(), [](const auto& said) {
      return said.second.may == TransactionEnd::kAll;
    }));
  }

  /// `journal` was just opened; `outside` reads it as another process does. "" when all is right.
  std::string compare(Journal& journal, Journal& outside) {
    Texts seen(kPlaces);
    for (std::size_t place = 0; place < kPlaces; ++place) {
      const auto own = read(view(journal, place), Isolation::read_committed);
      if (!own) return "cannot-read: " + own.error().to_string();
      const auto other = read(view(outside, place), Isolation::read_committed);
      if (!other || *other != *own) return "another-process-sees-other-records";
      seen[place].insert(own->begin(), own->end());
      if (seen[place].size() != own->size()) return "doubled";
    }
    const std::string wrong = compare_alone(journal, seen);
    return wrong.empty() ? compare_transactions(journal, seen) : wrong;
  }

 private:
  struct Said {
    unsigned may = TransactionEnd::kNone;
    Texts texts = Texts(kPlaces);
  };

  static Result<std::vector<std::string>> read(PartitionView& view, Isolation isolation) {
    std::vector<std::string> found;
    LogReader reader(view, 0, isolation);
    for (JournalRecord record;;) {
      const auto more = reader.next(record);
      if (!more) return more.error();
      if (!*more) return found;
      found.emplace_back(record.value.value_or(""));
    }
  }

  /// Records of no transaction may wait behind one that is prepared, so it looks past isolation.
  std::string compare_alone(Journal& journal, const Texts& seen) {
    for (std::size_t place = 0; place < kPlaces; ++place) {
      const auto read_all = read(view(journal, place), Isolation::read_uncommitted);
      if (!read_all) return "cannot-read: " + read_all.error().to_string();
      const std::set<std::string> all(read_all->begin(), read_all->end());
      for (const std::string& text : all)
        if (maybe_alone_[place].contains(text)) alone_[place].insert(text);
      for (const std::string& text : alone_[place])
        if (!all.contains(text) && keeps_) return "lost-write";
      for (const std::string& text : never_[place])
        if (seen[place].contains(text)) return "refused-and-seen";
    }
    return "";
  }

  std::string compare_transactions(Journal& journal, const Texts& seen) {
    std::set<TransactionNumber> prepared;
    const std::vector<PreparedTransaction> waiting = *journal.transactions()->prepared();
    for (const PreparedTransaction& one : waiting) {
      prepared.insert(one.number);
      if (one.label != fmt::format("label {}", one.number)) return "wrong-label";
    }
    for (auto& [number, said] : said_) {
      const TransactionFate fate = *journal.transactions()->fate(number);
      unsigned is =
          fate == TransactionFate::committed ? TransactionEnd::kAll : TransactionEnd::kNone;
      if (prepared.contains(number)) is = TransactionEnd::kPrepared;
      if (fate == TransactionFate::undecided && is != TransactionEnd::kPrepared)
        return fmt::format("undecided-for-ever: {}", number);
      if ((said.may & is) == 0)
        return fmt::format("broken-word: {} may be {} and is {}", number, said.may, is);
      said.may = is;  // and stays
      if (std::string wrong = compare_records(journal, number, said, seen); !wrong.empty())
        return wrong;
    }
    return "";
  }

  std::string compare_records(Journal& journal, TransactionNumber number, const Said& said,
                              const Texts& seen) {
    const bool all = said.may == TransactionEnd::kAll;
    for (std::size_t place = 0; place < kPlaces; ++place) {
      const auto shape = view(journal, place).shape();
      const bool some_wait = shape->stable_offset() < shape->end_offset();
      for (const std::string& text : said.texts[place]) {
        const bool is_seen = seen[place].contains(text);
        if (!all && is_seen) return fmt::format("torn: {} shows a record", number);
        if (all && !is_seen && !some_wait) return fmt::format("torn: {} lacks a record", number);
      }
    }
    return "";
  }

  const bool keeps_;
  std::map<TransactionNumber, Said> said_;
  Texts alone_ = Texts(kPlaces);
  Texts maybe_alone_ = Texts(kPlaces);  // their append failed
  Texts never_ = Texts(kPlaces);        // of a transaction, and refused
};

}  // namespace millrace::detail
