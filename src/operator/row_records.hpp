// RowRecords<T>: rows as described records, at the seam between named components and typed ones.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "operator/stateless.hpp"
#include "record/row_batch.hpp"

namespace millrace::detail {

/// The field that each member of T is taken from; none: it stays as it is made.
using MemberFields = std::vector<std::optional<std::size_t>>;

/// What a member of type M may be taken from: nullopt where rows have nothing like it.
template <class M>
constexpr std::optional<ColumnType> column_of() {
  if constexpr (kIsOptional<M>) {
    return column_of<typename M::value_type>();
  } else if constexpr (std::is_same_v<M, bool>) {
    return ColumnType::boolean;
  } else if constexpr (std::is_same_v<M, Timestamp>) {
    return ColumnType::timestamp;
  } else if constexpr (PlainInteger<M>) {
    return ColumnType::integer;
  } else if constexpr (std::is_floating_point_v<M>) {
    return ColumnType::real;
  } else if constexpr (TextValue<M>) {
    return ColumnType::text;
  } else {
    return std::nullopt;
  }
}

/// Members by their names among the fields of `schema`; else what does not fit, in a sentence. A
/// whole number fits a member that is a double; a list one that is a text, as JSON; a field that
/// may be null one that is optional.
template <Described T>
std::variant<MemberFields, std::string> bind_members(const RowSchema& schema) {
  MemberFields fields;
  std::string wrong;
  const T example{};
  Schema<T>::for_each(example, [&](std::string_view name, const auto& member) {
    using M = std::decay_t<decltype(member)>;
    const auto field = schema.find(name);
    fields.push_back(field);
    if (!wrong.empty() || (!field && kIsOptional<M>)) return;
    if (!field) {
      wrong = fmt::format("it needs the field \"{}\"", name);
      return;
    }
    const ColumnInfo& info = schema.fields()[*field];
    const auto wanted = column_of<M>();
    const bool widens = wanted == ColumnType::real && info.type == ColumnType::integer;
    const bool as_json = wanted == ColumnType::text && info.type == ColumnType::object;
    if (!wanted || (info.type != *wanted && !widens && !as_json)) {
      wrong = fmt::format("its field \"{}\" is no {}", name, column_type_name(info.type));
    } else if (info.optional && !kIsOptional<M>) {
      wrong = fmt::format("its field \"{}\" is never null: filter out the rows where it is", name);
    }
  });
  if (!wrong.empty()) return wrong;
  return fields;
}

/// Makes a record of each row. A number that does not fit its member makes the row a dead letter.
template <Described T>
class RowRecords final : public Operator {
 public:
  explicit RowRecords(MemberFields fields) : fields_(std::move(fields)) {}

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool, Outputs& outputs) override {
    const auto& in = static_cast<const RowBatch&>(base);
    out_.clear();
    carry_marks(in, out_);
    out_.pin_all(in);
    std::size_t before = 0;
    std::size_t cursor = 0;
    const auto one = [&](std::size_t at) {
      before = out_.values.size();
      out_.values.push_back(record_of(in.values[at]));
      inherit_time(in, at, out_, before, out_.values.size(), cursor);
      inherit_arrival(in, at, out_, before, out_.values.size());
    };
    const std::size_t failed =
        guarded_loop(0, in.values.size(), in, batch_type<RowRef>(), *context().dead_letters, one,
                     [&](std::size_t) { truncate(out_.values, before); });
    tally().processed += in.values.size() - failed;
    tally().dead_lettered += failed;
    if (!out_.values.empty()) outputs.push(0, out_);
  }

 private:
  T record_of(const RowRef& row) const {
    T record{};
    std::size_t member_number = 0;
    Schema<T>::for_each(record, [&](std::string_view, auto& member) {
      const auto& field = fields_[member_number++];
      if (field && !row.is_null(*field)) take(row, *field, member);
    });
    return record;
  }
  template <class M>
  static void take(const RowRef& row, std::size_t field, M& member) {
    if constexpr (kIsOptional<M>) {
      take(row, field, member.emplace());
    } else if constexpr (std::is_same_v<M, bool>) {
      member = row.boolean(field);
    } else if constexpr (std::is_same_v<M, Timestamp>) {
      member = row.time(field);
    } else if constexpr (PlainInteger<M>) {
      if (!std::in_range<M>(row.integer(field))) {
        throw std::out_of_range(fmt::format("{} does not fit the member for \"{}\"",
                                            row.integer(field), row.schema().fields()[field].name));
      }
      member = static_cast<M>(row.integer(field));
    } else if constexpr (std::is_floating_point_v<M>) {
      const bool whole = row.schema().fields()[field].type == ColumnType::integer;
      member = static_cast<M>(whole ? static_cast<double>(row.integer(field)) : row.real(field));
    } else if constexpr (TextValue<M>) {
      member = M(row.text(field));
    }
  }

  MemberFields fields_;
  Batch<T> out_;
};

}  // namespace millrace::detail
