// history(files, time).then(journal, at): stored records first, then the live ones, without gap.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "connector/history_source.hpp"
#include "millrace/sources.hpp"
#include "operator/replay_range.hpp"

namespace millrace {

/// What history() returns.
template <class T, class Get>
class History {
 public:
  History(SourceOf<T> stored, Get time) : stored_(std::move(stored)), time_(std::move(time)) {}

  /// A source that gives the stored records whose time is before `at`, an ISO 8601 time, and then
  /// those that `live`, a journal with one task, keeps of that event time and later: each once, as
  /// long as the journal keeps the same times. What `live` says of its beginning counts no more.
  /// Event time stands at `at` between the two.
  ///
  /// Or `at` is an offset, such as "12000", for files that hold what came before it: all of theirs,
  /// and then each partition of the journal from that offset on. Event time waits for the journal
  /// while the files are read. Errors: 2010 from validate(); 4001 where retention has taken that
  /// offset.
  SourceOf<T> then(SourceOf<T> live, const std::string& at) const {
    const auto time = detail::parse_iso_time(at);
    const auto bound = detail::parse_replay_bound(at);
    const bool is_offset = bound && bound->kind == detail::ReplayBound::Kind::offset;
    SourceOf<T> source = live;
    source.kind = "history, then " + live.kind;
    source.note = stored_.note + ", from " + at + " " + live.note;
    source.tasks = 1;
    source.make_one = {};
    source.make_at = {};
    source.problem = problem_of(live, at, time || is_offset);
    if (!source.problem.ok()) return source;
    source.make = [stored = stored_.make, live = live.make_at, get = time_, at, time] {
      return std::make_unique<detail::HistorySource<T, Get>>(stored(), live(at), get, time);
    };
    return source;
  }

 private:
  Status problem_of(const SourceOf<T>& live, const std::string& at, bool is_place) const {
    const auto invalid = [&](const char* why) {
      return Status(Code::parameter_invalid, fmt::format("history(\"{}\").then(\"{}\", \"{}\"): {}",
                                                         stored_.note, live.note, at, why));
    };
    if (!is_place)
      return invalid("the switch is a time such as 2015-09-12T06:00:00Z, or an offset");
    if (!live.make_at) return invalid("what comes then is a journal, which can begin there");
    if (live.tasks != 1 || stored_.tasks != 1) return invalid("one task reads both: leave tasks 1");
    return stored_.problem;
  }

  SourceOf<T> stored_;
  Get time_;
};

/// The part of a stream that is in files; `time` is a record's event time, as for event_time().
/// See docs/guides/how-to-replay.md.
///
///     topology.from(history(json_lines<Edit>("edits-*.jsonl.gz"), &Edit::at)
///                       .then(journal<Edit>("data", "edits"), "2015-09-12T06:00:00Z"))
///         .event_time(&Edit::at)
template <class T, class Get>
History<T, Get> history(SourceOf<T> files, Get time) {
  return {std::move(files), std::move(time)};
}

}  // namespace millrace
