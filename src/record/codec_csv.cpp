// Columns to members, and cells to values.
#include "record/codec_csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/check.hpp"
#include "base/text.hpp"
#include "record/bytes_text.hpp"
#include "record/cell_value.hpp"
#include "record/codec_json.hpp"
#include "record/value_words.hpp"

namespace millrace::detail {
namespace {

/// A member that may have a column.
struct Target {
  std::string name;
  ValuePlan plan;  // its offset is from the begin of the record
  std::size_t column = 0;
  std::unique_ptr<JsonReader> json;  // of a member that is a value of JSON in its cell
};

using Names = std::vector<std::string>;

/// The place of a member's name among the columns; names.size() when it has none.
std::size_t column_of(const std::string& member, const Names& names) {
  const auto exact = std::find(names.begin(), names.end(), member);
  if (exact != names.end()) return static_cast<std::size_t>(exact - names.begin());
  const auto alike = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
    return same_field_name(member, name);
  });
  return static_cast<std::size_t>(alike - names.begin());
}

/// The members of a struct with their columns. A nested struct is JSON in one cell where it has a
/// column of its name or is optional, and else its members, as "outer.inner".
void flatten(std::vector<Target>& out, const ValuePlan& plan, const std::string& outer,
             std::uint32_t offset, const Names& names, TimeUnit unit) {
  const std::string name = outer + std::string(plan.name);
  const std::size_t column = column_of(name, names);
  offset += plan.offset;
  const bool is_object = plan.kind == ValueKind::object;
  const bool is_json = is_object || plan.kind == ValueKind::list || plan.kind == ValueKind::map;
  if (is_object && (name.empty() || (plan.disengage == nullptr && column == names.size()))) {
    for (const ValuePlan& member : plan.object->members) {
      flatten(out, member, name.empty() ? name : name + ".", offset, names, unit);
    }
    return;
  }
  Target target{name, plan, column, nullptr};
  target.plan.offset = offset;
  if (is_json) target.json = std::make_unique<JsonReader>(target.plan, unit);
  out.push_back(std::move(target));
}

std::string_view without_quotes(const CsvRow& row, std::string_view cell) {
  return row.quoted(cell) ? CsvRow::inside(cell) : cell;
}

}  // namespace

struct CsvReader::Impl {
  Impl(const ValuePlan& plan, CsvDialect dialect, TimeUnit time_unit)
      : root(plan), unit(time_unit), row(dialect) {}

  Status bind(const std::vector<std::string>& names, std::string_view path);
  Status unbound(const Target& target, const std::vector<std::string>& names,
                 std::string_view path) const;
  Decoded failed(std::string reason);
  bool read_cell(Target& target, std::string_view cell, void* record, Arena& arena);
  bool read_text(const ValuePlan& plan, std::string_view cell, void* slot, Arena& arena) const;
  bool read_json(Target& target, std::string_view cell, void* record, Arena& arena);
  bool read_scalar(const Target& target, std::string_view text, void* slot);
  bool checked(const Target& target, std::string_view text, CellRead read);
  std::string_view unquoted(std::string_view cell, Arena& arena) const;

  ValuePlan root;
  TimeUnit unit;
  std::vector<Target> targets;  // in the order of their columns
  std::size_t cells_min = 0;    // of a row
  std::size_t cells_max = std::numeric_limits<std::size_t>::max();
  bool is_bound = false;
  CsvRow row;
  std::string sentence;
};

Status CsvReader::Impl::bind(const std::vector<std::string>& names, std::string_view path) {
  targets.clear();
  flatten(targets, root, "", 0, names, unit);
  for (const Target& target : targets) {
    if (target.column == names.size() && !target.plan.disengage)
      return unbound(target, names, path);
  }
  std::erase_if(targets, [&](const Target& target) { return target.column == names.size(); });
  std::sort(targets.begin(), targets.end(),
            [](const Target& a, const Target& b) { return a.column < b.column; });
  cells_min = cells_max = names.size();
  is_bound = true;
  return {};
}

