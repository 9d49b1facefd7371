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

#include "connector/csv_source.hpp"
#include "connector/generator_source.hpp"
#include "connector/json_source.hpp"
#include "connector/line_source.hpp"
#include "connector/vector_source.hpp"

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
};

struct FileOptions {
  /// Begins again at the file's end, for ever; event_time's `lap` moves the stamps on each time.
  bool repeat = false;
};

/// The lines of a text file (plain or gzip, told by its first bytes; "-" is standard input),
/// without their ends. The views lie in the batch that carries them. Lines over --line-bytes-max
/// become dead letters.
inline SourceOf<std::string_view> lines(std::string path, FileOptions options = {}) {
  detail::LineInputOptions input{.path = path, .repeat = options.repeat};
  return {"lines", path, 1, [input] { return std::make_unique<detail::LineSource>(input); }};
}

/// A JSON object a line, read into T by its schema; see lines() for what a path may be. Keys match
/// members exactly or as snake_case = camelCase; unknown keys are skipped. Lines that do not fit
/// become dead letters with file and line.
template <class T>
SourceOf<T> json_lines(std::string path, FileOptions options = {}) {
  static_assert(Described<T>, "millrace: json_lines needs a plain struct of described members");
  detail::LineInputOptions input{.path = path, .repeat = options.repeat};
  return {"json lines", path, 1,
          [input] { return std::make_unique<detail::JsonSource<T>>(input); }};
}

struct CsvOptions {
  char separator = ',';
  char quote = '"';    ///< NUL: no quotes, every byte but separators and line ends is text
  bool header = true;  ///< the first line of each file names the columns
  /// The names of the columns of a file without header; empty: the members, in their order.
  std::vector<std::string> columns = {};
  bool repeat = false;  ///< as FileOptions::repeat
};

/// The rows of a CSV file (RFC 4180: texts in quotes may hold separators, quotes and newlines) as
/// records of T; see lines() for what a path may be. Columns are bound to members by name, exactly
/// or as snake_case = camelCase; columns without member are skipped, a member without column is
/// refused with 4006 unless it is a std::optional. Rows that do not fit become dead letters with
/// file and line. Blank lines are skipped. See docs/guides/how-to-read-csv.md.
template <class T>
SourceOf<T> csv(std::string path, CsvOptions options = {}) {
  static_assert(Described<T>, "millrace: csv needs a plain struct of described members");
  detail::LineInputOptions input{
      .path = path, .repeat = options.repeat, .quotes = {options.quote, options.separator}};
  detail::CsvFormatOptions format{
      {options.separator, options.quote}, options.header, std::move(options.columns)};
  return {"csv", path, 1, [input, format] {
            return std::make_unique<detail::CsvSource<T>>(input, detail::CsvFormat<T>(format));
          }};
}
/// csv() with tabs between the cells.
template <class T>
SourceOf<T> tsv(std::string path, CsvOptions options = {}) {
  options.separator = '\t';
  return csv<T>(std::move(path), std::move(options));
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

}  // namespace millrace
