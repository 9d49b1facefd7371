// Reading a file of rows into a table by key.
#include "connector/file_lookup.hpp"

#include <chrono>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "connector/asked_command.hpp"
#include "connector/line_reader.hpp"
#include "connector/open_input.hpp"
#include "connector/row_sources.hpp"

namespace millrace::detail {
namespace {

template <class V>
V taken(Result<V> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return *std::move(result);
}

std::size_t bytes_of(const std::string& key, const RowValues& values) {
  std::size_t bytes = 96 + key.capacity() + values.capacity() * sizeof(Value);
  for (const Value& value : values) {
    if (const auto* const text = std::get_if<std::string>(&value)) bytes += text->capacity();
  }
  return bytes;
}

/// Calls use(row) for each row of the file. Throws for a line that is none.
template <class Format, class Use>
void each_row(Env& env, const std::string& path, const QuoteRule& quotes, Format format,
              Use&& use) {
  LineReaderOptions options;
  options.path = path;
  options.quotes = quotes;
  LineReader reader(taken(open_input(*env.files, path)), options, nullptr);
  std::vector<std::string_view> lines;
  bool first = true;
  for (Poll poll = Poll::ready; poll != Poll::ended;) {
    lines.clear();
    poll = taken(reader.read(lines, 1024));
    if (poll == Poll::idle) throw std::runtime_error(path + " is no file");
    const ArenaRef texts = ArenaRef::make(1u << 12);
    RowColumns rows;
    for (std::size_t at = 0; at < lines.size(); ++at) {
      if (std::exchange(first, false) && taken(format.header(lines[at], 0, true, path))) continue;
      if (format.append(lines[at], rows, *texts) != Decoded::failed) continue;
      throw std::runtime_error(
          fmt::format("{}:{}: {}", path, reader.first_line() + at, format.error()));
    }
    for (std::size_t at = 0; at < rows.size(); ++at) use(rows[at]);
  }
}

}  // namespace

void FileLookup::open(const OperatorContext& context) {
  env_ = context.env;
  log_ = context.log;
  if (context.user == nullptr) return;
  place_ = "component=";
  append_json_string(place_, context.user->component());
  place_ += fmt::format(" task={} ", context.task);
}

std::vector<std::optional<RowValues>> FileLookup::operator()(std::span<const std::string> keys) {
  read_when_due();
  std::vector<std::optional<RowValues>> found;
  found.reserve(keys.size());
  for (const std::string& key : keys) {
    const auto at = table_->find(key);
    found.push_back(at == table_->end() ? std::nullopt : std::optional(at->second));
  }
  return found;
}

void FileLookup::read_when_due() {
  const std::int64_t now_ns = env_->clock->steady_ns();
  const std::int64_t after_ns = std::chrono::nanoseconds(options_.reload).count();
  if (table_ && (after_ns == 0 || now_ns - read_ns_ < after_ns)) return;
  try {
    take_new(read());
  } catch (const std::runtime_error& error) {
    if (!table_) throw;
    keep_old(error.what());
  }
  read_ns_ = now_ns;
}

void FileLookup::take_new(Table table) {
  table_ = std::move(table);
  std::size_t bytes = 0;
  for (const auto& [key, values] : *table_) bytes += bytes_of(key, values);
  bytes_.store(bytes, std::memory_order_relaxed);
  if (std::exchange(failure_, {}).empty()) return;
  log_(LogLevel::info, "lookup-file-read-again",
       fmt::format("{}path={} rows={}", place_, options_.path, table_->size()));
}

void FileLookup::keep_old(const std::string& why) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  if (std::exchange(failure_, why) == why) return;
  log_(LogLevel::warn, "lookup-file-not-read-again",
       fmt::format(
           "{}path={} rows={} are kept as they were read before, and it is read again in {}; "
           "{}",
           place_, options_.path, table_->size(), format_duration(options_.reload), why));
}

FileLookup::Table FileLookup::read() const {
  const std::size_t keys = options_.key->fields().size();
  std::vector<std::size_t> fields(keys);
  std::iota(fields.begin(), fields.end(), std::size_t{0});
  RowAsJson key_of(*options_.key, fields);
  Table table;
  const auto add = [&](const RowRef& row) {
    for (const std::size_t field : fields) {
      if (row.is_null(field)) return;
    }
    RowValues values = values_of_row(row);
    values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(keys));
    table.insert_or_assign(key_of(row), std::move(values));
  };
  if (options_.is_csv) {
    const CsvFormatOptions format;
    each_row(*env_, options_.path, {format.dialect.quote, format.dialect.separator},
             RowCsvFormat(options_.schema, format), add);
  } else {
    each_row(*env_, options_.path, {}, RowJsonFormat(options_.schema), add);
  }
  return table;
}

}  // namespace millrace::detail
