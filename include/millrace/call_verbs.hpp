// Verbs that ask an outside store or function about each record.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/stream_handle.hpp"
#include "operator/call_operator.hpp"
#include "operator/lookup_operator.hpp"

namespace millrace {

namespace detail {

/// What a callable f(record, Reply<R>) is to reply: R, where it can be read off its type.
template <class F>
struct ReplyTraits {};
template <class F>
  requires requires { &F::operator(); }
struct ReplyTraits<F> : ReplyTraits<decltype(&F::operator())> {};
template <class Out, class In, class R>
struct ReplyTraits<Out (*)(In, Reply<R>)> {
  using Replied = R;
};
template <class C, class Out, class In, class R>
struct ReplyTraits<Out (C::*)(In, Reply<R>) const> {
  using Replied = R;
};
template <class C, class Out, class In, class R>
struct ReplyTraits<Out (C::*)(In, Reply<R>)> {
  using Replied = R;
};
template <class F>
concept TakesReply = requires { typename ReplyTraits<F>::Replied; };

/// What `F` gives for a T, at once or by its reply.
template <class F, class T>
struct CallResult {
  using Type = std::decay_t<std::invoke_result_t<F&, const T&>>;
};
template <TakesReply F, class T>
struct CallResult<F, T> {
  using Type = typename ReplyTraits<F>::Replied;
};

/// What `Load` finds for a K.
template <class Load, class K>
struct LoadedValue {
  using Type = typename std::decay_t<std::invoke_result_t<Load&, const K&>>::value_type;
};
template <TakesReply Load, class K>
struct LoadedValue<Load, K> {
  using Type = typename ReplyTraits<Load>::Replied::value_type::value_type;
};
template <class Load, class K>
  requires std::is_invocable_v<Load&, std::span<const K>>
struct LoadedValue<Load, K> {
  using Values = std::decay_t<std::invoke_result_t<Load&, std::span<const K>>>;
  using Type = typename Values::value_type::value_type;
};

/// A call of `F` for each T.
template <class T, class F>
struct CallStep {
  static_assert(std::is_invocable_v<F&, const T&> || TakesReply<F>,
                "millrace: call needs f(const Record&) that returns the result, or f(const "
                "Record&, Reply<Result>) with the types written out");
  using Replied = typename CallResult<F, T>::Type;
  static_assert(!std::is_void_v<Replied>,
                "millrace: call's function returns nothing: return a result");
  using Result = typename RecordOfReply<Replied>::Type;

  /// `key`: of a key one after the other; or null.
  template <class Fallback>
  static Node node(std::vector<NodeInput> inputs, const std::shared_ptr<const KeyHash>& key, F f,
                   const CallOptions& options, Fallback fallback) {
    static_assert(
        std::is_same_v<Fallback, NoFallback> ||
            std::is_invocable_r_v<std::optional<Result>, Fallback&, const T&> ||
            std::is_invocable_r_v<std::optional<Result>, Fallback&, const T&, std::string_view>,
        "millrace: call's fallback needs to return what the call returns");
    using Op = CallOperator<T, Replied, F, Fallback>;
    Node node = operator_node<Op>("call", std::move(inputs), std::move(f), std::move(fallback),
                                  options, key);
    node.output = &batch_type<Result>();
    node.note = call_note(options, key != nullptr);
    if (Status status = check_call_options(options, "call", key != nullptr); !status.ok())
      node.problem = std::move(status);
    return node;
  }
};

/// A look-up by what `KeyOf` gives of each T.
template <class T, class KeyOf, class Load>
struct LookupStep {
  static_assert(std::is_invocable_v<KeyOf&, const T&>,
                "millrace: lookup needs a member or function of this stream's records as key");
  using Key = LookupKey<std::decay_t<std::invoke_result_t<KeyOf&, const T&>>>;
  static_assert(
      std::is_invocable_v<Load&, const Key&> || std::is_invocable_v<Load&, std::span<const Key>> ||
          TakesReply<Load>,
      "millrace: lookup needs load(const Key&) -> std::optional<Value>, or load(std::span<const "
      "Key>) -> std::vector<std::optional<Value>>, or load(std::span<const Key>, Reply<...>) "
      "with the types written out; of texts the key is std::string");
  using Value = typename LoadedValue<Load, Key>::Type;
  using Result = LookedUp<T, Value>;

  /// `key`: results go in the order of each key's records; or null.
  static Node node(std::vector<NodeInput> inputs, const std::shared_ptr<const KeyHash>& key,
                   KeyOf key_of, Load load, const LookupOptions& options) {
    using Op = LookupOperator<T, Key, Value, KeyOf, Load>;
    Node node = operator_node<Op>("lookup", std::move(inputs), std::move(key_of), std::move(load),
                                  options, key);
    node.output = &batch_type<Result>();
    node.note = call_note(options.calls, key != nullptr);
    if (Status status = check_lookup_options(options); !status.ok())
      node.problem = std::move(status);
    return node;
  }
};

}  // namespace detail

/// The verbs of Stream that call the outside.
template <class T>
class CallVerbs : public StreamHandle<T> {
 public:
  using StreamHandle<T>::StreamHandle;

  /// The result of a call for each record, with its time; as map, for what waits: a store, a
  /// service, a model. f(const T&) -> U or std::optional<U> blocks and is called by the threads of
  /// CallOptions, of which each has a copy; f(const T&, Reply<U>) returns at once and is answered
  /// later, from any thread; its record is valid during the call. An empty optional is no result.
  ///
  /// What f throws, a failed reply and a time-out are failures; when the tries are used up the
  /// record is a dead letter with the last one's reason. After a restart, records whose results
  /// have not left are called for again: of one record each result counts once, and calls may be
  /// repeated. Results borrow no texts but the record's. Errors: 2010 for options.
  template <class F>
  auto call(F f, CallOptions options = {}) const {
    return called(std::move(f), options, detail::NoFallback{});
  }
  /// The same, with what stands in when the tries are used up or the deadline has passed:
  /// fallback(const T&) or fallback(const T&, std::string_view why), by the task's thread.
  template <class F, class Fallback>
  auto call(F f, CallOptions options, Fallback fallback) const {
    return called(std::move(f), options, std::move(fallback));
  }

  /// Each record with what an outside store has for its key: a stream of LookedUp<T, V>. load(const
  /// K&) -> std::optional<V>, or load(std::span<const K>) -> std::vector<std::optional<V>> with one
  /// for each of several different keys, block, as call's functions do; load(std::span<const K>,
  /// Reply<std::vector<std::optional<V>>>) returns at once and is answered later; its keys are
  /// valid during the call. K is what key_of gives, of texts std::string, and has std::hash. A key
  /// that is known, or asked for, is not asked for again; the cache is a task's own and begins
  /// empty after a restart. Errors: 2010 for options.
  template <class KeyOf, class Load>
  auto lookup(KeyOf key_of, Load load, LookupOptions options = {}) const {
    using Step = detail::LookupStep<T, KeyOf, Load>;
    return this->template derive<typename Step::Result>(
        Step::node(this->inputs({}), nullptr, std::move(key_of), std::move(load), options));
  }

 private:
  template <class F, class Fallback>
  auto called(F f, const CallOptions& options, Fallback fallback) const {
    using Step = detail::CallStep<T, F>;
    return this->template derive<typename Step::Result>(
        Step::node(this->inputs({}), nullptr, std::move(f), options, std::move(fallback)));
  }
};

}  // namespace millrace
