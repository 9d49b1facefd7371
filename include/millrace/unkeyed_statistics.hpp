// Statistics that a plain stream does not have: each says that it needs a key.
#pragma once

#include <vector>

namespace millrace::detail {

template <class>
inline constexpr bool kNeedsKey = false;

/// Calling one is the compiler's answer to a wrong wiring; see VerbsThatNeedMore.
class StatisticsThatNeedAKey {
 public:
  template <class F, class... More>
  void variance(F, More...) const {
    static_assert(kNeedsKey<F>,
                  "millrace: variance needs a key: put key_by(&Record::member) before it");
  }
  template <class F, class... More>
  void var_pop(F, More...) const {
    static_assert(kNeedsKey<F>,
                  "millrace: var_pop needs a key: put key_by(&Record::member) before it");
  }
  template <class F, class... More>
  void stddev(F, More...) const {
    static_assert(kNeedsKey<F>,
                  "millrace: stddev needs a key: put key_by(&Record::member) before it");
  }
  template <class F, class... More>
  void stddev_pop(F, More...) const {
    static_assert(kNeedsKey<F>,
                  "millrace: stddev_pop needs a key: put key_by(&Record::member) before it");
  }
  template <class F, class... More>
  void exact_sum(F, More...) const {
    static_assert(kNeedsKey<F>,
                  "millrace: exact_sum needs a key: put key_by(&Record::member) before it");
  }
  template <class F, class... More>
  void median(F, More...) const {
    static_assert(kNeedsKey<F>,
                  "millrace: median needs a key: put key_by(&Record::member) before it");
  }
  template <class F, class... More>
  void quantile(F, More...) const {
    static_assert(kNeedsKey<F>,
                  "millrace: quantile needs a key: put key_by(&Record::member) before it");
  }
  template <class F>
  void quantiles(F, std::vector<double>) const {
    static_assert(kNeedsKey<F>,
                  "millrace: quantiles needs a key: put key_by(&Record::member) before it");
  }
  template <class F, class... More>
  void distinct_approx(F, More...) const {
    static_assert(kNeedsKey<F>,
                  "millrace: distinct_approx needs a key: put key_by(&Record::member) before it");
  }
  template <class F, class... More>
  void top_k(F, More...) const {
    static_assert(kNeedsKey<F>,
                  "millrace: top_k needs a key: put key_by(&Record::member) before it");
  }
  template <class F, class... More>
  void top_k_approx(F, More...) const {
    static_assert(kNeedsKey<F>,
                  "millrace: top_k_approx needs a key: put key_by(&Record::member) before it");
  }
  template <class F, class... More>
  void list(F, More...) const {
    static_assert(kNeedsKey<F>,
                  "millrace: list needs a key: put key_by(&Record::member) before it");
  }
  template <class F, class... More>
  void set(F, More...) const {
    static_assert(kNeedsKey<F>, "millrace: set needs a key: put key_by(&Record::member) before it");
  }
};

}  // namespace millrace::detail
