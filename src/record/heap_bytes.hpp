// heap_bytes_of: what a record holds on the heap by itself, beyond its own bytes and its batch's
// arenas.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>

#include "record/schema.hpp"

namespace millrace::detail {

template <class M>
constexpr bool holds_heap();

template <class... M>
constexpr bool any_holds_heap(MemberTypes<M...>*) {
  return (holds_heap<M>() || ...);
}
template <template <class...> class Tuple, class... M>
constexpr bool any_element_holds_heap(Tuple<M...>*) {
  return (holds_heap<M>() || ...);
}

/// Whether an M holds text or blocks of its own, at any depth. Types without schema cannot be
/// looked into.
template <class M>
constexpr bool holds_heap() {
  if constexpr (kIsOptional<M>) {
    return holds_heap<typename M::value_type>();
  } else if constexpr (kIsList<M> || kIsMap<M>) {
    return true;
  } else if constexpr (std::is_trivially_copyable_v<M> || !Described<M>) {
    return false;
  } else if constexpr (std::is_same_v<M, std::string> || std::is_same_v<M, Bytes>) {
    return true;
  } else if constexpr (ScalarValue<M>) {
    return false;
  } else if constexpr (kIsTuple<M>) {
    return any_element_holds_heap(static_cast<M*>(nullptr));
  } else {
    return any_holds_heap(static_cast<MemberTypesOf<M>*>(nullptr));
  }
}

template <class T>
inline constexpr bool kHoldsHeap = holds_heap<T>();

/// O(members and elements). A block that several records share counts for each of them.
template <class M>
std::size_t heap_bytes_of(const M& member) {
  if constexpr (!kHoldsHeap<M>) {
    return 0;
  } else if constexpr (std::is_same_v<M, std::string>) {
    static const std::size_t kInline = std::string().capacity();
    return member.capacity() > kInline ? member.capacity() + 1 : 0;
  } else if constexpr (std::is_same_v<M, Bytes>) {
    return member.is_owned() ? member.size() : 0;
  } else if constexpr (kIsOptional<M>) {
    return member ? heap_bytes_of(*member) : 0;
  } else if constexpr (kIsList<M>) {
    std::size_t bytes = member.capacity() * sizeof(typename M::value_type);
    for (const auto& element : member) bytes += heap_bytes_of(element);
    return bytes;
  } else if constexpr (kIsMap<M>) {
    constexpr std::size_t kNodeBytes = sizeof(typename M::value_type) + 4 * sizeof(void*);
    std::size_t bytes = member.size() * kNodeBytes;
    for (const auto& entry : member) {
      bytes += heap_bytes_of(entry.first) + heap_bytes_of(entry.second);
    }
    return bytes;
  } else {
    std::size_t bytes = 0;
    bind_members(member,
                 [&bytes](const auto&... members) { bytes = (heap_bytes_of(members) + ... + 0); });
    return bytes;
  }
}

}  // namespace millrace::detail