Status CsvReader::Impl::unbound(const Target& target, const std::vector<std::string>& names,
                                std::string_view path) const {
  constexpr std::size_t kShownMax = 20;
  std::string shown;
  for (std::size_t at = 0; at < std::min(names.size(), kShownMax); ++at) {
    shown += fmt::format("{}\"{}\"", at == 0 ? "" : ", ", names[at]);
  }
  if (names.size() > kShownMax) shown += fmt::format(" and {} more", names.size() - kShownMax);
  const std::string nearest = nearest_word(target.name, names);
  const std::string guess = nearest.empty() ? "" : fmt::format("did you mean \"{}\"? ", nearest);
  return Status(
      Code::columns_mismatch,
      fmt::format("\"{}\" has no column \"{}\"; its header has {}; {}Rename the member in "
                  "fields(), make it a std::optional, or name the columns where there "
                  "is no header: {{.header = false, .columns = {{...}}}}",
                  path, target.name, shown, guess));
}

Decoded CsvReader::Impl::failed(std::string reason) {
  sentence = std::move(reason);
  return Decoded::failed;
}

/// What the quotes of a cell enclose, with doubled quotes as one.
std::string_view CsvReader::Impl::unquoted(std::string_view cell, Arena& arena) const {
  const std::string_view inside = CsvRow::inside(cell);
  const char quote = row.dialect().quote;
  if (std::memchr(inside.data(), quote, inside.size()) == nullptr) return inside;
  char* const begin = arena.allocate(inside.size());
  char* out = begin;
  for (std::size_t at = 0; at < inside.size(); ++at) {
    *out++ = inside[at];
    if (inside[at] == quote) ++at;
  }
  return {begin, static_cast<std::size_t>(out - begin)};
}

bool CsvReader::Impl::read_text(const ValuePlan& plan, std::string_view cell, void* slot,
                                Arena& arena) const {
  const std::string_view text = row.quoted(cell) ? unquoted(cell, arena) : cell;
  if (plan.kind == ValueKind::view) {
    *static_cast<std::string_view*>(slot) = text;
  } else {
    static_cast<std::string*>(slot)->assign(text);
  }
  return true;
}

bool CsvReader::Impl::read_json(Target& target, std::string_view cell, void* record, Arena& arena) {
  const std::string_view text = row.quoted(cell) ? unquoted(cell, arena) : cell;
  if (target.json->decode(text, record, arena, LineHome::arena) == Decoded::record) return true;
  constexpr std::string_view kField = "field \"";
  const std::string_view why = target.json->error();
  if (why.starts_with(kField)) {  // inside of what is in the cell
    const std::string_view inner = why.substr(kField.size());
    sentence = fmt::format("field \"{}{}{}", target.name, inner.front() == '[' ? "" : ".", inner);
  } else {
    sentence = fmt::format("field \"{}\": {}", target.name, why);
  }
  return false;
}

bool CsvReader::Impl::read_cell(Target& target, std::string_view cell, void* record, Arena& arena) {
  const ValuePlan& plan = target.plan;
  void* slot = static_cast<char*>(record) + plan.offset;
  if (plan.disengage) {
    if (cell.empty()) {
      plan.disengage(slot);
      return true;
    }
    if (!target.json) slot = plan.engage(slot);
  }
  if (target.json) return read_json(target, cell, record, arena);
  if (plan.kind == ValueKind::view || plan.kind == ValueKind::string) {
    return read_text(plan, cell, slot, arena);
  }
  if (plan.kind == ValueKind::bytes) {
    const std::string_view text = without_quotes(row, cell);
    const bool good = read_base64(text, arena, *static_cast<Bytes*>(slot));
    return checked(target, text, good ? CellRead::ok : CellRead::wrong);
  }
  return read_scalar(target, without_quotes(row, cell), slot);
}

