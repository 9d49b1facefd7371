// Topology: the declared graph of spouts, bolts and streams, and the options of its components.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/acking_bolt.hpp"
#include "millrace/bolt.hpp"
#include "millrace/bolt_streams.hpp"
#include "millrace/grouping.hpp"
#include "millrace/sources.hpp"
#include "millrace/stream.hpp"
#include "operator/spout_source.hpp"

namespace millrace {

/// Options of a spout.
struct SpoutOptions {
  /// Number of tasks, 1 to 128. 0: 1.
  int tasks = 0;
  /// Settings of the component, over those of the topology; read with TaskContext::config().
  Config config = {};
  /// True when next() waits for others (a network, a device): it wants a thread of its own.
  bool blocking = false;
  /// At least once: messages of each task on their way, in place of what guarantee() says. 0: that.
  int pending_max = 0;
};

/// Options of a bolt.
struct BoltOptions {
  /// Number of tasks, 1 to 128. 0: the run's parallelism.
  int tasks = 0;
  /// With `tasks` 0: at most so many, whatever the run's parallelism. 0: no bound.
  int tasks_max = 0;
  /// How often tick() is called, in each task; 0: never.
  Duration tick = Duration(0);
  /// Settings of the component, over those of the topology; read with TaskContext::config().
  Config config = {};
  /// True when process() waits for others (a network, a device): it wants a thread of its own.
  bool blocking = false;
};

/// The declared graph. Declaring runs nothing; run(topology, argc, argv) does. One thread.
class Topology {
 public:
  explicit Topology(std::string name)
      : declaration_(std::make_unique<detail::Declaration>(std::move(name))) {}

  const std::string& name() const { return declaration_->graph.name(); }

  /// A stream that begins at a source: from(json_lines<Edit>("edits.jsonl")).
  template <class T>
  Stream<T> from(SourceOf<T> source) {
    detail::Node node;
    node.kind = "source";
    node.note = source.kind + (source.note.empty() ? "" : " " + source.note);
    node.tasks = source.tasks;
    node.make_source = std::move(source.make);
    node.blocks = std::move(source.blocks);
    node.problem = std::move(source.problem);
    node.output = &detail::batch_type<T>();
    return Stream<T>(*declaration_, {{declaration_->graph.add(std::move(node)), 0}});
  }

  /// What a user's spout emits: a Stream, or with Streams<...> a handle of several. Every task gets
  /// a copy of `spout`.
  template <class S>
  auto spout(std::string name, S spout, SpoutOptions options = {}) {
    static_assert(
        requires { typename S::Record; } &&
            (std::is_base_of_v<Spout<typename S::Record>, S> ||
             std::is_base_of_v<ReliableSpout<typename S::Record>, S>),
        "millrace: a spout is a class derived from Spout<Record> or ReliableSpout<Record>");
    using T = typename S::Record;
    detail::Node node =
        declared(std::move(name), "spout", options.tasks, std::move(options.config));
    node.blocking = options.blocking;
    node.pending_max = options.pending_max;
    node.make_source = [spout] { return std::make_unique<detail::SpoutSource<S, T>>(spout); };
    return detail::add_emitter<T>(*declaration_, std::move(node));
  }

  /// What a user's bolt emits: a Stream, or with Streams<...> a handle of several. Every task gets
  /// a copy of `bolt`. `inputs` is one grouping, or several in braces, of any of its input types:
  /// `{fields(orders, &Order::id), fields(payments, &Payment::order)}`.
  template <class B>
  auto bolt(std::string name, B bolt, const std::type_identity_t<detail::BoltInputs<B>>& inputs,
            BoltOptions options = {}) {
    detail::Node node = declared(std::move(name), "bolt", options.tasks, std::move(options.config));
    node.inputs = inputs.inputs;
    node.tick = options.tick;
    node.keeps_state = false;
    node.blocking = options.blocking;
    if constexpr (detail::BoltCheck<B, typename B::Input>::kComplete) {
      node.make_operator = [bolt, types = inputs.types] {
        return std::make_unique<detail::OperatorOfBolt<B>>(bolt, types);
      };
    }
    check(node, options, detail::Ticks<B>);
    return detail::add_emitter<typename B::Record>(*declaration_, std::move(node));
  }

