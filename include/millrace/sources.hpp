// Where streams begin: lines, JSON lines, generators, records in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/block_source.hpp"
#include "connector/csv_source.hpp"
#include "connector/endpoint.hpp"
#include "connector/generator_source.hpp"
#include "connector/json_source.hpp"
#include "connector/line_source.hpp"
#include "connector/machine_source.hpp"
#include "connector/merged_source.hpp"
#include "connector/vector_source.hpp"
#include "topology/topology_graph.hpp"

namespace millrace {

/// For sources of one's own: derive from Source and fill the Batch<T> that poll() is given (a
/// static_cast from BatchBase). Pass it as SourceOf<T>{kind, note, tasks, make} to Topology::from.
/// Each task makes one; its thread alone calls it. See docs/guides/how-to-write-a-source.md.
using detail::Batch;
using detail::BatchBase;
using detail::EndContext;
using detail::Poll;
using detail::Source;

/// A source as a value: what Topology::from() takes.
template <class T>
struct SourceOf {
  using Record = T;
  std::string kind;         ///< shown on the page: "lines", "json lines", ...
  std::string note;         ///< shown by explain: the path
  std::uint32_t tasks = 1;  ///< tasks that share the partitions
  std::function<std::unique_ptr<detail::Source>()> make;
  /// Of sources of files: makes one for a single file.
  std::function<std::unique_ptr<detail::Source>(const std::string& path)> make_one = {};
  /// Of journals: makes one that begins at that event time, as ISO 8601, or offset.
  std::function<std::unique_ptr<detail::Source>(const std::string& at)> make_at = {};
  /// Found while it was described; reported by validate().
  Status problem = {};
  /// Of sources of lines: how several tasks decode them where their order is not needed.
  std::optional<detail::BlockReading> blocks = {};

