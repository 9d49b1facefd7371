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
