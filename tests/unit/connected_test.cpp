// Connected streams: one object that reads several keyed streams, and shares states and timers
// among them.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"

namespace millrace {
namespace {

struct Order {
  Timestamp time;
  std::string id;
  std::int64_t sum = 0;
};
struct Payment {
  Timestamp time;
  std::string order;
  std::int64_t paid = 0;
};
struct Parcel {
  Timestamp time;
  std::string order;
};
struct Told {
  std::string id;
  std::string what;
  std::int64_t open = 0;
  friend bool operator==(const Told&, const Told&) = default;
};
std::ostream& operator<<(std::ostream& to, const Told& told) {
  return to << told.id << " " << told.what << " " << told.open;
}

struct Watching {
  using Context = KeyedContext<std::string_view>;
  ValueState<std::int64_t> open;

  void process(const Order& order, Context& context, Output<Told>& out) {
    open.set(open.value_or(0) + order.sum);
    context.timers().at(order.time.micros + 10);
    out.emit({order.id, "ordered", *open});
  }
  void process(const Payment& payment, Context& context, Output<Told>& out) {
    open.set(open.value_or(0) - payment.paid);
    if (payment.paid < 0) throw std::runtime_error("who pays less than nothing?");
    if (*open == 0) context.timers().remove(context.time() + 1);
    out.emit({payment.order, "paid", *open});
  }
  void process(const Parcel& parcel, Context&, Output<Told>& out) {
    out.emit({parcel.order, "sent", open.value_or(0)});
    open.clear();
  }
  void on_timer(Time, Context& context, Output<Told>& out) {
    out.emit({std::string(context.key()), "waited", open.value_or(0)});
  }
};

struct Watched {
  explicit Watched(bool by_time, int parallelism = 2)
      : topology("watched"), driver(declare(by_time), {.parallelism = parallelism}) {}

  Topology& declare(bool by_time) {
    const auto from = [this](auto record, const char* name, auto time) {
      using T = decltype(record);
      return topology.from(records(std::vector<std::vector<T>>{{}})).named(name).event_time(time);
    };
    const auto streams =
        from(Order(), "orders", &Order::time)
            .key_by(&Order::id)
            .connect(from(Payment(), "payments", &Payment::time).key_by(&Payment::order),
                     from(Parcel(), "parcels", &Parcel::time).key_by(&Parcel::order));
    (by_time ? streams.by_event_time() : streams)
        .process(Watching{})
        .named("watching")
        .to(each([](const Told&) {}));
    return topology;
  }

  void end() {
    orders.end();
    payments.end();
    parcels.end();
  }

  Topology topology;
  TestDriver driver;
  TestInput<Order> orders = driver.input<Order>("orders");
  TestInput<Payment> payments = driver.input<Payment>("payments");
  TestInput<Parcel> parcels = driver.input<Parcel>("parcels");
  TestOutput<Told> told = driver.output<Told>("watching");
};

TEST(Connected, StreamsShareTheStatesOfAKey) {
  Watched watched(false);
  watched.orders.pipe({{1}, "a", 10});
  watched.payments.pipe({{2}, "a", 4});
  watched.payments.pipe({{2}, "b", 1});
  watched.parcels.pipe({{3}, "a"});
  watched.payments.pipe({{4}, "a", 1});
  EXPECT_EQ(watched.told.read_all(), (std::vector<Told>{{"a", "ordered", 10},
                                                        {"a", "paid", 6},
                                                        {"b", "paid", -1},
                                                        {"a", "sent", 6},
                                                        {"a", "paid", -1}}));
  EXPECT_EQ(watched.driver.counts("watching").received, 5u);
}

TEST(Connected, ACallThatThrowsLeavesNoTraceForTheOthers) {
  Watched watched(false);
  watched.orders.pipe({{1}, "a", 10});
  watched.payments.pipe({{2}, "a", -4});
  watched.parcels.pipe({{3}, "a"});
  EXPECT_EQ(watched.told.read_all(), (std::vector<Told>{{"a", "ordered", 10}, {"a", "sent", 10}}));
  EXPECT_EQ(watched.driver.counts("watching").dead_lettered, 1u);
}

TEST(Connected, ARecordOfOneStreamWaitsForTheTimerThatAnotherSet) {
  Watched watched(false);
  watched.orders.pipe({{1}, "a", 10});     // a timer at 11
  watched.payments.pipe({{20}, "a", 10});  // waits for it
  watched.parcels.pipe({{11}, "a"});       // does not
  EXPECT_EQ(watched.told.read_all(), (std::vector<Told>{{"a", "ordered", 10}, {"a", "sent", 10}}));
  watched.end();
  EXPECT_EQ(watched.told.read_all(), (std::vector<Told>{{"a", "waited", 0}, {"a", "paid", -10}}));
}

TEST(Connected, ByEventTimeRecordsComeInItsOrder) {
  Watched watched(true);
  watched.parcels.pipe({{5}, "a"});
  watched.payments.pipe({{5}, "a", 3});
  watched.orders.pipe({{5}, "a", 10});
  watched.orders.pipe({{1}, "a", 7});  // late: stands at 5
  EXPECT_TRUE(watched.told.read_all().empty()) << "all wait for the watermark";
  watched.end();
  EXPECT_EQ(watched.told.read_all(), (std::vector<Told>{{"a", "ordered", 10},
                                                        {"a", "ordered", 17},
                                                        {"a", "paid", 14},
                                                        {"a", "sent", 14},
                                                        {"a", "waited", 0},
                                                        {"a", "waited", 0}}));
}

}  // namespace
}  // namespace millrace
