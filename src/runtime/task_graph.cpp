// Wiring a plan, opening it, and reading its counters.
#include "runtime/task_graph.hpp"

#include <algorithm>
#include <numeric>
#include <thread>

#include "base/text.hpp"
#include "runtime/side_by_side.hpp"

namespace millrace::detail {
namespace {

Status check_guarantee(Guarantee guarantee, bool epochs) {
  if (guarantee == Guarantee::exactly_once && !epochs) {
    return {Code::option_invalid,
            "the guarantee exactly_once keeps state and positions, and there is no folder to keep "
            "them in: give --state-dir DIR"};
  }
  if (guarantee == Guarantee::at_least_once && epochs) {
    return {Code::option_invalid,
            "a state folder and the guarantee at_least_once do not go together: what a message "
            "that is played again has changed before would count twice; give --guarantee "
            "exactly_once, which plays records again from the last epoch, or no --state-dir"};
  }
  return {};
}

/// Less than that is restored before another thread would have begun.
constexpr std::size_t kLargeBytes = 4u << 20;

bool is_large(const StoredStage* stored) {
  std::size_t bytes = 0;
  if (stored == nullptr) return false;
  for (const StatePart& part : stored->parts) bytes += part.size();
  return bytes >= kLargeBytes;
}

std::size_t threads_of(const RunOptions& options) {
  return options.executors != 0 ? options.executors : std::thread::hardware_concurrency();
}

Status restore_stage(Stage& stage, const StoredStage* stored) {
  try {
    return stage.restore(stored);
  } catch (const MemoryRefused& refused) {
    return {Code::memory_exceeded,
            "what is stored is more than the memory budget has for state: give --memory more"};
  } catch (const DiskFailed& failed) {
    return {failed.code(), failed.what()};
  } catch (...) {
    return {Code::state_unreadable, "what is stored cannot be read: " + current_exception_text() +
                                        "; run the program that wrote it"};
  }
}

}  // namespace

Status DeadLetterStore::keep(const DeadLetterSettings& settings, const std::string& topology) {
  journal_ = std::make_unique<DeadLetterJournal>(settings, topology, env_, log_);
  return journal_->open();
}

void DeadLetterStore::close() {
  if (journal_) journal_->close();
}

void DeadLetterStore::add(const SetAside& aside) {
  const Time now = env_.clock->wall_us();
  if (journal_) journal_->add(KeptLetter(aside, now));
  DeadLetterReport letter{std::string(aside.component), std::string(aside.reason),
                          std::string(aside.where),
                          std::string(aside.record.substr(0, kRecordBytesMax)), now};
  std::lock_guard lock(mutex_);
  if (++seen_ <= kLoggedMax) {
    std::string text = "component=";
    append_json_string(text, letter.component);
    text += " reason=";
    append_json_string(text, letter.reason);
    if (!letter.where.empty()) {
      text += " at=";
      append_json_string(text, letter.where);
    }
    if (seen_ == kLoggedMax) text += " (further ones are counted, not logged)";
    log_(LogLevel::warn, "dead-letter", text);
  }
  count_reason(letter);
  kept_.push_front(std::move(letter));
  if (kept_.size() > kKept) kept_.pop_back();
}

void DeadLetterStore::note_failure(std::string_view component, std::string_view reason,
                                   std::string_view where) {
  const std::lock_guard lock(mutex_);
  count_reason(
      {std::string(component), std::string(reason), std::string(where), "", env_.clock->wall_us()});
}

LetterOrigin DeadLetterStore::origin_of(const Arrival& place) const {
  const std::uint32_t partitions_max = Arrival::at(1, 0, 0).origin;
  const std::uint32_t node = place.origin / partitions_max;
  if (node >= sources_.size() || sources_[node].empty()) return {};
  return {sources_[node], place.origin % partitions_max, place.number};
}

void DeadLetterStore::count_reason(const DeadLetterReport& letter) {
  std::string key;
  for (const char c : letter.reason) {
    if (c < '0' || c > '9') {
      key += c;
    } else if (key.empty() || key.back() != '#') {
      key += '#';
    }
  }
  Reasons& reasons = reasons_[letter.component];
  const bool other = !reasons.contains(key) && reasons.size() + 1 >= kReasonsMax;
  ErrorReport& error = reasons[other ? std::string() : std::move(key)];
  error.reason = other ? "other reasons, the last of them: " + letter.reason : letter.reason;
  error.where = letter.where;
  error.record = letter.record;
  error.at = letter.at;
  ++error.count;
}

std::vector<ErrorReport> DeadLetterStore::errors_of(const std::string& component) const {
  std::vector<ErrorReport> errors;
  std::lock_guard lock(mutex_);
  const auto found = reasons_.find(component);
  if (found == reasons_.end()) return errors;
  for (const auto& [key, error] : found->second) errors.push_back(error);
  std::ranges::stable_sort(errors, std::ranges::greater(), &ErrorReport::at);
  return errors;
}

std::vector<DeadLetterReport> DeadLetterStore::recent() const {
  std::lock_guard lock(mutex_);
  return {kept_.begin(), kept_.end()};
}

TaskGraph::TaskGraph(Plan plan, const RunOptions& options, Env& env)
    : plan_(std::move(plan)),
      options_(options),
      env_(env),
      memory_(options.memory_bytes),
      dead_letters_(env, options.log) {
  if (plan_.settings.guarantee == Guarantee::at_least_once) {
    std::vector<std::string> stages;
    for (const PlanStage& stage : plan_.stages) stages.push_back(stage.name);
    tracking_ = std::make_unique<Tracking>(plan_.settings.acks, std::move(stages));
  }
  if (options_.epochs) {
    const std::uint64_t restored = options_.restore ? options_.restore->epoch : 0;
    epochs_ = std::make_unique<EpochCoordinator>(*options_.epochs, options_.epoch_options,
                                                 plan_.topology, env_, options_.log, restored);
    epochs_->count_with(memory_.images);
  }
  make_tasks(options_);
  for (const PlanEdge& edge : plan_.edges) {
    EdgeCounters& counters = edges_.emplace_back();
    counters.sent.resize(plan_.stages[edge.from].tasks);
    counters.received.resize(plan_.stages[edge.to].tasks);
    if (edge.fused) {
      wire_fused(edge, counters);
    } else {
      wire(edge, counters, options_);
    }
  }
  for (auto& task : tasks_) {
    task->order_stages();
    task->find_time_origins();
  }
  find_siblings();
  std::vector<std::string> sources(plan_.stages.size());
  for (const PlanStage& stage : plan_.stages) {
    if (stage.make_source) sources[stage.node] = stage.name;
  }
  dead_letters_.set_sources(std::move(sources));
}

/// What batches on their way let go now wakes nobody.
TaskGraph::~TaskGraph() {
  if (tracking_) tracking_->detach();
}

void TaskGraph::make_tasks(const RunOptions& options) {
  stages_.resize(plan_.stages.size());
  reading_.resize(plan_.stages.size());
  const Task::Surroundings around{&env_,           &memory_,      &dead_letters_,  &active_,
                                  tracking_.get(), epochs_.get(), &options_.spill, options_.calls};
  for (std::uint32_t chain = 0; chain < plan_.chains.size(); ++chain) {
    first_task_.push_back(tasks_.size());
    for (std::uint32_t index = 0; index < plan_.chains[chain].tasks; ++index) {
      auto task = std::make_unique<Task>(chain, index, around);
      for (const StageId id : plan_.chains[chain].stages) {
        if (plan_.stages[id].make_source) {
          SourceStage& added = task->add_source(plan_.stages[id]);
          added.set_limit(options.limit);
          stages_[id].push_back(&added);
        } else {
          reading_[id].push_back(&task->add_reading(plan_.stages[id]));
          stages_[id].push_back(reading_[id].back());
        }
      }
      tasks_.push_back(std::move(task));
    }
  }
}

/// Batches are cut so that the budget of what is on its way holds many of them.
std::size_t TaskGraph::batch_bytes_max() const {
  constexpr std::size_t kMost = 16u << 20;
  constexpr std::size_t kLeast = 16u << 10;
  constexpr std::size_t kShare = 16;
  if (memory_.bytes() == 0) return kMost;
  return std::clamp<std::size_t>(memory_.in_flight_max_bytes() / kShare, kLeast, kMost);
}

void TaskGraph::wire_fused(const PlanEdge& edge, EdgeCounters& counters) {
  for (std::uint32_t task = 0; task < plan_.stages[edge.from].tasks; ++task) {
    ReadingStage& to = reading(edge.to, task);
    Reader reader;
    reader.stage = &to;
    reader.channel = to.add_channel();
    reader.incoming = incoming(edge);
    reader.fused_sent = &counters.sent[task];
    reader.fused_received = &counters.received[task];
    stage(edge.from, task).outlets().add(edge.port, reader);
  }
}

Channel& TaskGraph::connect(const PlanEdge& edge, std::uint32_t sender, std::uint32_t receiver,
                            EdgeCounters& counters, const RunOptions& options) {
  const std::size_t from = task_index(plan_.stages[edge.from].chain, sender);
  const std::size_t to = task_index(plan_.stages[edge.to].chain, receiver);
  channels_.push_back(
      {std::make_unique<Channel>(*edge.type, options.ring_batches_max, &memory_.in_flight), from,
       to});
  Channel& channel = *channels_.back().channel;
  channel.set_ends(&tasks_[from]->home(), &tasks_[to]->home());
  counters.channels.push_back(&channel);
  tasks_[to]->add_input(channel, reading(edge.to, receiver), incoming(edge),
                        counters.received[receiver]);
  return channel;
}

void TaskGraph::wire(const PlanEdge& edge, EdgeCounters& counters, const RunOptions& options) {
  for (std::uint32_t sender = 0; sender < plan_.stages[edge.from].tasks; ++sender) {
    std::vector<Channel*> channels;
    switch (edge.grouping.kind) {
      case GroupingKind::forward:
        channels.push_back(&connect(edge, sender, sender, counters, options));
        break;
      default:
        for (std::uint32_t receiver = 0; receiver < plan_.stages[edge.to].tasks; ++receiver) {
          channels.push_back(&connect(edge, sender, receiver, counters, options));
        }
    }
    Task& task = *tasks_[task_index(plan_.stages[edge.from].chain, sender)];
    Router& router = task.add_router(std::make_unique<Router>(
        *edge.type, edge.grouping, std::move(channels), options.batch_records_max,
        batch_bytes_max(), counters.sent[sender]));
    counters.routers.push_back(&router);
    Reader reader;
    reader.router = &router;
    stage(edge.from, sender).outlets().add(edge.port, reader);
  }
}

/// Stages of event time whose records meet in a component are siblings, in whatever task.
void TaskGraph::find_siblings() {
  std::vector<StageId> group(plan_.stages.size());
  std::iota(group.begin(), group.end(), 0u);
  const auto of = [&group](StageId id) {
    while (group[id] != id) id = group[id] = group[group[id]];
    return id;
  };
  std::vector<OperatorStage*> origins;
  for (const auto& tasks : reading_) {
    for (ReadingStage* stage : tasks) {
      if (OperatorStage* origin = stage->time_origin()) origins.push_back(origin);
    }
  }
  for (const PlanEdge& edge : plan_.edges) {
    const PlanStage& from = plan_.stages[edge.from];
    const bool has_time =
        from.timed || (!from.make_source && reading(edge.from, 0).time_origin() != nullptr);
    if (has_time && edge.port != kErrorsPort) group[of(edge.from)] = of(edge.to);
  }
  for (OperatorStage* one : origins) {
    for (const OperatorStage* other : origins) {
      if (one != other && of(one->plan().id) == of(other->plan().id)) one->add_sibling(*other);
    }
  }
}

/// What the reader of an edge may know of it; the components of a plan are in the order of nodes.
Incoming TaskGraph::incoming(const PlanEdge& edge) const {
  const NodeId from = plan_.stages[edge.from].node;
  const NodeId to = plan_.stages[edge.to].node;
  if (from == to) return {edge.input, nullptr};
  const auto& components = plan_.info->components;
  const std::string stream =
      edge.port == kErrorsPort ? "errors" : components[from].outputs[edge.port].stream;
  for (const InputInfo& info : components[to].inputs) {
    if (info.component == components[from].name && info.stream == stream &&
        info.input == static_cast<int>(edge.input)) {
      return {edge.input, &info};
    }
  }
  return {edge.input, nullptr};
}

Status TaskGraph::start_worker() {
  WorkerContext context(plan_.info->name, plan_.info->config, resources_);
  for (const auto& hook : plan_.settings.worker_hooks) {
    try {
      hook->start(context);
    } catch (...) {
      return {Code::user_code_failed,
              "a worker hook threw while it started, so nothing runs: " + current_exception_text()};
    }
    ++worker_hooks_started_;
  }
  return {};
}

Status TaskGraph::open() {
  if (Status status = check_guarantee(plan_.settings.guarantee, options_.epochs != nullptr);
      !status.ok()) {
    return status;
  }
  if (!options_.dead_letters.folder.empty()) {
    Status status = dead_letters_.keep(options_.dead_letters, plan_.topology);
    if (!status.ok()) return status;
  }
  if (Status status = start_worker(); !status.ok()) return status;
  StageOpening opening;
  opening.hooks = &plan_.settings.task_hooks;
  opening.operator_context.env = opening.end_context.env = opening.place.env = &env_;
  opening.operator_context.log = opening.end_context.log = opening.place.log = options_.log;
  opening.operator_context.batch_records_max = options_.batch_records_max;
  opening.operator_context.batch_bytes_max = opening.end_context.batch_bytes_max =
      batch_bytes_max();
  opening.operator_context.speed = options_.speed;
  opening.end_context.batch_records_max = options_.batch_records_max;
  opening.end_context.line_bytes_max = options_.line_bytes_max;
  opening.end_context.range = options_.range;
  opening.end_context.epochs = epochs_ && !options_.sinks_at_once;
  opening.restores = epochs_ || options_.restore;
  opening.place.topology = plan_.info;
  opening.place.resources = &resources_;
  for (auto& task : tasks_) {
    if (Status status = task->open(opening); !status.ok()) return status;
  }
  return opening.restores ? restore() : Status();
}

std::vector<std::string> TaskGraph::forgetful_sources() const {
  std::vector<std::string> names;
  for (const PlanStage& plan : plan_.stages) {
    if (!plan.make_source) continue;
    const auto& tasks = stages_[plan.id];
    const bool forgets = std::any_of(tasks.begin(), tasks.end(), [](const Stage* stage) {
      return static_cast<const SourceStage*>(stage)->forgets();
    });
    if (forgets) names.push_back(plan.name);
  }
  return names;
}

/// Sinks behind all others: what cannot be restored leaves no trace.
Status TaskGraph::restore() {
  StoredStages stored;
  if (options_.restore) stored = StoredStages(std::move(*options_.restore));
  options_.restore.reset();
  for (const bool sinks : {false, true}) {
    for (const PlanStage& plan : plan_.stages) {
      if (static_cast<bool>(plan.make_sink) != sinks) continue;
      if (Status status = restore(plan, stored); !status.ok()) return status;
    }
  }
  options_.handed.reset();
  return {};
}

/// Each key group goes to the task that owns it now; false: there are none.
bool TaskGraph::give_handed(const PlanStage& plan) {
  if (!options_.handed) return false;
  const auto found = options_.handed->find(plan.stored_as);
  if (found == options_.handed->end()) return false;
  const auto tasks = static_cast<std::uint32_t>(stages_[plan.id].size());
  const auto first_of = [tasks](std::uint32_t task) {
    return (task * kKeyGroups + tasks - 1) / tasks;
  };
  for (std::uint32_t task = 0; task < tasks; ++task) {
    std::vector<std::unique_ptr<HandedState>> own;
    for (const auto& handed : found->second)
      own.push_back(handed->split(first_of(task), first_of(task + 1)));
    stages_[plan.id][task]->give(std::move(own));
  }
  options_.handed->erase(found);
  return true;
}

/// What a task has handed over is in no part any more.
HandedRun TaskGraph::hand_over() {
  HandedRun run{std::make_shared<EpochImage>(epochs_->take_last()),
                std::make_shared<HandedStates>()};
  for (StageImage& image : run.image->stages) {
    const auto plan = std::ranges::find(plan_.stages, image.stage, &PlanStage::stored_as);
    if (plan == plan_.stages.end()) continue;
    Stage& stage = *stages_[plan->id][image.task];
    if (!stage.hands_over()) continue;
    auto& handed = (*run.states)[image.stage].emplace_back(stage.hand_over());
    std::erase_if(image.parts,
                  [&](const StatePart& part) { return handed->stands_for(part.name); });
  }
  return run;
}

/// Tasks of a step share nothing of their state: where it is large, they read it side by side. The
/// failure of the first of them counts, as if they had come in turn.
Status TaskGraph::restore(const PlanStage& plan, const StoredStages& stored) {
  const StoredStage* own = stored.find(plan.stored_as);
  const auto& stages = stages_[plan.id];
  const bool handed = give_handed(plan);
  const bool large = handed || (!plan.make_source && is_large(own));
  const std::size_t threads = large ? threads_of(options_) : 1;
  std::vector<Status> outcomes(stages.size());
  side_by_side(stages.size(), threads, [&](std::size_t at) {
    const bool is_over = threads == 1 && at > 0 && !outcomes[at - 1].ok();
    outcomes[at] = is_over ? outcomes[at - 1] : restore_stage(*stages[at], own);
  });
  const auto failed = std::ranges::find_if(outcomes, [](const Status& one) { return !one.ok(); });
  if (failed == outcomes.end()) return {};
  return {failed->code(), "\"" + plan.name + "\": " + failed->message()};
}

Status TaskGraph::close() {
  for (auto& task : tasks_) task->close();
  dead_letters_.close();
  if (tracking_) tracking_->detach();
  Status failure;
  for (; worker_hooks_started_ > 0; --worker_hooks_started_) {
    try {
      plan_.settings.worker_hooks[worker_hooks_started_ - 1]->shutdown();
    } catch (...) {
      failure = {Code::user_code_failed,
                 "a worker hook threw while it shut down: " + current_exception_text()};
    }
  }
  resources_.clear();
  return failure;
}

}  // namespace millrace::detail
