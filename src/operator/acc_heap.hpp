// acc_heap_bytes: what an accumulator of an aggregate holds on the heap beside its own bytes.
#pragma once

#include <cstddef>
#include <tuple>
#include <variant>

#include "record/heap_bytes.hpp"
#include "record/stored_value.hpp"

namespace millrace::detail {

/// Sets and maps of nodes.
template <class A>
concept HasNodes = requires { typename A::node_type; };

template <class... A>
constexpr bool any_acc_holds_heap(std::variant<A...>*);

/// Whether an accumulator can hold blocks of its own. One that says how much, with
/// `std::size_t heap_bytes() const`, can; of other types only standard containers, texts and
/// described structs are looked into.
template <class A>
constexpr bool acc_holds_heap() {
  if constexpr (requires(const A& acc) { acc.heap_bytes(); }) {
    return true;
  } else if constexpr (kIsVariant<A>) {
    return any_acc_holds_heap(static_cast<A*>(nullptr));
  } else if constexpr (kIsOptional<A>) {
    return acc_holds_heap<typename A::value_type>();
  } else if constexpr (kIsTuple<A>) {
    return []<class... M>(std::type_identity<std::tuple<M...>>) {
      return (acc_holds_heap<std::remove_const_t<M>>() || ...);
    }(std::type_identity<decltype(std::tuple_cat(std::declval<A>()))>());
  } else {
    return kIsList<A> || HasNodes<A> || kHoldsHeap<A>;
  }
}
template <class... A>
constexpr bool any_acc_holds_heap(std::variant<A...>*) {
  return (acc_holds_heap<A>() || ...);
}
template <class A>
inline constexpr bool kAccHoldsHeap = acc_holds_heap<A>();

/// O(elements that hold blocks of their own).
template <class A>
std::size_t acc_heap_bytes(const A& acc) {
  if constexpr (!kAccHoldsHeap<A>) {
    return 0;
  } else if constexpr (requires { acc.heap_bytes(); }) {
    return acc.heap_bytes();
  } else if constexpr (kIsVariant<A>) {
    return std::visit([](const auto& one) { return acc_heap_bytes(one); }, acc);
  } else if constexpr (kIsOptional<A>) {
    return acc ? acc_heap_bytes(*acc) : 0;
  } else if constexpr (kIsTuple<A>) {
    return std::apply([](const auto&... one) { return (acc_heap_bytes(one) + ... + 0); }, acc);
  } else if constexpr (kIsList<A> || HasNodes<A>) {
    using Element = typename A::value_type;
    std::size_t bytes = 0;
    if constexpr (kIsList<A>) {
      bytes = acc.capacity() * sizeof(Element);
    } else {
      bytes = acc.size() * (sizeof(Element) + 4 * sizeof(void*));
    }
    if constexpr (kAccHoldsHeap<Element>) {
      for (const auto& element : acc) bytes += acc_heap_bytes(element);
    }
    return bytes;
  } else {
    return heap_bytes_of(acc);
  }
}

}  // namespace millrace::detail
