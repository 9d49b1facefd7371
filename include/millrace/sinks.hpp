// Where streams end: views of the page, logs, CSV, functions.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "connector/endpoint.hpp"
#include "connector/rolled_folder.hpp"
#include "connector/text_sink.hpp"
#include "connector/view.hpp"
#include "millrace/declaration.hpp"
#include "millrace/view_spec.hpp"
#include "operator/idempotency_key.hpp"
#include "operator/operator.hpp"
#include "operator/row_shape.hpp"
#include "record/batch_type.hpp"
#include "record/record_csv.hpp"

namespace millrace {

/// JSON lines in a file ("-": standard output), to exec(), connect_to() or listen_on(), or in
/// rolled() files.
struct LogSpec {
  static constexpr const char* kKind = "log";
  static constexpr const char* kExtension = ".jsonl";
  Endpoint to;
  bool append = false;
  std::optional<Rolling> rolling = {};  ///< `to` is a folder
  bool idempotency_key = false;         ///< see LogOutput
};
struct LogOutput {
  bool append = false;  ///< keeps what the file holds
  /// Each object has a last member "idempotency_key": its IdempotencyKey as a text, null where it
  /// is empty. Refused, with the reason, where no stable keys can be. Costs as each() with keys.
  bool idempotency_key = false;
};
inline LogSpec log(Endpoint to, bool append = false) { return {std::move(to), append}; }
inline LogSpec log(RolledFolder to) { return {std::move(to.folder), true, to.rolling}; }
inline LogSpec log(Endpoint to, const LogOutput& output) {
  return {std::move(to), output.append, {}, output.idempotency_key};
}
/// CSV, to where log() may write; its first line the names of the columns.
struct CsvSpec {
  static constexpr const char* kKind = "csv";
  static constexpr const char* kExtension = ".csv";
  Endpoint to;
  char separator = ',';
  char quote = '"';
  bool header = true;
  bool append = false;  ///< keeps what the file holds; the header is written only to an empty one
  std::optional<Rolling> rolling = {};  ///< `to` is a folder
};
struct CsvOutput {
  char separator = ',';
  char quote = '"';
  bool header = true;
  bool append = false;
};
/// Texts are quoted where they must be; times are ISO 8601; an empty optional is an empty cell; a
/// nested struct is JSON in one cell.
inline CsvSpec csv(Endpoint to, CsvOutput output = {}) {
  return {std::move(to), output.separator, output.quote, output.header, output.append, {}};
}
/// Each file with its header; files of earlier runs stay.
inline CsvSpec csv(RolledFolder to, CsvOutput output = {}) {
  return {std::move(to.folder), output.separator, output.quote, output.header, true, to.rolling};
}

inline LogSpec print() { return {"-", false}; }

/// A function called for every record, in one task: f(record), or f(record, IdempotencyKey), whose
/// key is the same when the record comes again after a crash. Where no stable keys can be, the
/// latter is refused with the reason. Keys cost 16 bytes a record on its way, and files are read by
/// one task.
template <class F>
struct EachSpec {
  F f;
};
template <class F>
EachSpec<F> each(F f) {
  return {std::move(f)};
}

namespace detail {

/// A sink that is text in a file.
template <class Spec>
concept TextEnd = std::is_same_v<Spec, LogSpec> || std::is_same_v<Spec, CsvSpec>;

/// The columns of an aggregate's key, 0 for other records.
template <class T>
struct KeyColumns {
  static std::size_t count() { return 0; }
};
template <class K, class V>
struct KeyColumns<Aggregate<K, V>> {
  static std::size_t count() { return Schema<K>::columns().size(); }
};
template <class K, class V>
struct KeyColumns<Ranked<K, V>> {
  static std::size_t count() { return Schema<K>::columns().size(); }
};
template <class K, class V>
struct KeyColumns<WindowUpdate<K, V>> {
  static std::size_t count() { return Schema<K>::columns().size(); }
};

inline std::string name_of(ViewKind kind) {
  static constexpr const char* kNames[] = {"",     "top",    "table", "alerts",
                                           "line", "number", "grid",  "map"};
  return kNames[static_cast<std::size_t>(kind)];
}

template <class T>
RowFacts row_facts(const RowNames& names) {
  if constexpr (requires { RowShape<T>::role(names); }) {
    const RowRole& role = RowShape<T>::role(names);
    return {role.ranked, role.windowed, role.keys};
  } else {
    constexpr bool kRanked = requires(const T& row) {
      row.rank;
      row.window_start;
    };
    return {kRanked, names.windowed, KeyColumns<T>::count()};
  }
}

/// How many columns at the front say which rows replace each other: of windows that emit more than
/// once the key's, else 0.
template <class T>
std::size_t replacing_columns(const RowNames& names) {
  if constexpr (requires(const T& row) { row.retracted; }) {
    return KeyColumns<T>::count();
  } else if constexpr (requires { RowShape<T>::role(names); }) {
    const RowRole& role = RowShape<T>::role(names);
    return role.updates ? role.keys : 0;
  } else {
    return 0;
  }
}
/// A row that takes one back which was sent before.
template <class T>
bool is_retracted(const T& row) {
  if constexpr (requires { row.retracted; }) {
    return row.retracted;
  } else if constexpr (requires { RowShape<T>::retracted(row); }) {
    return RowShape<T>::retracted(row);
  } else {
    return false;
  }
}

/// A table in which a row takes the place of the one that is equal in `row_keys`; as any other
/// rows where these are no columns.
inline void keep_one_row_each(const std::vector<std::string>& row_keys, ViewOptions& options) {
  const bool shown = std::all_of(row_keys.begin(), row_keys.end(), [&](const std::string& name) {
    return std::any_of(options.columns.begin(), options.columns.end(),
                       [&name](const ColumnReport& column) { return column.name == name; });
  });
  if (row_keys.empty() || !shown) return;
  if (options.kind.empty()) options.kind = "table";
  if (options.kind == "table") options.key_columns = row_keys;
}

template <class T>
std::shared_ptr<View> make_view(const ViewSpec& spec, const RowNames& names) {
  ViewOptions options;
  options.name = spec.name;
  options.kind = name_of(spec.settings.kind);
  options.rows_max = spec.settings.rows_max;
  options.x = spec.settings.x;
  options.y = spec.settings.y.all();
  options.series = spec.settings.series;
  options.measure = spec.settings.measure;
  options.unit = spec.settings.unit;
  options.keep = spec.settings.keep;
  options.areas = spec.settings.areas;
  for (const ColumnInfo& column : RowShape<T>::columns(names)) {
    options.columns.push_back({column.name, std::string(column_type_name(column.type))});
  }
  options.facts = row_facts<T>(names);
  for (std::size_t at = 0; at < replacing_columns<T>(names); ++at)
    options.key_columns.push_back(options.columns[at].name);
  keep_one_row_each(names.row_keys, options);
  return std::make_shared<View>(std::move(options));
}

/// Renders the records of a batch as rows of a view.
template <class T>
class ViewSink final : public Sink {
 public:
  explicit ViewSink(std::shared_ptr<View> shown) : view_(std::move(shown)) {}
  Status open(const EndContext& context) override {
    first_ = context.task == 0;
    return {};
  }
  Status write(const BatchBase& base) override {
    const auto& batch = static_cast<const Batch<T>&>(base);
    rows_.resize(batch.values.size());
    std::size_t shown = 0;
    for (std::size_t at = 0; at < batch.values.size(); ++at) {
      const auto& record = batch.values[at];
      if (is_retracted<T>(record)) continue;
      Row& row = rows_[shown++];
      row.cells.clear();
      append_cells(row.cells, record);
      const auto window = RowShape<T>::window(record);
      row.window_start = window ? std::optional(window->first) : std::nullopt;
      row.window_end = window ? std::optional(window->second) : std::nullopt;
    }
    view_->add(std::span(rows_).first(shown));
    return {};
  }
  /// What is shown comes back with the state; it is seen at once, so nothing is committed.
  Result<std::string> prepare(std::uint64_t) override {
    return first_ ? view_->image() : std::string();
  }
  Status recover(std::span<const std::string> prepared) override {
    for (auto newest = prepared.rbegin(); newest != prepared.rend(); ++newest) {
      if (!newest->empty() && view_->restore(*newest)) break;
    }
    return {};
  }

