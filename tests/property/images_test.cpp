// Promise: what aggregates emit is the same when they break off anywhere and go on from their
// images, whatever the number of tasks.
#include "image_script.hpp"

namespace millrace::property {
namespace {

template <class Kernel>
using Row = millrace::Aggregate<std::string_view, typename Kernel::Value>;

template <class Spec>
void expect_running(const Spec& spec) {
  using Kernel = decltype(spec.template kernel<Hit>());
  expect_same<Row<Kernel>>([&] {
    return std::make_unique<RunningAggregate<Hit, ByName, Kernel>>(by_name(),
                                                                   spec.template kernel<Hit>());
  });
}

template <class Spec>
void expect_windows(const Spec& spec, const Windows& windows) {
  using Kernel = decltype(spec.template kernel<Hit>());
  expect_same<Row<Kernel>>([&] {
    return std::make_unique<WindowAggregate<Hit, ByName, Kernel>>(windows, by_name(),
                                                                  spec.template kernel<Hit>());
  });
}

struct OwnSpec {
  template <class T>
  auto kernel() const {
    return FoldKernel<T, std::string, void (*)(std::string&, const T&), NoMerge>{
        "", [](std::string& all, const T& hit) { all += std::to_string(hit.number) + " "; }, {}};
  }
};

TEST(Images, OfRunningAggregates) {
  expect_running(count());
  expect_running(sum(&Hit::amount));
  expect_running(mean(&Hit::number));
  expect_running(distinct(&Hit::number));
  expect_running(OwnSpec());
  expect_running(top_k_approx(&Hit::number, 3, 8));
  expect_running(quantile(&Hit::amount, 0.25));
}

TEST(Images, OfWindowsWithPanesThatTheyShare) {
  expect_windows(count(), tumbling(10us));
  expect_windows(count(), sliding(60us, 10us));
  expect_windows(sum(&Hit::number), sliding(45us, 10us));
  expect_windows(mean(&Hit::number), sliding(100us, 5us));
  expect_windows(count(), global());
}

TEST(Images, OfWindowsWithAPaneEach) { expect_windows(OwnSpec(), sliding(30us, 10us)); }

TEST(Images, OfEveryKindOfAccumulator) {
  const Windows windows = sliding(60us, 20us);
  expect_windows(min(&Hit::name), windows);
  expect_windows(first(&Hit::number), windows);
  expect_windows(last(&Hit::name), windows);
  expect_windows(distinct(&Hit::name), windows);
  expect_windows(distinct(&Hit::name, &Hit::number), windows);
  expect_windows(distinct_approx(&Hit::number), windows);
  expect_windows(quantile(&Hit::amount, 0.5), windows);
  expect_windows(exact_sum(&Hit::amount), windows);
  expect_windows(list(&Hit::name, 5), windows);
  expect_windows(set(&Hit::amount, 5), windows);
  expect_windows(top_k(&Hit::number, 3), windows);
}

}  // namespace
}  // namespace millrace::property
