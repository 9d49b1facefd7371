// Promise: sessions, windows by records and windows that emit more than once go on from their
// images as if nothing had been.
#include "image_script.hpp"

namespace millrace::property {
namespace {

template <class Spec>
using KernelOf = decltype(std::declval<const Spec&>().template kernel<Hit>());
template <class Spec>
using RowOf = millrace::Aggregate<std::string_view, typename KernelOf<Spec>::Value>;
template <class Spec>
using UpdateOf = WindowUpdate<std::string_view, typename KernelOf<Spec>::Value>;

template <class Spec>
void expect_sessions(const Spec& spec, Duration gap) {
  using Op = SessionAggregate<Hit, ByName, KernelOf<Spec>, Duration>;
  expect_same<RowOf<Spec>>(
      [&] { return std::make_unique<Op>(session(gap), by_name(), spec.template kernel<Hit>()); });
}

template <class Spec, class Windows>
void expect_records(const Spec& spec, const Windows& windows) {
  using Op = RecordAggregate<Hit, ByName, KernelOf<Spec>, Windows>;
  expect_same<RowOf<Spec>>(
      [&] { return std::make_unique<Op>(windows, by_name(), spec.template kernel<Hit>()); });
}

template <Refires kRefires, class Spec, class Windows>
void expect_refiring(const Spec& spec, const Windows& windows) {
  using Op = RefiringAggregate<Hit, ByName, KernelOf<Spec>, kRefires>;
  using Row = std::conditional_t<kRefires == Refires::finally, RowOf<Spec>, UpdateOf<Spec>>;
  expect_same<Row>(
      [&] { return std::make_unique<Op>(windows, by_name(), spec.template kernel<Hit>()); });
}

template <bool kRemembers, class Spec>
void expect_refiring_sessions(const Spec& spec, const RefiringSessions<Duration>& sessions) {
  using Op = RefiringSessionAggregate<Hit, ByName, KernelOf<Spec>, Duration, kRemembers>;
  expect_same<UpdateOf<Spec>>(
      [&] { return std::make_unique<Op>(sessions, by_name(), spec.template kernel<Hit>()); });
}

TEST(Images, OfSessions) {
  expect_sessions(count(), 15us);
  expect_sessions(last(&Hit::name), 40us);
}

TEST(Images, OfWindowsByRecords) {
  expect_records(sum(&Hit::number), count_window(5));
  expect_records(mean(&Hit::number), count_window(6, 4));
  expect_records(distinct(&Hit::number), millrace::last(4));
  expect_records(sum(&Hit::number), millrace::last(30us));
}

TEST(Images, OfWindowsThatEmitAgain) {
  const auto windows = sliding(40us, 10us).allowed_lateness(20us);
  expect_refiring<Refires::updates>(sum(&Hit::number), windows);
  expect_refiring<Refires::updates>(count(), windows.early(every(4us)));
  expect_refiring<Refires::updates>(count(), windows.discarding());
  expect_refiring<Refires::retractions>(max(&Hit::name), windows.retracting());
  expect_refiring<Refires::finally>(count(), windows.final_only());
}

TEST(Images, OfSessionsThatEmitAgain) {
  const auto sessions = session(15us).allowed_lateness(20us);
  expect_refiring_sessions<false>(sum(&Hit::number), sessions);
  expect_refiring_sessions<false>(count(), sessions.early(every(6us)));
  expect_refiring_sessions<true>(max(&Hit::name), sessions.retracting());
}

}  // namespace
}  // namespace millrace::property
