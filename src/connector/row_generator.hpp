// RowGenerator: rows made of their index alone, field by field.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/hash.hpp"
#include "record/row_batch.hpp"

namespace millrace::detail {

/// How the value of a field follows from the row's index.
struct IndexField {};
/// index modulo `values`.
struct ModuloField {
  std::uint64_t values;
};
/// `start` + index * `step`, in microseconds.
struct SteadyTimes {
  Time start;
  std::int64_t step;
};
/// A whole number from `least` to `most`, both included, by a hash of index and seed.
struct RandomNumber {
  std::int64_t least;
  std::int64_t most;
};
/// A real from `least` up to `most`.
struct RandomReal {
  double least;
  double most;
};
/// One of the texts: by a hash, or in turn.
struct OneOfTexts {
  std::vector<std::string> texts;
  bool in_turn;
};
using FieldRule =
    std::variant<IndexField, ModuloField, SteadyTimes, RandomNumber, RandomReal, OneOfTexts>;

/// A pure function of the index: the rows are the same on every machine and for every number of
/// tasks. Texts are borrowed from the rules.
class RowGenerator {
 public:
  /// Calls with 0 to count - 1 give a row each.
  RowGenerator(RowSchemaPtr schema, std::shared_ptr<const std::vector<FieldRule>> rules,
               std::uint64_t seed)
      : schema_(std::move(schema)), rules_(std::move(rules)), seed_(seed) {}

  void append(std::uint64_t index, RowColumns& rows) const {
    if (rows.empty()) rows.begin(schema_);
    for (std::size_t field = 0; field < rules_->size(); ++field) {
      Column& column = rows.column(field);
      const std::uint64_t chance = hash_integer(hash_combine(seed_ + field, hash_integer(index)));
      std::visit([&](const auto& rule) { put(rule, index, chance, rows.size(), column); },
                 (*rules_)[field]);
    }
    rows.end_row();
  }

 private:
  static void put(const IndexField&, std::uint64_t index, std::uint64_t, std::size_t at,
                  Column& column) {
    column.put_integer(at, static_cast<std::int64_t>(index));
  }
  static void put(const ModuloField& rule, std::uint64_t index, std::uint64_t, std::size_t at,
                  Column& column) {
    column.put_integer(at, static_cast<std::int64_t>(index % rule.values));
  }
  static void put(const SteadyTimes& rule, std::uint64_t index, std::uint64_t, std::size_t at,
                  Column& column) {
    std::int64_t passed = 0;
    if (__builtin_mul_overflow(static_cast<std::int64_t>(index), rule.step, &passed)) {
      passed = kTimeMax;
    }
    column.put_integer(at, saturating_add(rule.start, passed));
  }
  static void put(const RandomNumber& rule, std::uint64_t, std::uint64_t chance, std::size_t at,
                  Column& column) {
    const std::uint64_t values =
        static_cast<std::uint64_t>(rule.most) - static_cast<std::uint64_t>(rule.least) + 1;
    const std::uint64_t drawn = values == 0 ? chance : chance % values;  // 0: all there are
    column.put_integer(at,
                       static_cast<std::int64_t>(static_cast<std::uint64_t>(rule.least) + drawn));
  }
  static void put(const RandomReal& rule, std::uint64_t, std::uint64_t chance, std::size_t at,
                  Column& column) {
    const double share = static_cast<double>(chance >> 11) * 0x1p-53;
    column.put_real(at, rule.least + share * (rule.most - rule.least));
  }
  static void put(const OneOfTexts& rule, std::uint64_t index, std::uint64_t chance, std::size_t at,
                  Column& column) {
    column.put_text(at, rule.texts[(rule.in_turn ? index : chance >> 32) % rule.texts.size()]);
  }

  RowSchemaPtr schema_;
  std::shared_ptr<const std::vector<FieldRule>> rules_;
  std::uint64_t seed_;
};

}  // namespace millrace::detail
