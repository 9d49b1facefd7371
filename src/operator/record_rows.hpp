// RecordRows<T>: described records as rows, at the seam between typed components and named ones.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/stateless.hpp"
#include "record/field_value.hpp"
#include "record/row_batch.hpp"

namespace millrace::detail {

/// The fields of rows made of T: its members under their names; an enum or an interval is text, a
/// list or a struct JSON.
template <class T>
RowSchemaPtr schema_of_records() {
  static const auto kSchema = std::make_shared<const RowSchema>(Schema<T>::columns());
  return kSchema;
}

/// Makes a row of each record. An unsigned number above the greatest int64 makes it a dead letter.
/// Cost: a copy of each member; texts that records own are copied, those they borrow are not.
template <Described T>
class RecordRows final : public Operator {
 public:
  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool, Outputs& outputs) override {
    const auto& in = static_cast<const Batch<T>&>(base);
    out_.clear();
    carry_marks(in, out_);
    out_.pin_all(in);
    out_.values.begin(schema_);
    arena_ = pool_.take(context().arenas);
    std::size_t before = 0;
    std::size_t cursor = 0;
    const auto one = [&](std::size_t at) {
      before = out_.values.size();
      put(in.values[at]);
      inherit_time(in, at, out_, before, out_.values.size(), cursor);
      inherit_arrival(in, at, out_, before, out_.values.size());
    };
    const std::size_t failed =
        guarded_loop(0, in.values.size(), in, batch_type<T>(), *context().dead_letters, one,
                     [&](std::size_t) { out_.values.truncate(before); });
    tally().processed += in.values.size() - failed;
    tally().dead_lettered += failed;
    if (arena_->used_bytes() > 0) out_.pin(arena_);
    arena_ = {};
    if (!out_.values.empty()) outputs.push(0, out_);
  }

 private:
  void put(const T& record) {
    std::size_t field = 0;
    Schema<T>::for_each(record, [&](std::string_view, const auto& member) {
      put_member(out_.values.column(field++), member);
    });
    out_.values.end_row();
  }
  template <class M>
  void put_member(Column& column, const M& member) {
    const std::size_t at = out_.values.size();
    if constexpr (kIsOptional<M>) {
      if (!member) return column.put_null(at);
      put_member(column, *member);
    } else if constexpr (std::is_same_v<M, bool>) {
      column.put_boolean(at, member);
    } else if constexpr (std::is_same_v<M, Timestamp>) {
      column.put_integer(at, member.micros);
    } else if constexpr (PlainInteger<M>) {
      if (!std::in_range<std::int64_t>(member)) {
        throw std::out_of_range(std::to_string(member) + " does not fit the 64 bits of a row");
      }
      column.put_integer(at, static_cast<std::int64_t>(member));
    } else if constexpr (std::is_floating_point_v<M>) {
      column.put_real(at, static_cast<double>(member));
    } else if constexpr (kIsDecimal<M>) {
      column.put_real(at, member.to_double());
    } else if constexpr (std::is_same_v<M, std::string_view>) {
      column.put_text(at, member);
    } else {
      column.put_text(at, arena_->intern(std::get<std::string>(value_of(member))));
    }
  }

  RowSchemaPtr schema_ = schema_of_records<T>();
  RowBatch out_;
  ArenaPool pool_{16u << 10};
  ArenaRef arena_;
};

}  // namespace millrace::detail
