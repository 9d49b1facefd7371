// Journals as ends of streams: from(journal<T>("dir", "topic")) and to(journal("dir", "topic")).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "connector/journal_sink.hpp"
#include "connector/journal_source.hpp"
#include "connector/json_source.hpp"
#include "millrace/sinks.hpp"
#include "millrace/sources.hpp"

namespace millrace {

struct JournalReading {
  /// Where each partition begins: earliest, latest, an offset, or a time such as
  /// 2015-09-12T06:00:00Z: the first record of that event time or later.
  std::string from = "earliest";
  bool follow = true;       ///< goes on with what comes; false: ends where the topic now ends
  std::uint32_t tasks = 1;  ///< that share the partitions
  TimeUnit time_unit = TimeUnit::milliseconds;  ///< what a number for a Timestamp counts
  /// Where each partition ends, before that record: latest, an offset, or a time, which is that of
  /// the first record of that event time or later; empty: nowhere. --from and --until of the run go
  /// before these.
  std::string until = {};
};

namespace detail {

/// A source of what make(JournalInput) reads.
template <class T, class Make>
SourceOf<T> journal_source(const JournalInput& input, std::uint32_t tasks, Make make) {
  SourceOf<T> source{"journal", input.folder + "/" + input.topic, tasks,
                     [input, make] { return make(input); }};
  source.make_at = [input, make](const std::string& at) {
    JournalInput from = input;
    from.from = at;
    from.not_before = parse_iso_time(at).value_or(kTimeMin);
    return make(std::move(from));
  };
  return source;
}

}  // namespace detail

/// The records of a journal's topic whose values are JSON, read into T by its schema; a partition
/// for each of the topic's. What does not fit becomes a dead letter, "DIR/TOPIC/PARTITION:OFFSET".
/// Changes nothing in the journal; it and the topic must be there when the topology starts. See
/// docs/guides/how-to-keep-records-in-a-journal.md.
template <class T>
SourceOf<T> journal(std::string folder, std::string topic, JournalReading options = {}) {
  static_assert(Described<T>, "millrace: journal needs a plain struct of described members");
  const detail::JournalInput input{std::move(folder), std::move(topic), std::move(options.from),
                                   options.follow, std::move(options.until)};
  return detail::journal_source<T>(
      input, options.tasks, [unit = options.time_unit](detail::JournalInput from) {
        using Format = detail::JsonFormat<T>;
        return std::make_unique<detail::JournalSource<T, Format>>(std::move(from), Format(unit));
      });
}

struct JournalWriting {
  std::string key = {};          ///< the column whose text is the record's key; empty: no key
  std::uint32_t partitions = 1;  ///< of a topic that is made; one that exists keeps its own
  /// Whether what was written survives a loss of power once it is flushed, which happens when no
  /// input waits or 256 KiB have come; else it survives the end of the process.
  bool durable = true;
};

/// What journal("dir", "topic") returns: each record is appended as JSON, as log() writes it. One
/// topology writes to a journal, with one such end.
struct JournalSpec {
  std::string folder;
  std::string topic;
  JournalWriting options;

  /// Internal: the end of a stream of T.
  template <class T>
  detail::Node node(std::vector<detail::NodeInput> inputs, const detail::RowNames& names) const;
};
inline JournalSpec journal(std::string folder, std::string topic, JournalWriting options = {}) {
  return {std::move(folder), std::move(topic), std::move(options)};
}

namespace detail {

/// Writes a cell as a key: texts as they are, the others as JSON. False: it is empty.
template <class Member>
bool append_key(std::string& key, const Member& member) {
  if constexpr (kIsOptional<Member>) {
    return member && append_key(key, *member);
  } else if constexpr (std::is_convertible_v<const Member&, std::string_view>) {
    key.append(std::string_view(member));
  } else {
    append_json_value(key, member);
  }
  return true;
}

/// `key_at`: index of the key's column, or beyond the last.
template <class T>
JournalFormatter journal_formatter(std::vector<ColumnInfo> columns, std::size_t key_at) {
  return [columns = std::move(columns), key_at](std::string& value, std::string& key,
                                                const BatchBase& base, std::size_t index) {
    const auto& record = static_cast<const Batch<T>&>(base).values[index];
    append_row_json(value, columns, record);
    bool keyed = false;
    std::size_t at = 0;
    RowShape<T>::visit_cells(record, [&](const auto& member) {
      if (at++ == key_at) keyed = append_key(key, member);
    });
    return keyed;
  };
}

}  // namespace detail

template <class T>
detail::Node JournalSpec::node(std::vector<detail::NodeInput> inputs,
                               const detail::RowNames& names) const {
  const std::vector<ColumnInfo> columns = detail::RowShape<T>::columns(names);
  std::size_t key_at = 0;
  while (key_at < columns.size() && columns[key_at].name != options.key) ++key_at;
  const detail::JournalOutput output{folder, topic, options.partitions, options.durable};
  detail::Node node =
      detail::sink_node("journal", folder + "/" + topic, std::move(inputs),
                        [output, format = detail::journal_formatter<T>(columns, key_at)] {
                          return detail::make_journal_sink(output, format);
                        });
  if (!options.key.empty() && key_at == columns.size()) {
    node.problem = Status(Code::parameter_invalid,
                          fmt::format("journal(\"{}\", \"{}\"): its records have no column \"{}\" "
                                      "to be the key; name one that they have",
                                      folder, topic, options.key));
  }
  return node;
}

}  // namespace millrace
