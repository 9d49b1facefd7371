// NewestStream: the windows of a keyed stream, of each of which only the last records count.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "millrace/keyed_stream.hpp"
#include "operator/newest_kernel.hpp"

namespace millrace {

/// Made by window(tumbling(1h)).last(100) and window(...).last(5min). `Windowed` is the stream of
/// the windows.
template <class Windowed, class T>
class NewestStream : public AggregateVerbs<NewestStream<Windowed, T>, T> {
 public:
  NewestStream(Windowed windowed, HowFarBack last) : windowed_(std::move(windowed)), last_(last) {}

  // Internal.
  template <class Kernel>
  auto apply(std::string kind, std::string value, Kernel kernel, Status problem = {}) const {
    using Newest = detail::NewestKernel<T, Kernel>;
    const Status valid = std::visit([](const auto& last) { return last.validate(); }, last_);
    const bool wrong = problem.ok() && !valid.ok();
    auto rows = windowed_.apply(std::move(kind), std::move(value), Newest{std::move(kernel), last_},
                                std::move(problem));
    detail::Node& node = rows.declaration().graph.node(rows.from().front().node);
    node.note += "." + std::visit([](const auto& last) { return last.to_string(); }, last_);
    if (wrong && node.problem.ok()) node.problem = valid;
    node.needs_time |= std::holds_alternative<LastSpan>(last_);
    return rows;
  }

 private:
  Windowed windowed_;
  HowFarBack last_;
};

}  // namespace millrace
