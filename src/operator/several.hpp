// Several aggregates in one pass, whose results become the members of a row; aggregates of the
// user's own.
#pragma once

#include <tuple>

#include "base/status.hpp"
#include "operator/kernels.hpp"
#include "operator/stored_accumulators.hpp"

namespace millrace::detail {

/// A class of the user with init(), add(acc, record), result(acc) and, if it can, merge(acc, acc).
template <class T, class A>
struct OwnKernel {
  static_assert(
      requires(const A& own) { own.init(); },
      "millrace: an aggregate of one's own is a class with init(), which returns the accumulator");
  using Acc = std::decay_t<decltype(std::declval<const A&>().init())>;
  static_assert(
      requires(const A& own, Acc& acc, const T& record) { own.add(acc, record); },
      "millrace: an aggregate of one's own needs add(Accumulator&, const Record&) const, for the "
      "records of this stream");
  static_assert(
      requires(const A& own, const Acc& acc) { own.result(acc); },
      "millrace: an aggregate of one's own needs result(const Accumulator&) const");
  static_assert(std::is_same_v<Owned<Acc>, Acc>,
                "millrace: an aggregate's value outlives the records it is made of: hold "
                "std::string, not std::string_view");
  using Value = std::decay_t<decltype(std::declval<const A&>().result(std::declval<const Acc&>()))>;
  static constexpr bool kMerges =
      requires(const A& own, Acc& acc, const Acc& other) { own.merge(acc, other); };
  static constexpr bool kStaged = false;
  static constexpr bool kNothrow =
      noexcept(std::declval<const A&>().add(std::declval<Acc&>(), std::declval<const T&>()));
  static constexpr bool kOrdered = false;

  A own;
  Acc init() const { return own.init(); }
  void add(Acc& acc, const T& record, const Stamp&) const {
    if constexpr (kNothrow) {
      own.add(acc, record);
    } else {
      Acc copy = acc;
      own.add(copy, record);
      acc = std::move(copy);
    }
  }
  void merge(Acc& acc, const Acc& other) const {
    if constexpr (kMerges) own.merge(acc, other);
  }
  Value result(const Acc& acc) const { return own.result(acc); }
};

/// True when a member M takes a V without losing any of it.
template <class M, class V>
constexpr bool holds() {
  if constexpr (std::is_floating_point_v<M> && std::is_arithmetic_v<V>) {
    return true;
  } else if constexpr (std::is_integral_v<M> && std::is_arithmetic_v<V>) {
    return std::is_integral_v<V> && sizeof(M) >= sizeof(V) &&
           (std::is_signed_v<M> == std::is_signed_v<V> || sizeof(M) > sizeof(V));
  } else {
    return std::is_same_v<M, V> ||
           (!std::is_arithmetic_v<M> && !std::is_same_v<M, std::string_view> &&
            std::is_convertible_v<V, M>);
  }
}
template <class M, class V>
inline constexpr bool kHolds = holds<M, V>();

/// One of several: its kernel, and the member of the row that takes its result.
template <class Kernel, class Row, class M>
struct Part {
  Kernel kernel;
  M Row::* member;
};

/// 2010 when two of the members are the same.
template <class First, class... More>
Status check_places(First first, More... more) {
  [[maybe_unused]] const auto same = [&](auto other) {
    if constexpr (std::is_same_v<decltype(other), First>) {
      return other == first;
    } else {
      return false;
    }
  };
  if ((same(more) || ...)) {
    return {Code::parameter_invalid,
            "two aggregates go into one member of the row: give each a member of its own"};
  }
  if constexpr (sizeof...(More) > 0) return check_places(more...);
  return {};
}

/// What is wrong with a kernel's options.
template <class Kernel>
Status problem_of(const Kernel& kernel) {
  if constexpr (requires { kernel.problem(); }) {
    return kernel.problem();
  } else {
    return {};
  }
}

/// Runs the kernels of all parts over each record, side by side.
template <class T, class Row, class... Parts>
struct SeveralKernel {
  using Acc = std::tuple<typename decltype(Parts::kernel)::Acc...>;
  using Value = Row;
  static constexpr bool kMerges = (decltype(Parts::kernel)::kMerges && ...);
  static constexpr bool kStaged = (decltype(Parts::kernel)::kStaged && ...);
  static constexpr bool kNothrow = (decltype(Parts::kernel)::kNothrow && ...);
  static constexpr bool kOrdered = (decltype(Parts::kernel)::kOrdered || ...);
  using Indices = std::index_sequence_for<Parts...>;

