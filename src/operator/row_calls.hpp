// Calls for rows: what is found outside for a row, as fields behind its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "operator/call_operator.hpp"
#include "operator/lookup_operator.hpp"
#include "operator/row_convert.hpp"
#include "operator/stored_rows.hpp"

namespace millrace::detail {

/// A row, and the values that were found for it.
using FoundForRow = LookedUp<RowRef, RowValues>;
template <>
inline constexpr bool kPointsToRecords<FoundForRow> = true;

/// Makes rows of them: the fields of the row, and behind them what was found; null where nothing
/// was.
template <>
class RowMaker<FoundForRow> {
 public:
  explicit RowMaker(RowSchemaPtr schema) : schema_(std::move(schema)) {}

  void operator()(const Batch<FoundForRow>& in, RowBatch& out, MemoryMeter* arenas) {
    out.clear();
    out.pin_all(in);
    out.values.begin(schema_);
    const ArenaRef texts = pool_.take(arenas);
    for (const FoundForRow& found : in.values) put(found, out.values, *texts);
    if (texts->used_bytes() > 0) out.pin(texts);
    carry_records(in, out);
  }

 private:
  void put(const FoundForRow& found, RowColumns& rows, Arena& texts) const {
    const std::size_t at = rows.size();
    const std::size_t own = found.record.schema().fields().size();
    const std::size_t all = schema_->fields().size();
    for (std::size_t field = 0; field < own; ++field) {
      rows.column(field).append_one(at, found.record.rows().column(field), found.record.at());
    }
    for (std::size_t field = own; field < all; ++field) {
      put_cell(found.value ? (*found.value)[field - own] : Value(), rows.column(field), at, texts);
    }
    rows.end_row();
  }

  RowSchemaPtr schema_;
  ArenaPool pool_{16u << 10};
};

/// Fields of a row as a JSON object.
class RowAsJson {
 public:
  RowAsJson(const RowSchema& schema, std::vector<std::size_t> fields);
  std::string operator()(const RowRef& row);

 private:
  std::vector<std::size_t> fields_;
  RowSchemaPtr schema_;
  RowColumns row_;
};

/// The cells of a row.
RowValues values_of_row(const RowRef& row);

/// An operator that finds something for rows, whose results leave it as rows. Its function has
/// open(const OperatorContext&), and may have `std::size_t held_bytes() const` and `std::uint64_t
/// reload_failures() const`, for any thread.
template <class Calls>
class FindsForRows final : public Calls {
 public:
  template <class... Args>
  FindsForRows(RowSchemaPtr in, const RowSchemaPtr& out, Args... args)
      : Calls(std::move(args)...), in_(std::move(in)), out_(RowMaker<FoundForRow>(out)) {}

  void open(const OperatorContext& context) override {
    out_.arenas = context.arenas;
    this->functions_.front().open(context);
    if constexpr (kReloads) {
      if (context.user) reload_failures_ = &context.user->counter("lookup_reload_failures");
    }
    Calls::open(context);
  }
  void close() override {
    Calls::close();
    count(0);
  }
  void process(BatchBase& batch, bool exclusive, Outputs& outputs) override {
    Calls::process(batch, exclusive, out_.to(outputs));
    count_held();
  }
  void advance(Time watermark, Outputs& outputs) override {
    Calls::advance(watermark, out_.to(outputs));
  }
  void release(std::int64_t now_ns, bool drain, Outputs& outputs) override {
    Calls::release(now_ns, drain, out_.to(outputs));
    count_held();
  }
  void restore_state(StateReader& reader) override {
    bool fits = true;
    reader.each(CallLine<RowRef, FoundForRow>::kPart, [&](const StatePart& part) {
      if (part.shape == rows_shape(*in_)) return;
      fits = false;
      reader.refuse(part, other_shape(part.shape, rows_shape(*in_)).message());
    });
    if (fits) Calls::restore_state(reader);
  }

 private:
  static constexpr bool kReloads =
      requires(const FindsForRows& self) { self.functions_.front().reload_failures(); };

  void count_held() {
    if constexpr (kReloads) {
      if (reload_failures_) reload_failures_->set(this->functions_.front().reload_failures());
    }
    if constexpr (requires { this->functions_.front().held_bytes(); })
      count(this->functions_.front().held_bytes());
  }
  /// What its functions hold is counted when it is there: their thread may not ask for room.
  void count(std::size_t bytes) {
    MemoryMeter* const meter = this->context().state;
    if (meter == nullptr || bytes == counted_) return;
    if (bytes > counted_) meter->grow(bytes - counted_);
    if (bytes < counted_) meter->shrink(counted_ - bytes);
    counted_ = bytes;
  }

  RowSchemaPtr in_;
  RowOutputs<FoundForRow> out_;
  std::size_t counted_ = 0;
  Counter* reload_failures_ = nullptr;  ///< null: nobody is told
};

}  // namespace millrace::detail
