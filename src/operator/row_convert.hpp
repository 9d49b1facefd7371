// Aggregates and alerts of rows as rows again, behind the operator that makes them.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "operator/held_rows.hpp"
#include "operator/keyed.hpp"
#include "operator/row_kernels.hpp"
#include "operator/spill_place.hpp"
#include "operator/stateless.hpp"
#include "operator/trend.hpp"
#include "record/row_batch.hpp"

namespace millrace::detail {

template <class Row>
inline constexpr bool kIsRanked = requires(const Row& row) { row.rank; };
template <class Row>
inline constexpr bool kIsAlert = requires(const Row& row) { row.raised; };
template <class Row>
inline constexpr bool kIsChange = requires(const Row& row) { row.takes_back(); };
template <class Row>
inline constexpr bool kIsUpdate = requires(const Row& row) { row.retracted; };

/// Of several values of rows the first, which is a number that adds up.
template <>
struct TrendNumber<RowValues> {
  static constexpr bool kIs = true;
  static double of(const RowValues& values) {
    if (const auto* whole = std::get_if<std::int64_t>(&values.front()))
      return static_cast<double>(*whole);
    const auto* real = std::get_if<double>(&values.front());
    return real != nullptr ? *real : 0;
  }
};

/// Appends a cell of the column's type; its text lies in `arena` from then on.
inline void put_cell(const Value& cell, Column& column, std::size_t at, Arena& arena) {
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) {
    if (column.type() == ColumnType::boolean) return column.put_boolean(at, *whole != 0);
    return column.put_integer(at, *whole);
  }
  if (const auto* flag = std::get_if<bool>(&cell)) return column.put_boolean(at, *flag);
  if (const auto* real = std::get_if<double>(&cell)) return column.put_real(at, *real);
  if (const auto* time = std::get_if<Timestamp>(&cell)) {
    return column.put_integer(at, time->micros);
  }
  if (const auto* text = std::get_if<std::string>(&cell)) {
    return column.put_text(at, arena.intern(*text));
  }
  column.put_null(at);
}

/// Gives `out`, whose rows are made of the records of `in` one by one, all that stands beside
/// these.
inline void carry_records(const BatchBase& in, BatchBase& out) {
  carry_marks(in, out);
  out.times = in.times;
  out.behind = in.behind;
  out.arrivals = in.arrivals;
  out.messages.append_all(in.messages);
  out.hashed_by = nullptr;
}

/// Turns a batch of Aggregate, WindowUpdate, Ranked, Alert or changes of an Aggregate into rows:
/// rank, time or sign, the key's fields, the values, firing and retracted, the window.
template <class In>
class RowMaker {
 public:
  /// `encoded`: the key is of KeyFields. `changes`: of rows with the sign of a change in front.
  RowMaker(RowSchemaPtr schema, bool encoded, RowSchemaPtr changes = nullptr)
      : schema_(std::move(schema)),
        emitted_(changes ? std::move(changes) : schema_),
        encoded_(encoded) {}

  /// What encoded keys are made of.
  void save_keys(StateWriter& writer) const {
    if (encoded_) save_key_fields(writer, *schema_);
  }
  /// Lets what is held be shown as the rows are.
  void show(HeldAggregates& held) const {
    held.show_as([schema = schema_, encoded = encoded_](HeldAggregate& one) {
      show_as_row(schema, encoded, one);
    });
  }

  void operator()(const Batch<In>& in, RowBatch& out, MemoryMeter* arenas) {
    out.clear();
    out.pin_all(in);
    out.values.begin(emitted_);
    arena_ = pool_.take(arenas);
    for (const In& row : in.values) {
      if constexpr (kIsChange<In>) {
        out.values.column(0).put_text(out.values.size(), row.sign());
        put(row.record, out.values, 1);
      } else {
        put(row, out.values, 0);
      }
    }
    if (arena_->used_bytes() > 0) out.pin(arena_);
    arena_ = {};
    carry_records(in, out);
  }

