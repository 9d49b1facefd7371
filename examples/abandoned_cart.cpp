// Carts that nobody bought within half an hour, with a state and a timer for each user.
#include <string_view>

#include "millrace/millrace.hpp"

using namespace millrace;

struct Click {
  std::int64_t ts_ms = 0;
  std::string_view user_id;
  std::string_view event;

  Timestamp time() const { return {ts_ms * 1000}; }
};

struct Abandoned {
  Timestamp fired;
  std::string_view user;
  Timestamp added;
};

struct AbandonedCart {
  using Context = KeyedContext<std::string_view>;  // the key is the user
  ValueState<Timestamp> added;                     // of this user: when the cart was filled last

  void process(const Click& click, Context& context, Output<Abandoned>&) {
    const bool fills = click.event == "add_to_cart";
    if (!fills && click.event != "purchase") return;
    if (added) context.timers().remove(*added + 30min);
    added.clear();
    if (!fills) return;
    added.set(click.time());
    context.timers().at(click.time() + 30min);
  }

  void on_timer(Time time, Context& context, Output<Abandoned>& out) {
    out.emit({{time}, context.key(), *added});
    added.clear();
  }
};

int main(int argc, char** argv) {
  Topology shop("abandoned carts");
  shop.from(csv<Click>("examples/clicks.csv"))
      .event_time(&Click::time, {.out_of_order = 1min})
      .key_by(&Click::user_id)
      .process(AbandonedCart{})
      .named("carts")
      .to(print());
  return run(shop, argc, argv);
}
