// KeyedProcess: runs a class of the user's with state and timers for each key.
#pragma once

#include "operator/keyed_inputs.hpp"

namespace millrace::detail {

/// `P` is the user's class: process(const T&, KeyedContext<K>&, Output<U>&), perhaps on_timer and
/// on_clock. What holds of it and its cost: KeyedCalls.
template <class T, class Key, class P>
class KeyedProcess final
    : public KeyedInputs<ProcessorCaller<typename Key::View, P>, KeyedInput<T, Key>> {
  using Base = KeyedInputs<ProcessorCaller<typename Key::View, P>, KeyedInput<T, Key>>;

 public:
  using Traits = ProcessTraits<decltype(&P::process)>;
  using Emitted = typename Traits::Emitted;
  using KeyPtr = typename KeyedInput<T, Key>::KeyPtr;

  KeyedProcess(KeyPtr key, P processor) : Base({std::move(key)}, std::move(processor)) {}

  const KeyHash* key_hash() const {
    return this->key(std::integral_constant<std::size_t, 0>()).get();
  }
};

}  // namespace millrace::detail