 private:
  template <class Row>
  void put(const Row& row, RowColumns& rows, std::size_t field) {
    const std::size_t at = rows.size();
    if constexpr (kIsRanked<Row>) rows.column(field++).put_integer(at, row.rank);
    if constexpr (kIsAlert<Row>) rows.column(field++).put_integer(at, row.time.micros);
    put_key(row.key, rows, field);
    field += schema_->role().keys;
    if constexpr (kIsAlert<Row>) {
      rows.column(field++).put_text(at, row.raised ? "raised" : "cleared");
      rows.column(field++).put_real(at, row.value);
      rows.column(field).put_real(at, row.limit);
    } else {
      put_value(row.value, rows, field);
      if constexpr (kIsUpdate<Row>) {
        rows.column(field++).put_text(at, enum_name(row.firing));
        rows.column(field++).put_boolean(at, row.retracted);
      }
      if (schema_->role().windowed) put_bounds(row, rows, field);
    }
    rows.end_row();
  }
  template <class Row>
  void put_bounds(const Row& row, RowColumns& rows, std::size_t field) {
    const std::size_t at = rows.size();
    if constexpr (requires { row.windowed(); }) {
      if (!row.windowed() && schema_->fields()[field].optional) {
        rows.column(field).put_null(at);
        rows.column(field + 1).put_null(at);
        return;
      }
    }
    rows.column(field).put_integer(at, row.window_start);
    rows.column(field + 1).put_integer(at, row.window_end);
  }
  template <class K>
  void put_key(const K& key, RowColumns& rows, std::size_t field) {
    if constexpr (std::is_same_v<K, std::string_view>) {
      if (encoded_) {
        put_key_fields(key, rows, field, schema_->role().keys, *arena_);
      } else {
        rows.column(field).put_text(rows.size(), key);
      }
    } else {
      rows.column(field).put_integer(rows.size(), key);
    }
  }
  template <class V>
  void put_value(const V& value, RowColumns& rows, std::size_t& field) {
    if constexpr (std::is_same_v<V, RowValues>) {
      for (const Value& one : value) put_cell(one, rows.column(field++), rows.size(), *arena_);
    } else if constexpr (std::is_same_v<V, Trend>) {
      for (const double one : {value.value, value.expected, value.score}) {
        rows.column(field++).put_real(rows.size(), one);
      }
    } else if constexpr (std::is_floating_point_v<V>) {
      rows.column(field++).put_real(rows.size(), value);
    } else {
      rows.column(field++).put_integer(rows.size(), value);
    }
  }
  RowSchemaPtr schema_;   ///< from the key on
  RowSchemaPtr emitted_;  ///< of the rows
  bool encoded_;
  ArenaPool pool_{16u << 10};
  ArenaRef arena_;
};

/// Hands results on as rows; what is pushed to other ports than the first as it is.
template <class In>
class RowOutputs final : public Outputs {
 public:
  explicit RowOutputs(RowMaker<In> maker) : maker_(std::move(maker)) {}
  RowOutputs& to(Outputs& out) {
    out_ = &out;
    return *this;
  }
  void push(std::uint32_t port, BatchBase& batch) override {
    if (port != 0) return out_->push(port, batch);
    maker_(static_cast<const Batch<In>&>(batch), rows_, arenas);
    out_->push(port, rows_);
  }
  bool has_readers(std::uint32_t port) const override { return out_->has_readers(port); }
  void advance_watermark(Time watermark) override { out_->advance_watermark(watermark); }
  const RowMaker<In>& maker() const { return maker_; }

  MemoryMeter* arenas = nullptr;

 private:
  RowMaker<In> maker_;
  RowBatch rows_;
  Outputs* out_ = nullptr;
};

/// An operator whose results leave it as rows; what other ports than the first give is as it is.
template <class In>
class EmitsRows final : public Operator, public HoldsAggregates, public Spills {
 public:
  EmitsRows(std::unique_ptr<Operator> inner, RowMaker<In> maker)
      : inner_(std::move(inner)), out_(std::move(maker)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    out_.arenas = context.arenas;
    inner_->open(context);
  }
  void process(BatchBase& batch, bool exclusive, Outputs& out) override {
    inner_->process(batch, exclusive, out_.to(out));
  }
  void process_input(std::uint32_t input, BatchBase& batch, bool exclusive, Outputs& out) override {
    inner_->process_input(input, batch, exclusive, out_.to(out));
  }
  void before_barrier(Outputs& out) override { inner_->before_barrier(out_.to(out)); }
  void save_state(StateWriter& writer) override {
    inner_->save_state(writer);
    out_.maker().save_keys(writer);
  }
  void restore_state(StateReader& reader) override { inner_->restore_state(reader); }
  void tick(Outputs& out) override { inner_->tick(out_.to(out)); }
  void close() override { inner_->close(); }
  void ended() override { inner_->ended(); }
  void advance(Time watermark, Outputs& out) override { inner_->advance(watermark, out_.to(out)); }
  Time forwarded(Time watermark) const override { return inner_->forwarded(watermark); }
  Anchoring anchoring() const override { return inner_->anchoring(); }
  Time newest_of(const BatchBase& batch) const override { return inner_->newest_of(batch); }
  Standing standing() const override { return inner_->standing(); }
  Waiting waiting() const override { return inner_->waiting(); }
  void release(std::int64_t now_ns, bool drain, Outputs& out) override {
    inner_->release(now_ns, drain, out_.to(out));
  }
  void add_held(std::unique_ptr<HeldAggregates>& held) override {
    if (auto* const its = dynamic_cast<HoldsAggregates*>(inner_.get())) its->add_held(held);
    if (held) out_.maker().show(*held);
  }
  std::int64_t take_moved_heap() override {
    auto* const its = dynamic_cast<HoldsAggregates*>(inner_.get());
    return its ? its->take_moved_heap() : 0;
  }
  void spill_to(const SpillPlace& place) override {
    if (auto* const its = dynamic_cast<Spills*>(inner_.get())) its->spill_to(place);
  }

 private:
  std::unique_ptr<Operator> inner_;
  RowOutputs<In> out_;
};

}  // namespace millrace::detail