 private:
  bool first_ = true;  ///< of the tasks that fill the view
  std::shared_ptr<View> view_;
  std::vector<Row> rows_;
};

template <class T>
Node view_node(std::shared_ptr<View> shown, std::vector<NodeInput> inputs) {
  Node node = sink_node("view", "", std::move(inputs),
                        [shown] { return std::make_unique<ViewSink<T>>(shown); });
  node.name = shown->name();
  node.problem = shown->problem();
  return node;
}

/// Appends a row as a JSON object: its columns, and the window's bounds where it has one.
template <class T>
void append_row_json(std::string& out, const std::vector<ColumnInfo>& columns, const T& record) {
  std::size_t at = 0;
  RowShape<T>::visit_cells(record, [&](const auto& member) {
    out += at == 0 ? '{' : ',';
    append_json_string(out, columns[at++].name);
    out += ':';
    append_json_value(out, member);
  });
  if (const auto window = RowShape<T>::window(record)) {
    out += ",\"window_start\":";
    append_json_time(out, Timestamp{window->first});
    out += ",\"window_end\":";
    append_json_time(out, Timestamp{window->second});
  }
  out += '}';
}

/// Makes the key the last member of the object at the end of `out`.
inline void append_key_member(std::string& out, IdempotencyKey key) {
  out.pop_back();
  out += out.back() == '{' ? "\"idempotency_key\":" : ",\"idempotency_key\":";
  if (key.text.empty()) {
    out += "null";
  } else {
    append_json_string(out, key.text);
  }
  out += '}';
}

template <TextEnd Spec>
TextSinkOptions text_options(const Spec& spec) {
  TextSinkOptions options;
  options.path = spec.to.text;
  options.kind = spec.to.kind;
  options.append = spec.append;
  options.rolling = spec.rolling;
  options.extension = Spec::kExtension;
  return options;
}

template <class T>
std::unique_ptr<Sink> make_text_sink(const LogSpec& spec, const RowNames& names) {
  TextSinkOptions options = text_options(spec);
  if (spec.idempotency_key) options.keys = std::make_shared<IdempotencyKeys>();
  return std::make_unique<TextSink>(
      std::move(options), [columns = RowShape<T>::columns(names), keys = options.keys](
                              std::string& out, const BatchBase& batch, std::size_t index) {
        append_row_json(out, columns, static_cast<const Batch<T>&>(batch).values[index]);
        if (keys) append_key_member(out, keys->of(batch, index));
      });
}

/// Appends a row: its columns, and the window's bounds where the stream is windowed.
template <class T>
void append_row_csv(std::string& out, const CsvDialect& dialect, bool windowed, const T& record) {
  bool first = true;
  const auto append = [&](const auto& member) {
    if (!first) out += dialect.separator;
    first = false;
    append_csv_value(out, member, dialect);
  };
  RowShape<T>::visit_cells(record, append);
  if (!windowed) return;
  const auto window = RowShape<T>::window(record);
  append(window ? std::optional(Timestamp{window->first}) : std::nullopt);
  append(window ? std::optional(Timestamp{window->second}) : std::nullopt);
}

template <class T>
std::unique_ptr<Sink> make_text_sink(const CsvSpec& spec, const RowNames& names) {
  const CsvDialect dialect{spec.separator, spec.quote};
  TextSinkOptions options = text_options(spec);
  if (spec.header) {
    for (const ColumnInfo& column : RowShape<T>::columns(names)) {
      if (!options.header.empty()) options.header += dialect.separator;
      append_csv_text(options.header, column.name, dialect);
    }
    for (const char* bound : {"window_start", "window_end"}) {
      if (names.windowed) options.header.append(1, dialect.separator).append(bound);
    }
  }
  return std::make_unique<TextSink>(
      std::move(options), [dialect, windowed = names.windowed](
                              std::string& out, const BatchBase& batch, std::size_t index) {
        append_row_csv(out, dialect, windowed, static_cast<const Batch<T>&>(batch).values[index]);
      });
}

template <class T, TextEnd Spec>
Node text_node(const Spec& spec, std::vector<NodeInput> inputs, const RowNames& names) {
  // Several may write to one command or server, and only one to a file.
  const char* const before = spec.rolling                         ? "to files in "
                             : spec.to.kind == EndpointKind::file ? ""
                                                                  : "to ";
  Node node = sink_node(Spec::kKind, before + spec.to.text, std::move(inputs),
                        [spec, names] { return make_text_sink<T>(spec, names); });
  if constexpr (requires { spec.idempotency_key; }) node.breaks_ties = spec.idempotency_key;
  if (spec.rolling && (spec.rolling->bytes == 0 || spec.rolling->every <= Duration::zero())) {
    node.problem = {Code::parameter_invalid,
                    "rolled files have at least 1 byte and a time that is more than 0: give "
                    "rolled(FOLDER, {.bytes = 64 << 20, .every = 1h}), say"};
  }
  return node;
}

/// A function that is given the record alone.
template <class F, class T>
concept TakesRecord = std::is_invocable_v<F&, const T&>;

/// Calls a function of the user; a record for which it throws becomes a dead letter.
template <class T, class F>
class EachSink final : public Sink {
 public:
  explicit EachSink(F f) : f_(std::move(f)) {}
  Status open(const EndContext& context) override {
    dead_letters_ = context.dead_letters;
    if constexpr (!TakesRecord<F, T>) keys_.open(context);
    return {};
  }
  Status write(const BatchBase& base) override {
    const auto& batch = static_cast<const Batch<T>&>(base);
    const auto call = [&](std::size_t at) {
      if constexpr (TakesRecord<F, T>) {
        f_(batch.values[at]);
      } else {
        f_(batch.values[at], keys_.of(batch, at));
      }
    };
    guarded_loop(0, batch.values.size(), base, batch_type<T>(), *dead_letters_, call,
                 [](std::size_t) {});
    return {};
  }

 private:
  F f_;
  DeadLetters* dead_letters_ = nullptr;
  IdempotencyKeys keys_;  ///< where f_ takes them
};

}  // namespace detail
}  // namespace millrace
