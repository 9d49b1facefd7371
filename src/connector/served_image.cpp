// Rows by the key group of their key, behind a note of what they are.
#include "connector/served_image.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/hash.hpp"
#include "record/packed_values.hpp"

namespace millrace::detail {
namespace {

constexpr std::string_view kRowsPart = "rows";
constexpr std::string_view kFormPart = "form";
constexpr std::string_view kRowsShape = "key, packed values, time";

/// What the bytes of keys are: another one cannot be read.
std::string key_form(const ServedShape& shape) {
  std::string form;
  for (const KeyPart& part : shape.key) {
    if (!form.empty()) form += ", ";
    form += part.name + " " + std::string(describe(part.kind));
    if (part.kind == KeyPartKind::decimal) form += " of " + std::to_string(part.scale) + " places";
  }
  return shape.windowed ? form + ", window" : form;
}

/// Where each column of now lies among those that were stored; nullopt: it was not there.
using Columns = std::vector<std::optional<std::size_t>>;

struct KeptForm {
  std::string key;
  Time over_before = kTimeMin;
  std::vector<std::string> columns;
};

bool read_form(std::string_view bytes, KeptForm& form) {
  BytesCursor from(bytes);
  form.key = from.take(from.varint());
  form.over_before = from.number<Time>();
  form.columns.clear();
  for (std::uint64_t left = from.varint(); left > 0 && from.ok(); --left)
    form.columns.emplace_back(from.take(from.varint()));
  return from.ok() && from.rest().empty();
}

/// Empty: they are as they were.
Columns moved_columns(const KeptForm& stored, const std::vector<ColumnInfo>& columns) {
  Columns from;
  bool same = stored.columns.size() == columns.size();
  for (std::size_t at = 0; at < columns.size(); ++at) {
    const auto found = std::ranges::find(stored.columns, columns[at].name);
    from.emplace_back(static_cast<std::size_t>(found - stored.columns.begin()));
    if (found == stored.columns.end()) from.back().reset();
    same = same && from.back() == at;
  }
  return same ? Columns() : from;
}

/// The bytes of each stored value. False: they do not fit.
bool split_values(std::string_view values, std::size_t count, std::vector<std::string_view>& to) {
  BytesCursor from(values);
  to.clear();
  while (to.size() < count) {
    const std::string_view before = from.rest();
    (void)take_packed(from);
    if (!from.ok()) return false;
    to.push_back(before.substr(0, before.size() - from.rest().size()));
  }
  return from.rest().empty();
}

}  // namespace

ServedShard::Image::Image(ServedShard& shard) : shard_(shard) {
  ++shard_.images_;
  shard_.image_ = this;
}

void ServedShard::Image::add(std::string_view key, std::string_view values, Time time) {
  std::string& to = bytes_.of(key_group(hash_bytes(key.substr(0, shard_.cut(key)))));
  put_text(to, key);
  put_text(to, values);
  put_number(to, time);
}

std::size_t ServedShard::Image::advance(std::size_t slots) {
  auto at = shard_.rows_.upper_bound(written_to_);
  for (; slots > 0 && at != shard_.rows_.end(); --slots, ++at) {
    if (!shard_.is_over(at->first, at->second)) shard_.save_before_change(at);
    at->second.image = shard_.images_;
    written_to_ = at->first;
  }
  done_ = at == shard_.rows_.end();
  return slots;
}

void ServedShard::Image::give_pieces(StateWriter& writer) {
  bytes_.give_pieces(writer, kRowsPart, kRowsShape);
}
void ServedShard::Image::give(StateWriter& writer) { bytes_.give(writer, kRowsPart, kRowsShape); }

void ServedShard::save(StateWriter& writer) {
  std::string& form = writer.task_part(kFormPart);
  put_text(form, key_form(shape_));
  put_number(form, over_before_);
  put_varint(form, shape_.columns.size());
  for (const ColumnInfo& column : shape_.columns) put_text(form, column.name);
  writer.later(std::make_unique<Image>(*this));
}

void ServedShard::restore(StateReader& reader) {
  KeptForm form;
  reader.each(kFormPart, [&](const StatePart& part) {
    const Time before = form.over_before;
    if (!read_form(part.bytes, form)) return reader.refuse(part, "its bytes do not fit");
    form.over_before = std::max(form.over_before, before);
    if (form.key == key_form(shape_)) return;
    reader.refuse(part, "its rows were kept by the key (" + form.key + "), and are by (" +
                            key_form(shape_) + ") now: give the table another name to begin anew");
  });
  if (!reader.status().ok()) return;
  over_before_ = form.over_before;
  const Columns moved = moved_columns(form, shape_.columns);
  std::vector<std::string_view> values;
  reader.each_in_turn(kRowsPart, [&](const StatePart& part) {
    BytesCursor from(part.bytes);
    while (from.ok() && !from.rest().empty()) {
      const std::string key(from.take(from.varint()));
      std::string row(from.take(from.varint()));
      const Time time = from.number<Time>();
      const bool fits = from.ok() && split_values(row, form.columns.size(), values);
      if (!fits || key.size() < (shape_.windowed ? kWindowKeyBytes : 1)) {
        return reader.refuse(part, "its bytes do not fit");
      }
      if (!moved.empty()) {
        std::string now;
        for (const auto& column : moved)
          column ? void(now.append(values[*column])) : append_packed(now, std::optional<bool>());
        row = std::move(now);
      }
      put(key, row, time);
    }
  });
}

}  // namespace millrace::detail
