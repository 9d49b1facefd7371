// Streams: what a component that emits several streams declares, and the Output that fills them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "operator/output.hpp"

namespace millrace {

namespace detail {

/// A text as a template argument: the "rejects" of Out<"rejects", Line>.
template <std::size_t N>
struct StreamName {
  char text[N];
  consteval StreamName(const char (&from)[N]) {  // NOLINT: implicit, so that a literal is a name
    for (std::size_t at = 0; at < N; ++at) text[at] = from[at];
  }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

}  // namespace detail

/// One named stream of a component: Streams<Out<"people", Edit>, Out<"robots", Edit>>.
template <detail::StreamName Name, class T>
struct Out;

/// A named stream whose sender names the task that receives each record; read it with direct().
template <detail::StreamName Name, class T>
struct DirectOut;

/// The streams of a component that emits several, in place of its one record type. The first may be
/// a bare record type: then that stream is the unnamed one, "default".
template <class... S>
struct Streams;

namespace detail {

/// What a member of Streams<...>, or a record type alone, declares.
template <class T>
struct StreamSpec {
  using Record = T;
  static constexpr std::string_view kName = "default";
  static constexpr bool kNamed = false;
  static constexpr bool kDirect = false;
};
template <StreamName Name, class T>
struct StreamSpec<millrace::Out<Name, T>> {
  using Record = T;
  static constexpr std::string_view kName = Name.view();
  static constexpr bool kNamed = true;
  static constexpr bool kDirect = false;
};
template <StreamName Name, class T>
struct StreamSpec<DirectOut<Name, T>> {
  using Record = T;
  static constexpr std::string_view kName = Name.view();
  static constexpr bool kNamed = true;
  static constexpr bool kDirect = true;
};

template <class... S>
constexpr std::size_t port_named(std::string_view name) {
  constexpr std::array<std::string_view, sizeof...(S)> kNames = {StreamSpec<S>::kName...};
  for (std::size_t at = 0; at < kNames.size(); ++at) {
    if (kNames[at] == name) return at;
  }
  return kNames.size();
}

template <class... S>
constexpr bool names_are_distinct() {
  constexpr std::array<std::string_view, sizeof...(S)> kNames = {StreamSpec<S>::kName...};
  for (std::size_t at = 0; at < kNames.size(); ++at) {
    if (port_named<S...>(kNames[at]) != at || kNames[at].empty()) return false;
  }
  return true;
}

/// The ports of a component, from what it declares to emit.
template <class Emitted>
struct Ports {
  using Specs = std::tuple<StreamSpec<Emitted>>;
  using Batches = std::tuple<Batch<Emitted>>;
  static constexpr std::size_t kCount = 1;
};
template <class... S>
struct Ports<Streams<S...>> {
  using Specs = std::tuple<StreamSpec<S>...>;
  using Batches = std::tuple<Batch<typename StreamSpec<S>::Record>...>;
  static constexpr std::size_t kCount = sizeof...(S);
  static_assert(kCount > 0 && names_are_distinct<S...>(),
                "millrace: Streams<...> needs at least one stream, each with a name of its own");
};

/// The stream `Name` of Streams<S...>.
template <StreamName Name, class... S>
struct NamedPort {
  static constexpr std::size_t kFound = port_named<S...>(Name.view());
  static constexpr std::size_t kIndex = kFound < sizeof...(S) ? kFound : 0;
  static_assert(kFound < sizeof...(S),
                "millrace: the component declares no stream of this name: add it to Streams<...>");
  using Spec = std::tuple_element_t<kIndex, std::tuple<StreamSpec<S>...>>;
  using Record = typename Spec::Record;
};

/// In `hashed_by`: the hashes of the batch are the tasks that its records are to go to.
inline constexpr char kDirectMark = 0;

[[noreturn]] void refuse_direct_task(std::string_view stream, int task, int tasks);

}  // namespace detail

/// The Output of a component with several streams: `out.emit<"people">(edit)`.
template <class... S>
class Output<Streams<S...>> {
  template <detail::StreamName Name>
  using Port = detail::NamedPort<Name, S...>;
  using First = std::tuple_element_t<0, std::tuple<detail::StreamSpec<S>...>>;

 public:
  /// Emits `record` on the stream `Name`.
  template <detail::StreamName Name>
  void emit(typename Port<Name>::Record record) {
    static_assert(!Port<Name>::Spec::kDirect,
                  "millrace: a direct stream needs the receiving task: emit_to<\"name\">(task, "
                  "record)");
    std::get<Port<Name>::kIndex>(outputs_).emit(std::move(record));
  }
  /// Emits `record` on the unnamed stream, which stands first in Streams<...>.
  void emit(typename First::Record record)
    requires(!First::kNamed)
  {
    std::get<0>(outputs_).emit(std::move(record));
  }
  /// Emits `record` on the direct stream `Name` to task `task`, 0-based, of each component that
  /// reads it. Throws std::out_of_range when one of them has no such task.
  template <detail::StreamName Name>
  void emit_to(int task, typename Port<Name>::Record record) {
    constexpr std::size_t kIndex = Port<Name>::kIndex;
    static_assert(Port<Name>::Spec::kDirect,
                  "millrace: only a DirectOut<...> stream lets the sender name the task");
    if (task < 0 || task >= tasks_[kIndex]) {
      detail::refuse_direct_task(Port<Name>::Spec::kName, task, tasks_[kIndex]);
    }
    std::get<kIndex>(outputs_).emit(std::move(record));
    std::get<kIndex>(*batches_).hashes.push_back(static_cast<std::uint64_t>(task));
  }
  /// Number of tasks that emit_to may name: the least of the readers of the direct stream `Name`.
  template <detail::StreamName Name>
  int tasks() const {
    static_assert(Port<Name>::Spec::kDirect, "millrace: tasks() is of DirectOut<...> streams");
    return tasks_[Port<Name>::kIndex];
  }

  /// Copies `text` into the bytes of the stream `Name`, for records that hold a string_view.
  template <detail::StreamName Name>
  std::string_view intern(std::string_view text) {
    return std::get<Port<Name>::kIndex>(outputs_).intern(text);
  }
  std::string_view intern(std::string_view text)
    requires(!First::kNamed)
  {
    return std::get<0>(outputs_).intern(text);
  }

  // Internal.
  template <std::size_t I>
  std::size_t size_of() const {
    return std::get<I>(*batches_).values.size();
  }
  std::size_t interned_bytes() const {
    return std::apply([](const auto&... outputs) { return (outputs.interned_bytes() + ... + 0u); },
                      outputs_);
  }
  void bind(std::tuple<detail::Batch<typename detail::StreamSpec<S>::Record>...>& batches) {
    batches_ = &batches;
    bind_each(std::index_sequence_for<S...>{});
  }
  void count_with(detail::MemoryMeter* arenas) {
    std::apply([arenas](auto&... outputs) { (outputs.count_with(arenas), ...); }, outputs_);
  }
  void set_tasks(std::size_t port, int tasks) { tasks_[port] = tasks; }

 private:
  template <std::size_t... I>
  void bind_each(std::index_sequence<I...>) {
    (std::get<I>(outputs_).bind(std::get<I>(*batches_)), ...);
  }

  std::tuple<Output<typename detail::StreamSpec<S>::Record>...> outputs_;
  std::tuple<detail::Batch<typename detail::StreamSpec<S>::Record>...>* batches_ = nullptr;
  std::array<int, sizeof...(S)> tasks_{};
};

}  // namespace millrace