bool CsvReader::Impl::read_scalar(const Target& target, std::string_view text, void* slot) {
  switch (target.plan.kind) {
    case ValueKind::f64:
      return checked(target, text, read_cell_real(text, *static_cast<double*>(slot)));
    case ValueKind::f32: {
      double value = 0;
      CellRead read = read_cell_real(text, value);
      const double size = value < 0 ? -value : value;
      if (size > std::numeric_limits<float>::max() && size <= std::numeric_limits<double>::max()) {
        read = CellRead::out_of_range;
      }
      if (read == CellRead::ok) *static_cast<float*>(slot) = static_cast<float>(value);
      return checked(target, text, read);
    }
    case ValueKind::boolean:
      return checked(target, text, read_cell_boolean(text, *static_cast<bool*>(slot)));
    case ValueKind::timestamp:
      return checked(target, text,
                     read_cell_time(text, unit, static_cast<Timestamp*>(slot)->micros));
    case ValueKind::interval:
    case ValueKind::letter:
    case ValueKind::decimal:
    case ValueKind::enumeration:
      return checked(target, text, read_cell_token(text, target.plan, slot));
    default:
      return checked(target, text, read_cell_integer(text, target.plan.kind, slot));
  }
}

bool CsvReader::Impl::checked(const Target& target, std::string_view text, CellRead read) {
  if (read == CellRead::ok) [[likely]]
    return true;
  const std::string found = text.empty() ? "an empty cell" : describe_text(text);
  if (read == CellRead::out_of_range) {
    sentence = fmt::format("field \"{}\": {} is out of range{}", target.name, found,
                           range_words(target.plan.kind));
  } else {
    sentence = fmt::format("field \"{}\": expected {}, found {}", target.name,
                           wanted_words(target.plan), found);
  }
  return false;
}

CsvReader::CsvReader(const ValuePlan& root, CsvDialect dialect, TimeUnit unit)
    : impl_(std::make_unique<Impl>(root, dialect, unit)) {}
CsvReader::CsvReader(CsvReader&&) noexcept = default;
CsvReader& CsvReader::operator=(CsvReader&&) noexcept = default;
CsvReader::~CsvReader() = default;

bool CsvReader::bound() const { return impl_->is_bound; }

Status CsvReader::bind_header(std::string_view line, std::string_view path) {
  if (const char* wrong = impl_->row.split(line)) {
    return Status(Code::columns_mismatch,
                  fmt::format("\"{}\" has a header that cannot be read: {}", path, wrong));
  }
  std::vector<std::string> names;
  Arena scratch(256);
  for (std::size_t at = 0; at < impl_->row.size(); ++at) {
    const std::string_view cell = impl_->row.raw(at);
    names.emplace_back(impl_->row.quoted(cell) ? impl_->unquoted(cell, scratch) : trimmed(cell));
  }
  return impl_->bind(names, path);
}

Status CsvReader::bind_names(const std::vector<std::string>& names, std::string_view path) {
  return impl_->bind(names, path);
}

void CsvReader::bind_in_order() {
  impl_->targets.clear();
  flatten(impl_->targets, impl_->root, "", 0, {}, impl_->unit);
  std::size_t column = 0;
  for (Target& target : impl_->targets) target.column = column++;
  impl_->cells_min = column;
  impl_->is_bound = true;
}

Decoded CsvReader::decode(std::string_view line, void* record, Arena& arena) {
  Impl& impl = *impl_;
  MR_CHECK(impl.is_bound, "the columns of a CSV input are bound before its rows are read");
  if (line.empty()) return Decoded::blank;
  if (const char* wrong = impl.row.split(line)) return impl.failed(wrong);
  if (!impl.row.is_ascii() && !valid_utf8(line)) return impl.failed("the text is not valid UTF-8");
  const std::size_t cells = impl.row.size();
  if (cells < impl.cells_min || cells > impl.cells_max) {
    return impl.failed(
        fmt::format("the row has {} cells, where {} are wanted; is the separator "
                    "right, and is a text with a separator in quotes?",
                    cells, impl.cells_min));
  }
  for (Target& target : impl.targets) {
    if (!impl.read_cell(target, impl.row.raw(target.column), record, arena)) [[unlikely]]
      return Decoded::failed;
  }
  return Decoded::record;
}

const std::string& CsvReader::error() const { return impl_->sentence; }

}  // namespace millrace::detail