  explicit SeveralKernel(Parts... several) : parts(std::move(several)...) {}

  /// The first of what is wrong with the parts.
  Status problem() const {
    Status first;
    const auto look = [&first](Status problem) {
      if (first.ok()) first = std::move(problem);
    };
    std::apply([&](const Parts&... part) { (look(problem_of(part.kernel)), ...); }, parts);
    return first;
  }
  Acc init() const {
    return std::apply([](const Parts&... part) { return Acc(part.kernel.init()...); }, parts);
  }
  auto take(const T& record, const Stamp& stamp) const {
    return std::apply(
        [&](const Parts&... part) {
          return std::tuple<decltype(part.kernel.take(record, stamp))...>{
              part.kernel.take(record, stamp)...};
        },
        parts);
  }
  template <class Taken>
  void put(Acc& acc, const Taken& taken) const {
    put_each(acc, taken, Indices{});
  }
  /// Runs all of the users' code first, then changes the accumulators.
  void add(Acc& acc, const T& record, const Stamp& stamp) const {
    add_each(acc, record, stamp, Indices{});
  }
  void merge(Acc& acc, const Acc& other) const { merge_each(acc, other, Indices{}); }
  static constexpr bool kStorable = (kStores<decltype(Parts::kernel)> && ...);
  std::string acc_shape() const {
    std::string shape = "several{";
    std::apply([&](const Parts&... part) { ((shape += shape_of(part.kernel) + ","), ...); }, parts);
    return shape + "}";
  }
  void store_acc(std::string& out, const Acc& acc) const {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (store_accumulator(std::get<I>(parts).kernel, out, std::get<I>(acc)), ...);
    }(Indices{});
  }
  bool load_acc(BytesCursor& in, Acc& acc) const {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return (load_accumulator(std::get<I>(parts).kernel, in, std::get<I>(acc)) && ...);
    }(Indices{});
  }
  Row result(const Acc& acc) const {
    Row row{};
    fill(row, acc, Indices{});
    return row;
  }

  std::tuple<Parts...> parts;

 private:
  template <class Taken, std::size_t... I>
  void put_each(Acc& acc, const Taken& taken, std::index_sequence<I...>) const {
    (std::get<I>(parts).kernel.put(std::get<I>(acc), std::get<I>(taken)), ...);
  }
  template <std::size_t... I>
  void add_each(Acc& acc, const T& record, const Stamp& stamp, std::index_sequence<I...>) const {
    auto staged =
        std::tuple<decltype(stage(std::get<I>(parts).kernel, std::get<I>(acc), record, stamp))...>{
            stage(std::get<I>(parts).kernel, std::get<I>(acc), record, stamp)...};
    (commit(std::get<I>(parts).kernel, std::get<I>(acc), std::get<I>(staged), record, stamp), ...);
  }
  struct Later {};
  template <class Kernel, class One>
  static decltype(auto) stage(const Kernel& kernel, const One& acc, const T& record,
                              const Stamp& stamp) {
    if constexpr (Kernel::kStaged) {
      return kernel.take(record, stamp);
    } else if constexpr (Kernel::kNothrow) {
      return Later{};
    } else {
      One copy = acc;
      kernel.add(copy, record, stamp);
      return One(std::move(copy));
    }
  }
  template <class Kernel, class One, class Staged>
  static void commit(const Kernel& kernel, One& acc, Staged& staged, const T& record,
                     const Stamp& stamp) {
    if constexpr (Kernel::kStaged) {
      kernel.put(acc, staged);
    } else if constexpr (Kernel::kNothrow) {
      kernel.add(acc, record, stamp);
    } else {
      acc = std::move(staged);
    }
  }
  template <std::size_t... I>
  void merge_each(Acc& acc, const Acc& other, std::index_sequence<I...>) const {
    (std::get<I>(parts).kernel.merge(std::get<I>(acc), std::get<I>(other)), ...);
  }
  template <std::size_t... I>
  void fill(Row& row, const Acc& acc, std::index_sequence<I...>) const {
    ((row.*(std::get<I>(parts).member) = std::get<I>(parts).kernel.result(std::get<I>(acc))), ...);
  }
};

}  // namespace millrace::detail