  /// What the run promises of each record; without a call at_most_once. See docs/guarantees.md.
  /// Errors: 2010 when `acks` is out of range, from validate().
  void guarantee(Guarantee guarantee, const AckOptions& acks = {}) {
    declaration_->graph.settings().guarantee = guarantee;
    declaration_->graph.settings().acks = acks;
  }
  /// Keeps state and places in `folder`, with an image each `interval` (at least 10 ms), so that a
  /// later run goes on from there; --state-dir and --checkpoint-interval come before it. See
  /// docs/guides/how-to-survive-restarts.md. Errors: 2010 from validate().
  void state_dir(std::string folder, Duration interval = std::chrono::seconds(10)) {
    declaration_->graph.settings().state = {std::move(folder), interval};
  }
  /// Where keyed state lies: "memory"; "disk", with the keys in memory that are used most; or
  /// "auto", as without a call: in memory until half of the share that --memory has for state is
  /// used. On disk that is in `spill_dir`; empty: beside the state of state_dir(), without which
  /// "auto" stays in memory. As the settings topology.state and topology.spill_dir, and as --state
  /// and --spill-dir, which are stronger. See docs/guides/how-to-keep-state.md.
  void state_on(std::string where, std::string spill_dir = {}) {
    configure({{"topology.state", std::move(where)}});
    if (!spill_dir.empty()) configure({{"topology.spill_dir", std::move(spill_dir)}});
  }
  /// Keeps every dead letter in a journal in `folder`, at most `bytes_max` bytes of them (at least
  /// 1 MiB), the oldest go first: see docs/guides/how-to-handle-dead-letters.md. As the settings
  /// topology.dead_letters and topology.dead_letters_bytes, and as --dead-letters, which is
  /// stronger.
  void dead_letters(std::string folder, std::uint64_t bytes_max = 1u << 30) {
    configure({{"topology.dead_letters", std::move(folder)},
               {"topology.dead_letters_bytes", std::to_string(bytes_max)}});
  }
  /// Settings of the whole topology, over those of an earlier call; those of a component are over
  /// them.
  void configure(const Config& config) {
    Config& settings = declaration_->graph.settings().config;
    settings = config.over(settings);
  }
  /// Hangs `hook` on every task of every component.
  void hook(std::shared_ptr<TaskHook> hook) {
    declaration_->graph.settings().task_hooks.push_back(std::move(hook));
  }
  /// Runs `hook` at the start and the end of the process's part in the run.
  void worker_hook(std::shared_ptr<WorkerHook> hook) {
    declaration_->graph.settings().worker_hooks.push_back(std::move(hook));
  }

  /// Internal.
  detail::Declaration& declaration() const { return *declaration_; }

 private:
  static detail::Node declared(std::string name, std::string kind, int tasks, Config config) {
    detail::Node node;
    node.name = std::move(name);
    node.kind = std::move(kind);
    node.config = std::move(config);
    if (tasks < 0) {
      node.problem =
          Status(Code::tasks_invalid,
                 "a negative number of tasks: give 1 to 128, or 0 for the run's parallelism");
    } else {
      node.tasks = static_cast<std::uint32_t>(tasks);
    }
    return node;
  }

  static void check(detail::Node& node, const BoltOptions& options, bool ticks) {
    if (options.tasks_max < 0) {
      node.problem = Status(Code::tasks_invalid, "tasks_max is negative: give a bound, or 0");
    } else {
      node.tasks_max = static_cast<std::uint32_t>(options.tasks_max);
    }
    if (options.tick < Duration(0)) {
      node.problem = Status(Code::parameter_invalid,
                            "tick is negative: give a duration above 0, or 0 for no ticks");
    } else if (options.tick > Duration(0) && !ticks) {
      node.problem = Status(Code::parameter_invalid,
                            "a tick is asked for, but the bolt has no tick(Output<...>&): "
                            "write one, or leave .tick out");
    }
  }

  std::unique_ptr<detail::Declaration> declaration_;
};

}  // namespace millrace
