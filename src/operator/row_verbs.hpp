// Verbs that only rows have: choosing fields, and taking a text apart.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/stateless.hpp"
#include "record/row_batch.hpp"

namespace millrace::detail {

/// Keeps fields, in an order and under names of its own. Cost: a copy of each column a batch.
class RowSelect final : public Operator {
 public:
  RowSelect(std::vector<std::size_t> fields, RowSchemaPtr schema)
      : fields_(std::move(fields)), schema_(std::move(schema)) {}

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool, Outputs& outputs) override {
    const auto& in = static_cast<const RowBatch&>(base);
    out_.clear();
    carry_marks(in, out_);
    out_.values.begin(schema_);
    for (std::size_t at = 0; at < fields_.size(); ++at) {
      out_.values.column(at) = in.values.column(fields_[at]);
    }
    out_.values.set_rows(in.values.size());
    out_.times = in.times;
    out_.behind = in.behind;
    out_.arrivals = in.arrivals;
    out_.messages.append_all(in.messages);
    out_.pin_all(in);
    tally().processed += in.values.size();
    outputs.push(0, out_);
  }

 private:
  std::vector<std::size_t> fields_;
  RowSchemaPtr schema_;
  RowBatch out_;
};

/// A row for each word of a text that begins with a prefix: the other fields, and the word without
/// it in place of the text. Words stand between blanks. A null has none.
class RowTokens final : public Operator {
 public:
  RowTokens(std::size_t field, std::string prefix, RowSchemaPtr schema)
      : field_(field), prefix_(std::move(prefix)), schema_(std::move(schema)) {}

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool, Outputs& outputs) override {
    const auto& in = static_cast<const RowBatch&>(base);
    out_.clear();
    carry_marks(in, out_);
    out_.values.begin(schema_);
    std::size_t cursor = 0;
    for (std::size_t at = 0; at < in.values.size(); ++at) {
      const std::size_t before = out_.values.size();
      each_word(in.values.column(field_).text(at),
                [&](std::string_view word) { put(in.values, at, word); });
      if (in.is_plain()) continue;
      inherit_time(in, at, out_, before, out_.values.size(), cursor);
      inherit_arrival(in, at, out_, before, out_.values.size());
    }
    tally().processed += in.values.size();
    if (out_.values.empty()) return;
    out_.pin_all(in);
    outputs.push(0, out_);
  }

 private:
  template <class Use>
  void each_word(std::string_view text, Use&& use) const {
    if (!prefix_.empty()) return each_marked_word(text, use);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find(' ', at), text.size());
      if (end > at) use(text.substr(at, end - at));
      at = end + 1;
    }
  }
  /// Looks only at words in which the first byte of the prefix stands.
  template <class Use>
  void each_marked_word(std::string_view text, Use&& use) const {
    std::size_t at = text.find(prefix_.front());
    while (at != text.npos) {
      const std::size_t end = std::min(text.find(' ', at), text.size());
      const bool begins = at == 0 || text[at - 1] == ' ';
      const std::string_view word = text.substr(at, end - at);
      if (begins && word.size() > prefix_.size() && word.starts_with(prefix_)) {
        use(word.substr(prefix_.size()));
      }
      at = text.find(prefix_.front(), end);
    }
  }
  void put(const RowColumns& from, std::size_t at, std::string_view word) {
    RowColumns& rows = out_.values;
    const std::size_t fields = schema_->fields().size();
    for (std::size_t field = 0; field < fields; ++field) {
      if (field == field_) {
        rows.column(field).put_text(rows.size(), word);
      } else {
        rows.column(field).append_one(rows.size(), from.column(field), at);
      }
    }
    rows.end_row();
  }

  std::size_t field_;
  std::string prefix_;
  RowSchemaPtr schema_;
  RowBatch out_;
};

/// The number of the first condition that holds, of their count where none does: a kind to split
/// by.
template <class Condition>
struct FirstOf {
  std::vector<Condition> conditions;
  std::int64_t operator()(const RowRef& row) const {
    std::size_t at = 0;
    while (at < conditions.size() && !conditions[at](row)) ++at;
    return static_cast<std::int64_t>(at);
  }
};

}  // namespace millrace::detail