  /// The files of a pattern as one stream in the order of their times (a Timestamp or integer
  /// member, or a function) instead of as partitions: each file must be in that order itself, but
  /// for what event_time's `out_of_order` allows. Ties in the order of the files' names. At most
  /// 256 files that overlap in time are read at once; more give 4001. Not with `repeat`.
  template <class Get>
  SourceOf ordered_by(Get get) const {
    SourceOf ordered = *this;
    ordered.kind += ", ordered";
    ordered.tasks = 1;
    ordered.blocks.reset();
    ordered.make = [pattern = note, one = make_one, get] {
      return std::make_unique<detail::MergedSource<T, Get>>(pattern, one, get);
    };
    return ordered;
  }
};

struct FileOptions {
  /// Begins again at the file's end, for ever; event_time's `lap` moves the stamps on each time.
  bool repeat = false;
  /// json_lines: what a number for a Timestamp counts.
  TimeUnit time_unit = TimeUnit::milliseconds;
  std::uint32_t tasks = 1;  ///< that share the files of a pattern
};

namespace detail {

/// A source of what `make(input)` reads, for one endpoint or every file of a pattern.
template <class T, class Make>
SourceOf<T> source_of(std::string kind, const Endpoint& from, std::uint32_t tasks,
                      LineInputOptions input, Make make) {
  input.path = from.text;
  input.kind = from.kind;
  return {std::move(kind), from.text, tasks, [input, make] { return make(input); },
          [input, make](const std::string& path) {
            LineInputOptions one = input;
            one.path = path;
            one.repeat = false;
            return make(one);
          }};
}

/// A Format, as of BlockDecoder, is made of `args` for each task. Files alone: standard input and
/// followed ones give little at a time, which one task can do.
template <class T, class Format, class... Args>
SourceOf<T> in_blocks(SourceOf<T> source, const Endpoint& from, bool repeat, Args... args) {
  if (from.kind != EndpointKind::file || from.text == "-") return source;
  LineInputOptions input;
  input.path = from.text;
  input.repeat = repeat;
  source.blocks =
      BlockReading{[input] { return std::make_unique<BlockSource>(input); },
                   [args...] { return std::make_unique<BlockDecoder<T, Format>>(args...); }};
  return source;
}

}  // namespace detail

/// The lines of a text file without their ends: a path (plain, gzip or zstd, told by its first
/// bytes; "-" is standard input), a pattern ("logs/*.gz": each file that matches is a partition, in
/// the order of their names), or follow(), exec(), connect_to() or listen_on(). The views lie in
/// the batch that carries them. Lines over --line-bytes-max become dead letters; a UTF-8 byte order
/// mark is passed over.
inline SourceOf<std::string_view> lines(const Endpoint& from, FileOptions options = {}) {
  auto source = detail::source_of<std::string_view>(
      "lines", from, options.tasks, {.path = "", .repeat = options.repeat},
      [](const detail::LineInputOptions& input) {
        return std::make_unique<detail::LineSource>(input);
      });
  return detail::in_blocks<std::string_view, detail::WholeLines>(std::move(source), from,
                                                                 options.repeat);
}

/// A JSON object a line, read into T by its schema; see lines() for what it may be read from. Keys
/// match members exactly or as snake_case = camelCase; unknown keys are skipped. Lines that do not
/// fit become dead letters with file and line.
template <class T>
SourceOf<T> json_lines(const Endpoint& from, FileOptions options = {}) {
  static_assert(Described<T>, "millrace: json_lines needs a plain struct of described members");
  auto source = detail::source_of<T>(
      "json lines", from, options.tasks, {.path = "", .repeat = options.repeat},
      [unit = options.time_unit](const detail::LineInputOptions& input) {
        return std::make_unique<detail::JsonSource<T>>(input, detail::JsonFormat<T>(unit));
      });
  return detail::in_blocks<T, detail::JsonFormat<T>>(std::move(source), from, options.repeat,
                                                     options.time_unit);
}

struct CsvOptions {
  char separator = ',';
  char quote = '"';    ///< NUL: no quotes, every byte but separators and line ends is text
  bool header = true;  ///< the first line of each file names the columns
  /// The names of the columns of a file without header; empty: the members, in their order.
  std::vector<std::string> columns = {};
  bool repeat = false;                          ///< as FileOptions::repeat
  TimeUnit time_unit = TimeUnit::milliseconds;  ///< what a number for a Timestamp counts
  std::uint32_t tasks = 1;                      ///< as FileOptions::tasks
};

/// The rows of CSV (RFC 4180: texts in quotes may hold separators, quotes and newlines) as
/// records of T; see lines() for what it may be read from. Columns are bound to members by name,
/// exactly or as snake_case = camelCase; columns without member are skipped, a member without
/// column is refused with 4006 unless it is a std::optional. Rows that do not fit become dead
/// letters with file and line. Blank lines are skipped. See docs/guides/how-to-read-csv.md.
template <class T>
SourceOf<T> csv(const Endpoint& from, CsvOptions options = {}) {
  static_assert(Described<T>, "millrace: csv needs a plain struct of described members");
  const detail::CsvFormatOptions format{{options.separator, options.quote},
                                        options.time_unit,
                                        options.header,
                                        std::move(options.columns)};
  return detail::source_of<T>(
      "csv", from, options.tasks,
      {.path = "", .repeat = options.repeat, .quotes = {options.quote, options.separator}},
      [format](const detail::LineInputOptions& input) {
        return std::make_unique<detail::CsvSource<T>>(input, detail::CsvFormat<T>(format));
      });
}
/// csv() with tabs between the cells.
template <class T>
SourceOf<T> tsv(const Endpoint& from, CsvOptions options = {}) {
  options.separator = '\t';
  return csv<T>(from, std::move(options));
}

/// `count` records make(0), make(1), ... of a pure function (nullopt: without end), in `partitions`
/// partitions: partition p holds the indices p, p + partitions, ...
template <class F>
auto generate(std::optional<std::uint64_t> count, F make, std::uint32_t partitions = 1) {
  using T = std::decay_t<std::invoke_result_t<F&, std::uint64_t>>;
  return SourceOf<T>{"generator", "", 1, [count, make, partitions] {
                       return std::make_unique<detail::GeneratorSource<T, F>>(make, count,
                                                                              partitions);
                     }};
}

/// Records that are in memory: a list of partitions, each in order. What they borrow is the
/// caller's to keep.
template <class T>
SourceOf<T> records(std::vector<std::vector<T>> partitions, std::uint32_t tasks = 1) {
  auto shared = std::make_shared<const std::vector<std::vector<T>>>(std::move(partitions));
  return {"records", "", tasks,
          [shared] { return std::make_unique<detail::VectorSource<T>>(shared); }};
}

/// What this machine is doing, measured every interval: an endless stream of MachineReading.
///
/// | metric | instances | value |
/// |---|---|---|
/// | `cpu` | `total`, `0`, `1`, ... | % busy since the measurement before |
/// | `memory`, `swap` | `used` | % used; `memory bytes` the same in bytes |
/// | `disk` | each mount point | % used, as df says; `disk free`: bytes left |
/// | `network received`, `network sent` | each interface but lo | bytes/s |
/// | `pressure` | `cpu`, `memory`, `io` | % of ten seconds in which a task waited for it |
///
/// What the machine does not tell is left out. Linux only; elsewhere the run ends with 4001.
inline SourceOf<MachineReading> machine(MachineOptions options = {}) {
  return {"machine", "every " + detail::format_duration(options.interval), 1,
          [options] { return std::make_unique<detail::MachineSource>(options); }};
}

}  // namespace millrace
