// LookupOperator: finds the value of each record's key in an outside store, with a cache.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/calling_operator.hpp"
#include "operator/lookup_cache.hpp"
#include "operator/lookup_loads.hpp"

namespace millrace {

/// A record and what the store has for its key.
template <class T, class V>
struct LookedUp {
  T record;
  std::optional<V> value;
};

namespace detail {

/// Keys are kept beyond their record.
template <class K>
using LookupKey = std::conditional_t<std::is_same_v<K, std::string_view>, std::string, K>;

inline std::string wrong_count(std::size_t values, std::size_t keys) {
  return "the look-up gave " + std::to_string(values) + " values for " + std::to_string(keys) +
         " keys";
}

/// One value for each key; throws when the look-up gives another number.
template <class K, class V, class Load>
std::vector<std::optional<V>> loaded_values(Load& load, const std::vector<K>& keys) {
  if constexpr (std::is_invocable_v<Load&, std::span<const K>>) {
    std::vector<std::optional<V>> values = std::invoke(load, std::span<const K>(keys));
    if (values.size() == keys.size()) return values;
    throw std::runtime_error(wrong_count(values.size(), keys.size()));
  } else {
    std::vector<std::optional<V>> values;
    values.push_back(std::invoke(load, std::as_const(keys.front())));
    return values;
  }
}

/// `Load` is called with one key or with a span of different ones; with a reply beside it, it is
/// answered later. A key that is asked for is not asked for again meanwhile.
template <class T, class K, class V, class KeyOf, class Load>
class LookupOperator
    : public CallingOperator<T, LookedUp<T, V>, std::vector<std::optional<V>>, Load> {
 public:
  using Values = std::vector<std::optional<V>>;
  static_assert(!std::is_same_v<V, std::string_view>,
                "millrace: lookup keeps values, so they cannot borrow texts: use std::string");

  static constexpr bool kReplies = std::is_invocable_v<Load&, std::span<const K>, Reply<Values>>;

  /// `key`: results go in the order of each key's records; null: in that of all.
  LookupOperator(KeyOf key_of, Load load, const LookupOptions& options,
                 std::shared_ptr<const KeyHash> key = nullptr)
      : Base(std::move(load), options.calls, {std::move(key)}),
        key_of_(std::move(key_of)),
        options_(options),
        keys_max_(kReplies || std::is_invocable_v<Load&, std::span<const K>> ? options.batch_max
                                                                             : 1),
        cache_(options.cache_max, std::chrono::nanoseconds(options.expire).count()) {}

  /// Records whose keys are known wait for their turn too.
  bool is_full() const override {
    return Base::is_full() || line_.size() >= options_.calls.in_flight_max * keys_max_;
  }
  void open(const OperatorContext& context) override {
    Base::open(context);
    cache_.count_with(context.state);
    cached_.open(context.user);
    if (!kReplies) this->open_workers();
  }
  void close() override {
    Base::close();
    cache_.clear();
  }

 private:
  using Base = CallingOperator<T, LookedUp<T, V>, Values, Load>;
  using Base::figures_;
  using Base::line_;
  using Base::tries_;

  /// Its key is in the cache, asked for, or one of the next to ask for.
  void begin_record(std::uint32_t place, std::int64_t now_ns) override {
    std::optional<K> key;
    try {
      key.emplace(std::invoke(key_of_, record_at(*line_.records(place), line_.index(place))));
    } catch (...) {
      return line_.settle(place, {std::nullopt, current_exception_text()});
    }
    if (const std::optional<V>* known = cache_.find(*key, now_ns)) {
      cached_.hit();
      return settle(place, *known);
    }
    if (loads_.join(*key, place)) return cached_.hit();
    cached_.missed();
    loads_.add(std::move(*key), place);
    admit(keys_max_, now_ns);
  }
  void all_begun(std::int64_t now_ns) override { admit(1, now_ns); }
  /// What is to be asked for, once it is so many keys.
  void admit(std::size_t keys, std::int64_t now_ns) {
    if (const auto load = loads_.close(keys)) tries_->admit(*load, now_ns);
  }

  void go_on(std::int64_t now_ns, Outputs& outputs) override {
    const auto begin = [this](std::uint32_t load, Reply<Values> reply) {
      ask(loads_.keys(load), std::move(reply));
    };
    const auto done = [&](std::uint32_t load, std::optional<Values> values, std::string failure) {
      loaded(load, std::move(values), std::move(failure), now_ns);
    };
    tries_->pass(now_ns, figures_, begin, done);
    (void)line_.release(outputs, [](std::uint32_t) {});
    figures_.in_flight(tries_->in_flight());
    cached_.size(cache_.size());
  }

  void ask(const std::vector<K>& keys, Reply<Values> reply) {
    if constexpr (kReplies) {
      try {
        std::invoke(this->functions_.front(), std::span<const K>(keys), reply);
      } catch (...) {
        reply.fail(current_exception_text());
      }
    } else {
      this->run(std::move(reply),
                [keys](Load& function) { return loaded_values<K, V>(function, keys); });
    }
  }

  /// Whoever waits for its keys has what they have.
  void loaded(std::uint32_t number, std::optional<Values> values, std::string failure,
              std::int64_t now_ns) {
    const LookupLoad<K> load = loads_.finish(number);
    tries_->release(number);
    if (values && values->size() != load.keys.size()) {
      failure = wrong_count(values->size(), load.keys.size());
      values.reset();
    }
    if (!values) figures_.failed();
    for (std::size_t at = 0; at < load.keys.size(); ++at) {
      std::optional<V> value;
      if (values) value = std::move((*values)[at]);
      for (const std::uint32_t place : load.places[at]) {
        if (values || options_.missing_on_failure) {
          settle(place, value);
        } else {
          line_.settle(place, {std::nullopt, failure});
        }
      }
      if (values && (value || options_.keep_missing))
        cache_.put(load.keys[at], std::move(value), now_ns);
    }
  }
  void settle(std::uint32_t place, const std::optional<V>& value) {
    const Batch<T>& records = *line_.records(place);
    line_.settle(place, {LookedUp<T, V>{records.values[line_.index(place)], value}, {}});
  }

  KeyOf key_of_;
  LookupOptions options_;
  std::size_t keys_max_;  ///< of a load
  LookupCache<K, V> cache_;
  LookupLoads<K> loads_;
  CacheFigures cached_;
};

}  // namespace detail
}  // namespace millrace
