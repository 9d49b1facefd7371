// Changes of a table by another key of its rows: those that stay where they are, and those that
// move.
#pragma once

#include <cstddef>
#include <functional>
#include <tuple>
#include <utility>

#include "operator/change.hpp"
#include "operator/stateless.hpp"

namespace millrace::detail {

/// Change `at` is the first half of an update of a row whose `parts` stay what they are. Both
/// halves stand behind each other in one batch, for they came of one record. Where a part throws:
/// no.
template <class T, class... Parts>
bool is_update_within(const Batch<Change<T>>& in, std::size_t at,
                      const std::tuple<Parts...>& parts) {
  if (in.values[at].kind != ChangeKind::update_before || at + 1 == in.values.size()) return false;
  const Change<T>& next = in.values[at + 1];
  if (next.kind != ChangeKind::update_after) return false;
  try {
    return std::apply(
        [&](const Parts&... part) {
          return ((std::invoke(part, in.values[at].record) == std::invoke(part, next.record)) &&
                  ...);
        },
        parts);
  } catch (...) {
    return false;  // each half is taken alone, and that which has no key fails by itself
  }
}

/// A key of the record that a change tells.
template <class Part>
struct ChangedPart {
  Part part;
  template <class T>
  decltype(auto) operator()(const Change<T>& change) const {
    return std::invoke(part, change.record);
  }
};

/// Tells updates that change the key as what they are where rows are kept by it: -D and +I.
/// Stateless.
template <class T, class... Parts>
class ChangeMoves final : public Operator {
 public:
  explicit ChangeMoves(std::tuple<Parts...> parts) : parts_(std::move(parts)) {}

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool, Outputs& outputs) override {
    auto& in = static_cast<Batch<Change<T>>&>(base);
    out_.clear();
    carry_marks(in, out_);
    out_.hashed_by = nullptr;
    std::size_t cursor = 0;
    for (std::size_t at = 0; at < in.values.size(); ++at) {
      out_.values.push_back({kind_of(in, at), in.values[at].record});
      inherit_time(in, at, out_, at, at + 1, cursor);
      inherit_arrival(in, at, out_, at, at + 1);
    }
    tally().processed += in.values.size();
    out_.pin_all(in);
    outputs.push(0, out_);
  }

 private:
  ChangeKind kind_of(const Batch<Change<T>>& in, std::size_t at) const {
    const ChangeKind kind = in.values[at].kind;
    if (kind == ChangeKind::update_before)
      return is_update_within(in, at, parts_) ? kind : ChangeKind::erase;
    if (kind == ChangeKind::update_after)
      return at > 0 && is_update_within(in, at - 1, parts_) ? kind : ChangeKind::insert;
    return kind;
  }

  std::tuple<Parts...> parts_;
  Batch<Change<T>> out_;
};

}  // namespace millrace::detail
