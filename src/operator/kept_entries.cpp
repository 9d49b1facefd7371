// The layouts of parts: by their names where operators share one, else as their shapes say.
#include "operator/kept_entries.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "operator/held_rows.hpp"
#include "operator/join_images.hpp"
#include "operator/kept_values.hpp"
#include "operator/kernels.hpp"
#include "operator/keyed_picks.hpp"
#include "operator/open_pane_list.hpp"
#include "operator/open_window_list.hpp"
#include "operator/processor_image.hpp"
#include "operator/stored_records.hpp"
#include "record/record_json.hpp"

namespace millrace::detail {
namespace {

using Take = std::function<void(const KeptEntry&)>;

/// Parts that say how far an operator has come, or what others are made of; as do all without a
/// shape.
constexpr std::array<std::string_view, 10> kProgress{
    ":progress", "begin",   ":begin",       "watermark",  "strategy",
    "now",       kFormPart, kKeyFieldsPart, ":broadcast", ":told"};
/// Parts of records with their places.
constexpr std::array<std::string_view, 6> kRecords{"held",   ":held",    "pending",
                                                   ":rules", ":records", ":waiting"};

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

/// The shape of a value that a kind says more of: "tumbling(1min){int64}", or with what was emitted
/// last, "tumbling(1min) of int64 {int64}".
struct OfKind {
  std::string_view kind;
  std::optional<StoredForm> last;
  StoredForm acc;
};

std::optional<OfKind> of_kind(std::string_view shape) {
  OfKind made;
  const std::size_t brace = shape.find('{');
  const std::size_t of = shape.find(" of ");
  if (brace == std::string_view::npos) return std::nullopt;
  if (of < brace) {
    made.kind = shape.substr(0, of);
    shape.remove_prefix(of + 4);
    made.last = take_form(shape);
    if (!made.last || !shape.starts_with(" {")) return std::nullopt;
    shape.remove_prefix(1);
  } else {
    made.kind = shape.substr(0, brace);
    shape.remove_prefix(brace);
  }
  if (shape.size() < 2 || !shape.ends_with('}')) return std::nullopt;
  std::optional<StoredForm> acc = read_form(shape.substr(1, shape.size() - 2));
  if (!acc) return std::nullopt;
  made.acc = *std::move(acc);
  return made;
}

/// A row as JSON; false where the bytes do not fit.
bool append_row(std::string& out, BytesCursor& in, const RowSchemaPtr& schema) {
  RowColumns columns;
  columns.begin(schema);
  if (!load_row(in, columns)) return false;
  append_row_json(out, columns[0]);
  return true;
}

/// The record that a text holds, as `form_part` says; false where it holds none.
bool append_held_record(const StatePart& form_part, std::string& out, std::string_view text) {
  BytesCursor record(text);
  BytesCursor schema(form_part.bytes);
  std::string told;
  if (const RowSchemaPtr rows = form_part.bytes.empty() ? nullptr : load_rows_schema(schema)) {
    if (!append_row(told, record, rows)) return false;
  } else {
    const std::optional<StoredForm> form = read_form(form_part.shape);
    if (!form || !append_kept_value(told, *form, record)) return false;
  }
  if (!record.ok() || !record.rest().empty()) return false;
  out += told;
  return true;
}

/// Parts that others are told with; any may be null.
struct PartsBeside {
  const StatePart* form;  ///< of records that are held as texts
  const StatePart* keys;  ///< of keys that are held as texts
  const StatePart* open_panes;
  const StatePart* open_windows;
};

/// Reads the entries of one part. Each method that tells reads up to the end of the bytes and is
/// false where they do not fit; entries that were told before stay.
class PartReader {
 protected:
  PartReader(const StatePart& part, const PartsBeside& beside, const Take& take)
      : part_(part), beside_(beside), take_(take), in_(part.bytes) {
    entry_.state = part.name;
    if (beside.keys) {
      BytesCursor schema(beside.keys->bytes);
      key_fields_ = load_rows_schema(schema);
    }
    if (!beside.form) return;
    held_records_ = [form = beside.form](std::string& out, std::string_view text) {
      return append_held_record(*form, out, text);
    };
  }

