// What the tests of joins share: two random inputs, and rows of pairs as texts.
#pragma once

#include "random_topology.hpp"

namespace millrace::property {

/// What a join makes; its texts are borrowed from both sides.
struct Pair {
  std::int32_t key = 0;
  std::int64_t left = 0;  ///< 0: none
  std::int64_t right = 0;
  std::string_view left_name;
  std::string_view right_name;
};
inline Pair pair_of(const Event* left, const Event* right) {
  Pair pair;
  pair.key = left != nullptr ? left->key : right->key;
  if (left != nullptr) std::tie(pair.left, pair.left_name) = std::tie(left->number, left->name);
  if (right != nullptr)
    std::tie(pair.right, pair.right_name) = std::tie(right->number, right->name);
  return pair;
}
inline std::string text_of(const Pair& pair) {
  return fmt::format("{}: {} {} + {} {}", pair.key, pair.left, pair.left_name, pair.right,
                     pair.right_name);
}

inline std::string text_of(const Event& event) {
  return fmt::format("{} {} {} {}", event.time, event.key, event.number, event.name);
}

inline Input draw_input(Random& random) {
  Input input;
  const std::int64_t disorder = random.chance(0.3) ? 0 : random.between(1, 100);
  input.out_of_order = random.chance(0.4) ? random.between(0, disorder) : random.between(0, 30);
  input.tasks = static_cast<std::uint32_t>(1 + random.below(3));
  const std::size_t partitions = 1 + random.below(3);
  for (std::size_t at = 0; at < partitions; ++at) {
    const std::size_t count = random.chance(0.1) ? 0 : random.below(80);
    auto& events = input.partitions.emplace_back(
        draw_partition(random, count, tumbling(Duration(20)), disorder));
    for (Event& event : events) event.key &= 3;
  }
  return input;
}

inline Stream<Event> declare_input(Topology& topology, const Input& input) {
  return topology.from(records(input.partitions, input.tasks))
      .event_time(&Event::time, {.out_of_order = Duration(input.out_of_order)});
}

inline auto collect_text(Rows& rows, const std::string& name) {
  return each([list = &rows[name]](const auto& row) { list->push_back({text_of(row), 0}); });
}
/// The texts of each key and window in the order of times and places.
inline void collect_order(const Stream<Pair>& pairs, Rows& rows) {
  pairs.key_by(&Pair::key)
      .window(tumbling(Duration(50)))
      .list([](const Pair& pair) { return text_of(pair); }, 10'000)
      .to(each([list = &rows["order"]](const auto& row) {
        list->push_back({fmt::format("{} {}", row.window_start, fmt::join(row.value, " | ")), 0});
      }));
}

}  // namespace millrace::property
