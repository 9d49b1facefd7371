// MessageOutput: the Output of a spout that names its messages.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "operator/output.hpp"
#include "operator/streams.hpp"

namespace millrace {

/// How a spout calls a message. Unique among those that are on their way; a message that is emitted
/// again has the name it had.
using MessageId = std::uint64_t;

namespace detail {

/// The names of the records of a batch, of those that have one.
class MessageNames {
 public:
  void clear() { names_.clear(); }
  /// The record emitted last, which makes `records`, has that name.
  void name_last(std::size_t records, MessageId id) {
    names_.resize(records - 1);
    names_.emplace_back(id);
  }
  std::span<const std::optional<std::uint64_t>> of(std::size_t records) {
    names_.resize(records);
    return names_;
  }

 private:
  std::vector<std::optional<std::uint64_t>> names_;
};

}  // namespace detail

/// Given to the next() of a ReliableSpout; valid during the call.
template <class T>
class MessageOutput : public Output<T> {
 public:
  using Output<T>::emit;
  /// Emits `record` as the message `id`: the spout is told whether it was acked or failed. Without
  /// an id it is a record like those of any spout, and a dead letter where it fails.
  void emit(T record, MessageId id) {
    this->emit(std::move(record));
    names_.name_last(this->size(), id);
  }

  /// Internal.
  detail::MessageNames& names(std::size_t) { return names_; }

 private:
  detail::MessageNames names_;
};

template <class... S>
class MessageOutput<Streams<S...>> : public Output<Streams<S...>> {
  using Base = Output<Streams<S...>>;
  template <detail::StreamName Name>
  using Port = detail::NamedPort<Name, S...>;
  using First = std::tuple_element_t<0, std::tuple<detail::StreamSpec<S>...>>;

 public:
  using Base::emit;
  using Base::emit_to;
  /// As of one stream. Each record is a message of its own, whatever their ids.
  template <detail::StreamName Name>
  void emit(typename Port<Name>::Record record, MessageId id) {
    Base::template emit<Name>(std::move(record));
    name_last<Port<Name>::kIndex>(id);
  }
  void emit(typename First::Record record, MessageId id)
    requires(!First::kNamed)
  {
    Base::emit(std::move(record));
    name_last<0>(id);
  }
  template <detail::StreamName Name>
  void emit_to(int task, typename Port<Name>::Record record, MessageId id) {
    Base::template emit_to<Name>(task, std::move(record));
    name_last<Port<Name>::kIndex>(id);
  }

  /// Internal.
  detail::MessageNames& names(std::size_t port) { return names_[port]; }

 private:
  template <std::size_t I>
  void name_last(MessageId id) {
    names_[I].name_last(this->template size_of<I>(), id);
  }

  std::array<detail::MessageNames, sizeof...(S)> names_;
};

}  // namespace millrace