  bool more() const { return in_.ok() && !in_.rest().empty(); }
  bool done() const { return in_.ok() && in_.rest().empty(); }
  void emit() {
    take_(entry_);
    entry_.value.clear();
  }
  bool key() {
    entry_.key.clear();
    if (key_fields_ && key_.scalar == ValueKind::string) {
      const std::string_view encoded = in_.take(in_.varint());
      return in_.ok() && append_key_fields(entry_.key, *key_fields_, encoded);
    }
    return append_kept_value(entry_.key, key_, in_);
  }
  bool value(const StoredForm& form) {
    return append_kept_value(entry_.value, form, in_, &held_records_);
  }

  /// Keys, each with what `read` reads into the value.
  template <class Read>
  bool entries(Read&& read) {
    while (more()) {
      if (!key() || !read()) return false;
      emit();
    }
    return done();
  }

  const StatePart& part_;
  const PartsBeside& beside_;
  const Take& take_;
  BytesCursor in_;
  KeptEntry entry_;
  StoredForm key_;

 private:
  HeldRecords held_records_;  ///< none: texts are texts
  RowSchemaPtr key_fields_;   ///< null: keys are as their form says
};

/// The parts that operators of windows share.
class WindowParts : protected PartReader {
 protected:
  using PartReader::PartReader;

  bool panes(const OfKind& kind) {
    if (!beside_.open_panes) return panes_in_runs(kind);
    const auto listed = read_open_panes(BytesCursor(beside_.open_panes->bytes));
    if (!listed) return false;
    std::unordered_map<std::uint64_t, Time> starts;
    for (const auto& pane : listed->panes) starts.emplace(pane.number, pane.key.start);
    return numbered(starts, entry_.start, [&] { return value(kind.acc); });
  }
  bool windows(const OfKind& kind) {
    if (!beside_.open_windows) return windows_in_runs(kind);
    const auto listed = read_open_windows(BytesCursor(beside_.open_windows->bytes));
    if (!listed) return false;
    std::unordered_map<std::uint64_t, Time> ends;
    for (const OpenWindowEntry& window : *listed) ends.emplace(window.number, window.end);
    return numbered(ends, entry_.end, [&] { return value(kind.acc) && fired(kind); });
  }
  /// As earlier versions wrote them.
  bool panes_in_runs(const OfKind& kind) {
    (void)in_.number<Time>();  // the end of the last window that fired
    while (more()) {
      entry_.start = in_.number<Time>();
      (void)in_.number<Time>();  // the first window that reads it
      if (!cells([&] { return value(kind.acc); })) return false;
    }
    return done();
  }
  bool windows_in_runs(const OfKind& kind) {
    while (more()) {
      entry_.end = in_.number<Time>();
      (void)in_.number<Time>();  // when it next fires
      if (!cells([&] { return value(kind.acc) && fired(kind); })) return false;
    }
    return done();
  }
  template <class Read>
  bool cells(Read&& read) {
    for (std::uint64_t left = in_.varint(); in_.ok() && left > 0; --left) {
      if (!key() || !read()) return false;
      emit();
    }
    return in_.ok();
  }
  /// What is noted of the rows that left: not told.
  bool fired(const OfKind& kind) {
    (void)in_.number<std::uint32_t>();  // records since the last one
    (void)in_.number<std::uint32_t>();  // how many left
    (void)in_.number<Time>();           // with which time the last one left
    std::string unused;
    return in_.ok() && (!kind.last || append_kept_value(unused, *kind.last, in_));
  }
  bool fired_session(const OfKind& kind) {
    (void)in_.number<std::uint32_t>();
    (void)in_.number<std::uint32_t>();
    (void)in_.number<std::uint8_t>();  // the watermark has passed it
    if (!kind.last) return in_.ok();
    std::string unused;
    for (std::uint64_t left = in_.varint(); in_.ok() && left > 0; --left) {
      for (int bound = 0; bound < 2; ++bound) (void)in_.number<Time>();
      if (!append_kept_value(unused, *kind.last, in_)) return false;
    }
    return in_.ok();
  }
  bool late(const OfKind& kind) {
    const bool reaches = kind.kind.starts_with("sessions");
    return entries([&] {
      (void)in_.number<Time>();  // the watermark that it came behind
      Stamp stamp;
      if (!load_value(in_, stamp)) return false;
      entry_.start = entry_.end = stamp.time;
      if (reaches) (void)in_.number<Time>();
      return value(kind.acc);
    });
  }
  bool sessions(const OfKind& kind) {
    const bool refires = kind.kind != "sessions";
    while (more()) {
      if (!key()) return false;
      if (refires) (void)in_.number<Time>();  // the next early row
      (void)in_.number<Time>();               // when next to look
      for (std::uint64_t left = in_.varint(); in_.ok() && left > 0; --left) {
        entry_.start = in_.number<Time>();
        entry_.end = in_.number<Time>();
        if (!in_.ok() || !value(kind.acc) || (refires && !fired_session(kind))) return false;
        emit();
      }
    }
    return done();
  }

