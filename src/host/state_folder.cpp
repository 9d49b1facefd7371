// From the settings of a topology to an open state folder.
#include "host/state_folder.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "env/disk.hpp"
#include "host/version.hpp"
#include "operator/stateful_sink.hpp"

namespace millrace::detail {
namespace {

/// A sink that keeps rows by key is found again as a step is.
ComponentRole role_of(const Node& node) {
  if (node.make_source) return ComponentRole::source;
  if (!node.make_sink) return ComponentRole::step;
  const std::unique_ptr<Sink> sink = node.make_sink();
  const bool keeps = dynamic_cast<const StatefulSink*>(sink.get()) != nullptr;
  return keeps ? ComponentRole::step : ComponentRole::sink;
}

/// Views and callbacks show at once, and so have nothing to find again; but a name is part of the
/// idempotency keys that a callback is given.
bool shows_at_once(const Node& node) {
  return node.kind == "view" || (node.kind == "each" && !node.breaks_ties);
}

/// What verbs keep is nobody's but theirs. A source, its event times and a sink are told apart by
/// what they read and write, as long as they are the only ones of their kind. A helper is named
/// with the component that it helps.
bool lacks_name(const Graph& graph, const Node& node) {
  if (node.named || node.helps || shows_at_once(node)) return false;
  if (role_of(node) == ComponentRole::step && !node.keeps_state) return false;
  if (role_of(node) == ComponentRole::step && !node.originates_time) return true;
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [&](const Node& other) {
    return other.id != node.id && !other.named && other.kind == node.kind;
  });
}

/// What a run would go on from; of DIR@EPOCH that one.
Result<NewestCheckpoint> read_for_plan(const std::string& text) {
  const EpochName name = parse_epoch_name(text);
  const CheckpointAccess access{.leave_parts = true};
  if (!name.epoch) return read_newest_checkpoint(real_disk(), name.folder, access, {});
  auto image = read_epoch(real_disk(), name, access);
  if (!image) return image.error();
  NewestCheckpoint read;
  read.image = std::move(*image);
  return read;
}

}  // namespace

std::vector<ComponentOutline> outlines_of(const Graph& graph) {
  std::vector<ComponentOutline> outlines;
  for (const Node& node : graph.nodes())
    outlines.push_back({node.name, node.kind, role_of(node), lacks_name(graph, node)});
  return outlines;
}

int plan_against(Topology& topology, const std::string& folder, bool allow_drop) {
  const Graph& graph = topology.declaration().graph;
  const auto problems = graph.validate();
  for (const Status& problem : problems) report_error(problem);
  if (!problems.empty()) return exit_code(problems.front());
  const auto newest = read_for_plan(folder);
  if (!newest) return report_error(newest.error());
  const EpochImage* image = newest->image ? &*newest->image : nullptr;
  const RestorePlan plan = plan_restore(graph.name(), outlines_of(graph), image, allow_drop);
  for (const std::uint64_t epoch : newest->damaged) {
    std::printf("epoch %llu is damaged; `millrace checkpoints verify` says where\n",
                static_cast<unsigned long long>(epoch));
  }
  std::fputs(to_text(plan).c_str(), stdout);
  for (const Status& problem : plan.problems) report_error(problem);
  if (!plan.problems.empty()) return exit_code(plan.problems.front());
  if (image != nullptr && image->finished)
    std::fputs("the input has ended: nothing is left to do\n", stdout);
  return 0;
}

Status StateFolder::open(const Graph& graph, const StateAccess& access, const Log& log,
                         const RunPart& part,
                         std::function<void(std::uint64_t, std::uint64_t)> progress) {
  const StateSettings& settings = graph.settings().state;
  other_ = part.epoch;
  allow_drop_ = access.allow_drop;
  if (settings.folder.empty()) return other_ ? look(graph) : Status();
  interval_ = settings.interval;
  CheckpointStoreOptions options;
  options.holder = fmt::format("process {} (topology {})", ::getpid(), graph.name());
  options.access = {kVersion, access.no_sync, access.no_checksum, true, std::move(progress)};
  options.log = log;
  auto store = CheckpointStore::open(real_disk(), settings.folder, std::move(options));
  if (!store) return failed(store.error());
  store_ = std::move(*store);
  const bool says_begin = part.range.from.given() || part.epoch;
  if (says_begin && store_->highest() > 0) {
    return failed({Code::option_invalid,
                   fmt::format("--from: \"{}\" has epoch {}, which says where reading goes on: "
                               "leave --from away, or give another --state-dir",
                               settings.folder, store_->highest())});
  }
  return look(graph);
}

Status StateFolder::look_again(const Graph& graph) {
  image_.reset();
  handed_.reset();
  return look(graph);
}

void StateFolder::go_on_from(HandedRun run) {
  image_ = std::move(run.image);
  handed_ = std::move(run.states);
}

Status StateFolder::failed(Status status) {
  problems_ = {status};
  return status;
}

Status StateFolder::look(const Graph& graph) {
  Status status = store_ ? read_own(graph.settings().state.folder) : Status();
  if (status.ok() && !image_ && other_) status = read_other();
  if (!status.ok()) return failed(status);
  problems_ = plan_restore(graph.name(), outlines_of(graph), image_.get(), allow_drop_).problems;
  return problems_.empty() ? Status() : problems_.front();
}

Status StateFolder::read_own(const std::string& folder) {
  auto newest = store_->newest();
  if (!newest) return newest.error();
  if (*newest) image_ = std::make_shared<EpochImage>(std::move(**newest));
  says_ = image_ ? fmt::format("going on from epoch {} of {} in {}", image_->epoch,
                               format_iso_time(image_->taken_at), folder)
                 : fmt::format("state is kept in {}", folder);
  return {};
}

/// What the other run has written is its own: nothing of it is committed or taken back.
Status StateFolder::read_other() {
  auto image = read_epoch(real_disk(), *other_, {.leave_parts = true});
  if (!image) return image.error();
  if (image->finished) {
    return {
        Code::option_invalid,
        fmt::format("--from {}@{}: in that epoch the input has ended, so that nothing is left to "
                    "do; give an earlier one",
                    other_->folder, image->epoch)};
  }
  for (StageImage& stage : image->stages) stage.prepared.clear();
  says_ =
      fmt::format("from epoch {} of {} in {}{}{}", image->epoch, format_iso_time(image->taken_at),
                  other_->folder, says_.empty() ? "" : "; ", says_);
  image_ = std::make_shared<EpochImage>(std::move(*image));
  return {};
}

void StateFolder::give(RunOptions& run) {
  run.restore = std::move(image_);
  run.handed = std::move(handed_);
  if (!store_) return;
  run.epochs = store_.get();
  run.epoch_options.interval = interval_;
}

}  // namespace millrace::detail
