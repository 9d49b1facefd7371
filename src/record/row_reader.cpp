// A record laid out by a schema that is known when the program runs.
#include "record/row_reader.hpp"

#include <cstring>
#include <new>
#include <optional>

namespace millrace::detail {
namespace {

constexpr std::size_t kSlotBytes = 24;

/// Calls use.template operator()<M>() with the type that holds a field's value.
template <class Use>
decltype(auto) with_type(ColumnType type, Use&& use) {
  switch (type) {
    case ColumnType::boolean:
      return use.template operator()<bool>();
    case ColumnType::real:
      return use.template operator()<double>();
    case ColumnType::text:
      return use.template operator()<std::string_view>();
    case ColumnType::timestamp:
      return use.template operator()<Timestamp>();
    default:
      return use.template operator()<std::int64_t>();
  }
}

template <class M>
void put(Column& column, std::size_t at, const M& value) {
  if constexpr (std::is_same_v<M, bool>) {
    column.put_boolean(at, value);
  } else if constexpr (std::is_same_v<M, double>) {
    column.put_real(at, value);
  } else if constexpr (std::is_same_v<M, std::string_view>) {
    column.put_text(at, value);
  } else if constexpr (std::is_same_v<M, Timestamp>) {
    column.put_integer(at, value.micros);
  } else {
    column.put_integer(at, value);
  }
}

template <class M>
const M& value_at(const std::byte* bytes) {
  return *std::launder(reinterpret_cast<const M*>(bytes));
}

}  // namespace

RowScratch::RowScratch(RowSchemaPtr schema)
    : schema_(std::move(schema)), object_(std::make_unique<ObjectPlan>()) {
  const auto& fields = schema_->fields();
  bytes_ = std::make_unique<std::byte[]>(fields.size() * kSlotBytes);
  for (std::size_t at = 0; at < fields.size(); ++at) {
    const auto offset = static_cast<std::uint32_t>(at * kSlotBytes);
    const bool optional = fields[at].optional;
    slots_.push_back({fields[at].type, optional, offset});
    if (!optional) object_->required |= std::uint64_t{1} << at;
    object_->members.push_back(with_type(fields[at].type, [&]<class M>() {
      static_assert(sizeof(std::optional<M>) <= kSlotBytes);
      return optional ? value_plan<std::optional<M>>(fields[at].name, offset)
                      : value_plan<M>(fields[at].name, offset);
    }));
  }
  reset();
}

ValuePlan RowScratch::plan() const {
  ValuePlan plan;
  plan.object = object_.get();
  return plan;
}

void RowScratch::reset() {
  for (const Slot& slot : slots_) {
    with_type(slot.type, [&]<class M>() {
      std::byte* const at = bytes_.get() + slot.offset;
      if (slot.optional) {
        new (at) std::optional<M>();
      } else {
        new (at) M();
      }
    });
  }
}

void RowScratch::append_to(RowColumns& rows) const {
  rows.begin(schema_);
  const std::size_t row = rows.size();
  for (std::size_t field = 0; field < slots_.size(); ++field) {
    const Slot& slot = slots_[field];
    const std::byte* const at = bytes_.get() + slot.offset;
    Column& column = rows.column(field);
    with_type(slot.type, [&]<class M>() {
      if (!slot.optional) return put(column, row, value_at<M>(at));
      const auto& value = value_at<std::optional<M>>(at);
      return value ? put(column, row, *value) : column.put_null(row);
    });
  }
  rows.end_row();
}

RowJsonFormat::RowJsonFormat(RowSchemaPtr schema, TimeUnit unit)
    : scratch_(std::move(schema)), reader_(scratch_.plan(), unit) {}

Decoded RowJsonFormat::append(std::string_view line, RowColumns& rows, Arena& texts) {
  const Decoded decoded = reader_.decode(line, scratch_.record(), texts, LineHome::arena);
  if (decoded == Decoded::record) scratch_.append_to(rows);
  return decoded;
}

}  // namespace millrace::detail