 private:
  /// Entries behind the number of what holds them, whose time goes to `time`; of others nothing is
  /// told.
  template <class Read>
  bool numbered(const std::unordered_map<std::uint64_t, Time>& times, Time& time, Read&& read) {
    while (more()) {
      const auto its = times.find(in_.varint());
      if (!key() || !read()) return false;
      if (its != times.end()) {
        time = its->second;
        emit();
      }
      entry_.value.clear();
    }
    return done();
  }
};

/// The part of windows by records.
class RecordWindowParts : protected WindowParts {
 protected:
  using WindowParts::WindowParts;

  bool record_windows(const OfKind& kind) {
    const bool counts = kind.kind.starts_with("count_window");
    const std::string_view amount =
        kind.kind.substr(std::min(kind.kind.find('('), kind.kind.size()));
    const bool span = !counts && amount.find_first_not_of("(0123456789)") != std::string_view::npos;
    return entries([&] {
      (void)in_.number<Time>();  // when next to look
      if (!stacks(kind.acc)) return false;
      if (span) (void)in_.number<Time>();
      if (counts && !open_pane(kind.acc)) return false;
      const std::uint64_t waiting = in_.varint();
      std::string unused;
      for (std::uint64_t left = waiting; in_.ok() && left > 0; --left) {
        Stamp stamp;
        if (!load_value(in_, stamp) || !append_kept_value(unused, kind.acc, in_)) return false;
      }
      entry_.value += ",\"waiting\":" + std::to_string(waiting) + "}";
      return in_.ok();
    });
  }
  /// Of both stacks how many there are, and what the newer hold together; see TwoStacks.
  bool stacks(const StoredForm& acc) {
    std::string newer;
    std::uint64_t count = 0;
    bool has_newer = false;
    for (const bool back : {false, true}) {
      const std::uint64_t size = in_.varint();
      count += size;
      has_newer = back && size > 0;
      for (std::uint64_t left = size; in_.ok() && left > 0; --left) {
        std::string one;
        (void)in_.number<Time>();
        if (!append_kept_value(one, acc, in_)) return false;
        if (!back && left == 1) older_ = std::move(one);
      }
    }
    if (has_newer && !append_kept_value(newer, acc, in_)) return false;
    entry_.value = "{\"count\":" + std::to_string(count);
    if (!older_.empty()) entry_.value += ",\"older\":" + std::exchange(older_, {});
    if (has_newer) entry_.value += ",\"newer\":" + newer;
    return in_.ok();
  }
  bool open_pane(const StoredForm& acc) {
    (void)in_.number<Time>();
    (void)in_.number<std::uint64_t>();
    if (in_.number<std::uint8_t>() == 0) return in_.ok();
    entry_.value += ",\"open\":";
    return in_.ok() && value(acc);
  }

 private:
  std::string older_;
};

/// Tells one part.
class PartTeller : RecordWindowParts {
 public:
  PartTeller(const StatePart& part, const PartsBeside& beside, const Take& take)
      : RecordWindowParts(part, beside, take) {}

  bool tell() {
    if (is_one_of(part_.name, kRecords)) return records(part_.shape, Heads::none);
    const bool of_join = is_one_of(part_.name, kJoinParts) || is_one_of(part_.name, kTurnParts);
    std::string_view shape = part_.shape;
    if (of_join && shape.find(kOfKept) == std::string_view::npos)
      return records(shape, Heads::marks);
    if (!shape.starts_with("{key:")) return values();
    shape.remove_prefix(5);
    std::optional<StoredForm> key = take_form(shape);
    constexpr std::string_view kValue = ",value:";
    if (!key || !shape.starts_with(kValue) || !shape.ends_with('}')) return false;
    key_ = *std::move(key);
    shape = shape.substr(kValue.size(), shape.size() - kValue.size() - 1);
    return of_join ? records(inner_shape(kKeptKind, shape), Heads::keys) : of_keys(shape);
  }

