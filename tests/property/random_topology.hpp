// Declares the drawn inputs and steps, and collects what sinks get as rows of text.
#pragma once

#include <fmt/format.h>

#include <string>
#include <tuple>
#include <utility>

#include "naive_model.hpp"
#include "schedule_run.hpp"

namespace millrace::property {

/// What the folds make: commutative, with the initial value as its neutral element.
struct Stats {
  std::int64_t records = 0;
  std::int64_t greatest = 0;
  std::int64_t mixed = 0;
};
inline void add_to(Stats& stats, const Event& event) {
  ++stats.records;
  stats.greatest = std::max(stats.greatest, event.number);
  stats.mixed ^= event.number * 7 + event.time;
}
inline void merge_into(Stats& stats, const Stats& other) {
  stats.records += other.records;
  stats.greatest = std::max(stats.greatest, other.greatest);
  stats.mixed ^= other.mixed;
}

inline std::string text_of(std::int32_t key) { return std::to_string(key); }
inline std::string text_of(std::string_view key) { return std::string(key); }
template <class A, class B>
std::string text_of(const std::tuple<A, B>& key) {
  return text_of(std::get<0>(key)) + "/" + text_of(std::get<1>(key));
}

template <class K>
OutRow row_of(const K& key, Bounds window, double value) {
  return {fmt::format("{} [{}, {})", text_of(key), window.first, window.second), value};
}
template <class K>
OutRow row_of(const K& key, Bounds window, std::int64_t value) {
  return {fmt::format("{} [{}, {}) = {}", text_of(key), window.first, window.second, value), 0};
}
template <class K>
OutRow row_of(const K& key, Bounds window, const Stats& value) {
  return {fmt::format("{} [{}, {}) = {} {} {}", text_of(key), window.first, window.second,
                      value.records, value.greatest, value.mixed),
          0};
}
inline OutRow ranked(std::uint32_t rank, OutRow row) {
  row.text = fmt::format("{}. {}", rank, row.text);
  return row;
}

template <class K, class V>
OutRow row_of(const Aggregate<K, V>& row) {
  return row_of(row.key, {row.window_start, row.window_end}, row.value);
}
template <class K, class V>
OutRow row_of(const Ranked<K, V>& row) {
  return ranked(row.rank, row_of(row.key, {row.window_start, row.window_end}, row.value));
}

/// A sink that appends to `rows[name]`.
inline auto collect(Rows& rows, const std::string& name) {
  return each([list = &rows[name]](const auto& row) { list->push_back(row_of(row)); });
}

struct MappingBolt : Bolt<Event, Event> {
  explicit MappingBolt(std::int64_t number) : parameter(number) {}
  void process(const Event& event, Output<Event>& out) override {
    out.emit(mapped(event, parameter));
  }
  std::int64_t parameter;
};

/// Emits zero to two copies whose text lies in the batch's own arena.
struct Renaming {
  std::int64_t parameter;
  void operator()(const Event& event, Output<Event>& out) const {
    const std::string name = renamed(event, parameter);
    for (std::size_t left = copies(event, parameter); left > 0; --left) {
      Event copy = event;
      copy.name = out.intern(name);
      out.emit(copy);
    }
  }
};
struct RenamingBolt : Bolt<Event, Event> {
  explicit RenamingBolt(std::int64_t number) : renaming{number} {}
  void process(const Event& event, Output<Event>& out) override { renaming(event, out); }
  Renaming renaming;
};

/// The same task for equal keys, by a rule of its own.
struct ByKey : CustomGrouping<Event> {
  void choose(const Event& event, Targets& targets) override {
    targets.add(static_cast<int>(event.key & 0xff) % targets.tasks());
  }
};

/// Even numbers go on, odd ones to a task that their key names.
using Halves = Streams<Event, DirectOut<"odd", Event>>;
struct HalvingBolt : Bolt<Event, Halves> {
  void process(const Event& event, Output<Halves>& out) override {
    if (event.number % 2 == 0) return out.emit(event);
    out.emit_to<"odd">(static_cast<int>(event.key & 0xff) % out.tasks<"odd">(), event);
  }
};

inline Stream<Event> declare_direct(Topology& topology, const Stream<Event>& stream,
                                    std::int64_t parameter, const std::string& name) {
  const auto halves = topology.bolt(name + " halves", HalvingBolt{}, shuffle(stream));
  const auto odd =
      topology.bolt(name + " odd", MappingBolt(parameter), direct(halves.stream<"odd">()));
  return topology.bolt(name + " even", MappingBolt(parameter), shuffle(halves)).merge(odd);
}

inline Stream<Event> declare_step(Topology& topology, const Stream<Event>& stream, Step step,
                                  const std::string& name) {
  const std::int64_t parameter = step.parameter;
  const auto map = [parameter](const Event& event) { return mapped(event, parameter); };
  const auto keep = [parameter](const Event& event) { return kept(event, parameter); };
  switch (step.op) {
    case Op::map:
      return stream.map(map);
    case Op::filter:
      return stream.filter(keep);
    case Op::flat_map:
      return stream.flat_map(Renaming{parameter});
    case Op::branch_merge: {
      const auto parts = stream.branch(keep);
      return parts[0].map(map).merge(parts[1]);
    }
    case Op::process:
      return stream.process(Renaming{parameter});
    case Op::peek:
      return stream.peek([parameter](const Event& event) {
        if (refused(event, parameter)) throw std::runtime_error("refused");
      });
    case Op::sample:
      return stream.sample(sample_fraction(parameter), static_cast<std::uint64_t>(parameter));
    case Op::split_kind: {
      const auto of = stream.split(kind_of, 0, 1, 2);
      return of[0].merge(of[1].map(map));
    }
    case Op::split_cases:
      return stream.split(when("kept", keep)).others().map(map);
    case Op::shuffle_map:
      return stream.shuffle().map(map);
    case Op::parallel_map:
      return stream.map(map).parallel(static_cast<int>(parameter));
    case Op::bolt_shuffle:
      return topology.bolt(name, MappingBolt(parameter), shuffle(stream));
    case Op::bolt_fields:
      return topology.bolt(name, RenamingBolt(parameter), fields(stream, &Event::name));
    case Op::bolt_one:
      return topology.bolt(name, MappingBolt(parameter), global(stream));
    case Op::bolt_partial_key:
      return topology.bolt(name, MappingBolt(parameter),
                           partial_key(stream, &Event::name, &Event::key));
    case Op::bolt_local:
      return topology.bolt(name, MappingBolt(parameter), local_or_shuffle(stream));
    case Op::bolt_none:
      return topology.bolt(name, MappingBolt(parameter), none(stream));
    case Op::bolt_custom:
      return topology.bolt(name, MappingBolt(parameter), custom(stream, ByKey{}));
    case Op::bolt_direct:
      return declare_direct(topology, stream, parameter, name);
    case Op::verb_grouped:
      return fields(stream, &Event::key).stream().map(map);
  }
  return stream;
}

/// The drawn inputs, merged, behind the drawn steps.
inline Stream<Event> declare_trunk(Topology& topology, const Case& drawn) {
  std::vector<Stream<Event>> streams;
  for (const Input& input : drawn.inputs) {
    streams.push_back(
        topology.from(records(input.partitions, input.tasks))
            .event_time(&Event::time, {.out_of_order = Duration(input.out_of_order)}));
  }
  Stream<Event> trunk = streams.size() == 1 ? streams[0] : streams[0].merge(streams[1]);
  for (std::size_t at = 0; at < drawn.steps.size(); ++at) {
    trunk = declare_step(topology, trunk, drawn.steps[at], fmt::format("step {}", at));
  }
  return trunk;
}

}  // namespace millrace::property
