// TooLate: the records of a batch that came too late for all their windows, which leave on a port
// of their own.
#pragma once

#include <cstdint>
#include <vector>

#include "operator/operator.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {

/// One thread.
template <class T>
class TooLate {
 public:
  /// Before each batch.
  void clear() { picks_.clear(); }
  void note(std::size_t at) { picks_.push_back(static_cast<std::uint32_t>(at)); }
  std::size_t size() const { return picks_.size(); }
  bool empty() const { return picks_.empty(); }

  /// Hands on those that were noted of `in`, where somebody reads them.
  void hand_on(const Batch<T>& in, Outputs& outputs, std::uint32_t port = 1) {
    if (empty() || !outputs.has_readers(port)) return;
    out_.clear();
    carry_marks(in, out_);
    batch_type<T>().append(out_, in, picks_);
    outputs.push(port, out_);
  }

 private:
  std::vector<std::uint32_t> picks_;
  Batch<T> out_;
};

}  // namespace millrace::detail