 private:
  /// What stands before records: what a join has noted of them, or the key and their number, too.
  enum class Heads : std::uint8_t { none, marks, keys };
  static constexpr std::string_view kOfKept = ",value:kept{";

  bool of_keys(std::string_view shape) {
    if (const std::string_view content = inner_shape(kTouched, shape); !content.empty())
      return states(content);
    if (const std::optional<StoredForm> form = read_form(shape); form && !has_layout()) {
      return entries([&] { return value(*form); });
    }
    const std::optional<OfKind> kind = of_kind(shape);
    if (!kind) return false;
    if (part_.name == "panes" || part_.name == kPanesOnDisk) return panes(*kind);
    if (part_.name == "windows") return windows(*kind);
    if (part_.name == "late") return late(*kind);
    if (part_.name == "sessions") return sessions(*kind);
    if (part_.name == "records") return record_windows(*kind);
    return false;
  }
  bool has_layout() const {
    constexpr std::array<std::string_view, 6> kLayouts{"panes", kPanesOnDisk, "windows",
                                                       "late",  "sessions",   "records"};
    return is_one_of(part_.name, kLayouts);
  }

  bool states(std::string_view content) {
    const std::optional<StoredForm> form = read_form(content);
    const auto by = in_.number<TouchedBy>();
    if (!form || !in_.ok()) return false;
    return entries([&] {
      if (by != TouchedBy::none) (void)in_.number<Time>();
      return in_.ok() && value(*form);
    });
  }
  /// Values one behind the other: of no key.
  bool values() {
    if (part_.name == "windows") return ranked();
    const std::optional<StoredForm> form = read_form(part_.shape);
    if (!form) return false;
    while (more()) {
      if (!value(*form)) return false;
      emit();
    }
    return done();
  }
  /// The best rows of each window.
  bool ranked() {
    const std::optional<StoredForm> form = read_form(part_.shape);
    while (form && more()) {
      entry_.end = in_.number<Time>();
      entry_.start = in_.number<Time>();
      if (!in_.ok() || !value(*form)) return false;
      emit();
    }
    return form && done();
  }

  /// Records with their times: rows carry their fields along.
  bool records(std::string_view shape, Heads heads) {
    BytesCursor schema_bytes(part_.bytes);
    const RowSchemaPtr schema = load_rows_schema(schema_bytes);
    const bool rows = schema && schema_bytes.ok() && rows_shape(*schema) == shape;
    const std::optional<StoredForm> form = rows ? std::nullopt : read_form(shape);
    if (rows) in_ = schema_bytes;
    if (!rows && !form) return false;
    std::uint64_t of_key = 0;  // records of the key at hand
    while (more()) {
      Batch<std::int64_t> place;
      if (heads == Heads::keys && of_key == 0) {
        if (!key()) return false;
        of_key = in_.varint();
      }
      if (heads == Heads::keys && of_key-- == 0) return false;
      if (heads != Heads::none) (void)in_.number<JoinMark>();
      if (!load_place(in_, place)) return false;
      entry_.end = place.times.empty() ? kTimeMin : place.times.front();
      if (rows ? !append_row(entry_.value, in_, schema) : !value(*form)) return false;
      emit();
    }
    return done() && of_key == 0;
  }
};

}  // namespace

void tell_parts(std::span<const StatePart> parts, const Take& take) {
  const auto part_of = [parts](std::string_view name) {
    const auto found = std::ranges::find(parts, name, &StatePart::name);
    return found == parts.end() ? nullptr : &*found;
  };
  const PartsBeside beside{part_of(kFormPart), part_of(kKeyFieldsPart), part_of(kOpenPanes),
                           part_of(kOpenWindows)};
  for (const StatePart& part : parts) {
    if (part.shape.empty() || is_one_of(part.name, kProgress)) continue;
    if (PartTeller(part, beside, take).tell()) continue;
    KeptEntry untold;
    untold.state = part.name;
    untold.value = "{\"shape\":";
    append_json_string(untold.value, part.shape);
    untold.value += ",\"bytes\":" + std::to_string(part.bytes.size()) + "}";
    take(untold);
  }
}

}  // namespace millrace::detail
