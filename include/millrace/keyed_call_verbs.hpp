// KeyedCallVerbs: verbs that ask an outside store or function about the records of each key.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "millrace/call_verbs.hpp"

namespace millrace {

namespace detail {

/// The key of a record, to be kept.
template <class T, class Key>
struct OwnKey {
  std::shared_ptr<const TypedKeyHash<T, Key>> key;

  auto operator()(const T& record) const {
    return key->key().with(
        record, [](const typename Key::View& view) { return LookupKey<typename Key::View>(view); });
  }
};

template <class K>
concept HasStdHash = requires(const K& key) {
  { std::hash<K>{}(key) } -> std::convertible_to<std::size_t>;
};

}  // namespace detail

/// A base of KeyedStream: as the verbs of Stream, with all records of a key at one task, whose
/// results go in the order of that key's records, while other keys overtake.
template <class Derived, class T, class Key>
class KeyedCallVerbs {
 public:
  /// The result of a call for each record; see CallVerbs::call. Of a key one is called for after
  /// the other, each when the one before it has its result or is a dead letter: at most
  /// `key_in_flight_max` at once (1). Those that wait for their turn
  /// take room of `in_flight_max`, too: a key with many records holds up others.
  ///
  /// After a restart, also with another number of tasks, those of a key are called for in their
  /// order. A key that throws makes the record a dead letter. Cost: a look-up by the key's hash
  /// more. Errors: 2010 for options.
  template <class F>
  auto call(F f, CallOptions options = {}) const {
    return called(std::move(f), options, detail::NoFallback{});
  }
  template <class F, class Fallback>
  auto call(F f, CallOptions options, Fallback fallback) const {
    return called(std::move(f), options, std::move(fallback));
  }

  /// Each record with what an outside store has for this key, of one member, which only this task
  /// asks for and caches; see CallVerbs::lookup.
  template <class Load>
  auto lookup(Load load, LookupOptions options = {}) const {
    using K = detail::LookupKey<typename Key::View>;
    static_assert(detail::HasStdHash<K>,
                  "millrace: lookup by a key of several members needs one that has std::hash: "
                  "lookup(key_of, load), with a function that makes it of the record");
    if constexpr (detail::HasStdHash<K>)
      return looked_up(detail::OwnKey<T, Key>{derived().key()}, std::move(load), options);
  }
  /// The same for another key, that key_of gives; results go in the order of this one's records.
  template <class KeyOf, class Load>
    requires(!std::same_as<Load, LookupOptions>)
  auto lookup(KeyOf key_of, Load load, LookupOptions options = {}) const {
    return looked_up(std::move(key_of), std::move(load), options);
  }

 private:
  const Derived& derived() const { return static_cast<const Derived&>(*this); }
  auto inputs() const {
    return derived().stream().inputs({detail::GroupingKind::fields, derived().key()});
  }
  template <class U>
  Stream<U> added(detail::Node node) const {
    detail::Declaration& declaration = derived().stream().declaration();
    detail::RowNames names;
    if constexpr (std::is_same_v<T, U>) names = derived().stream().names();
    return Stream<U>(declaration, {{declaration.graph.add(std::move(node)), 0}}, std::move(names));
  }

  template <class F, class Fallback>
  auto called(F f, const CallOptions& options, Fallback fallback) const {
    using Step = detail::CallStep<T, F>;
    return added<typename Step::Result>(
        Step::node(inputs(), derived().key(), std::move(f), options, std::move(fallback)));
  }
  template <class KeyOf, class Load>
  auto looked_up(KeyOf key_of, Load load, const LookupOptions& options) const {
    using Step = detail::LookupStep<T, KeyOf, Load>;
    return added<typename Step::Result>(
        Step::node(inputs(), derived().key(), std::move(key_of), std::move(load), options));
  }
};

}  // namespace millrace
