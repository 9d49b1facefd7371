// When epochs begin, when they are complete, and what happens to those that are not.
#include "runtime/epoch_coordinator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.hpp"

namespace millrace::detail {
namespace {

constexpr std::size_t kToldMax = 20;
/// A final epoch that failed is tried again after this time at the earliest.
constexpr std::int64_t kRetryNs = 100'000'000;
/// Readers have waited while a run was restored: its first epoch is soon, the next ones come less
/// and less often until they come at the interval.
constexpr std::int64_t kFirstGapNs = 100'000'000;
/// Meanwhile making them takes at most one part of so many of the time.
constexpr std::int64_t kGapsOfDuration = 10;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

std::int64_t to_ns(Duration duration) { return std::chrono::nanoseconds(duration).count(); }

}  // namespace

EpochCoordinator::EpochCoordinator(EpochStore& store, const EpochOptions& options,
                                   std::string topology, Env& env, Log log, std::uint64_t restored)
    : store_(store),
      options_(options),
      topology_(std::move(topology)),
      env_(env),
      log_(std::move(log)),
      chains_(store.base().has_value()),
      requested_(restored),
      complete_(restored),
      next_base_(store.base().value_or(0)),
      gap_ns_(to_ns(options.interval)) {
  told_.interval_ms = options.interval.count() / 1000;
  if (restored == 0) return;
  told_.restored_from = restored;
  gap_ns_ = std::min(gap_ns_, kFirstGapNs);
}

std::size_t EpochCoordinator::add_task(const Home& home, bool commits) {
  tasks_.push_back({&home, commits, std::nullopt, complete()});
  return running_++;
}

void EpochCoordinator::hand_in(std::size_t task, TaskImage image) {
  const std::lock_guard lock(mutex_);
  const bool awaited = open_ && !open_->images[task] && !tasks_[task].last &&
                       (image.last || image.epoch == open_->epoch);
  if (awaited) {
    --open_->left;
    open_->told.image_us = std::max(open_->told.image_us, image.stood_ns / 1000);
    if (open_->refused.ok()) open_->refused = image.status;
  }
  if (image.last) {
    MR_CHECK(!tasks_[task].last, "a task was done twice");
    tasks_[task].last = std::move(image);
    --running_;
  } else if (awaited) {
    open_->images[task] = std::move(image);
  }
  const bool due = running_ == 0 || (open_ && (open_->left == 0 || !open_->refused.ok()));
  if (!due) return;
  news_ = true;
  changed_.notify_all();
}

void EpochCoordinator::hand_in_pieces(std::uint64_t epoch, std::vector<ImagePiece> pieces) {
  const std::lock_guard lock(mutex_);
  if (!open_ || open_->epoch != epoch) return;
  std::uint64_t bytes = 0;
  for (const ImagePiece& piece : pieces) bytes += piece.part.bytes.size();
  const std::uint64_t before = waiting_.fetch_add(bytes, std::memory_order_seq_cst);
  if (memory_) memory_->grow(counted(before + bytes) - counted(before));
  std::ranges::move(pieces, std::back_inserter(open_->pieces));
  news_ = true;
  changed_.notify_all();
}

void EpochCoordinator::committed(std::size_t task, std::uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  std::uint64_t& newest = tasks_[task].committed;
  if (newest >= epoch) return;
  newest = epoch;
  if (epoch != complete() || uncommitted_ == 0 || --uncommitted_ > 0) return;
  news_ = true;  // the final epoch waits for this
  changed_.notify_all();
  for (CheckpointReport& told : told_.recent) {
    if (told.id == epoch) told.commit_us = (env_.clock->steady_ns() - completed_ns_) / 1000;
  }
  if (hands_over()) return;  // no epoch follows the one that says it
  // What the last images hold as prepared is seen now, if it belongs to this epoch.
  for (Waiter& waiter : tasks_) {
    if (!waiter.last || waiter.last->epoch > epoch) continue;
    for (StageImage& stage : waiter.last->stages) stage.prepared.clear();
  }
}

/// What is left of an epoch that was given up is removed without the lock.
bool EpochCoordinator::look(std::int64_t now_ns) {
  std::unique_lock lock(mutex_);
  const bool changed = look_locked(lock, now_ns);
  const bool under_way = open_.has_value();
  lock.unlock();
  if (!under_way) stream_.reset();
  return changed;
}

bool EpochCoordinator::look_locked(std::unique_lock<std::mutex>& lock, std::int64_t now_ns) {
  news_ = false;
  if (over() || !failure_.ok()) return false;
  if (!next_ns_) next_ns_ = now_ns + gap_ns_;
  if (!open_) {
    if (now_ns < due_ns_locked()) return false;
    begin(now_ns);
    if (open_->left > 0) return true;
  }
  if (open_->refused.ok()) write_pieces(lock);
  if (!open_->refused.ok()) {
    fail(open_->refused, now_ns);
    return true;
  }
  if (open_->left == 0) {
    keep(lock, now_ns);
    return true;
  }
  if (now_ns < due_ns_locked()) return false;
  fail({Code::sink_failed,
        fmt::format("{} of {} tasks had not taken their image after {}", open_->left, tasks_.size(),
                    format_duration(options_.timeout))},
       now_ns);
  return true;
}

void EpochCoordinator::begin(std::int64_t now_ns) {
  Open& open = open_.emplace(Open{});
  open.epoch = requested() + 1;
  open.began_ns = now_ns;
  open.images.resize(tasks_.size());
  open.left = running_;
  for (const Waiter& task : tasks_) {
    if (task.last && open.refused.ok()) open.refused = task.last->status;
  }
  open.told.id = open.epoch;
  open.told.state = "running";
  open.told.at = env_.clock->wall_us();
  open.told.base = store_.base().value_or(0);
  MR_CHECK(!hands_over() || open.told.base == base_, "last images are changes of another epoch");
  open.told.chain = open.told.base == 0 ? 0 : chain_length_ + 1;
  base_.store(open.told.base, std::memory_order_seq_cst);
  requested_.store(open.epoch, std::memory_order_seq_cst);
  wake_all();
}

/// Without the lock: meanwhile tasks hand in more.
void EpochCoordinator::write_pieces(std::unique_lock<std::mutex>& lock) {
  while (open_->refused.ok() && !open_->pieces.empty()) {
    const std::vector<ImagePiece> pieces = std::exchange(open_->pieces, {});
    lock.unlock();
    if (!stream_) stream_ = store_.begin(open_->epoch);
    Status status;
    for (const ImagePiece& piece : pieces) {
      if (status.ok()) status = stream_->add(piece);
    }
    lock.lock();
    if (open_->refused.ok()) open_->refused = std::move(status);
    let_go_on(pieces);
  }
}

/// Up to there tasks go on with their images: what is beyond has come at once.
std::uint64_t EpochCoordinator::counted(std::uint64_t waiting) {
  return waiting - std::min(waiting, kWaitingBytesMax);
}

void EpochCoordinator::let_go_on(const std::vector<ImagePiece>& written) {
  const bool was_full = is_full();
  std::uint64_t bytes = 0;
  for (const ImagePiece& piece : written) bytes += piece.part.bytes.size();
  const std::uint64_t before = waiting_.fetch_sub(bytes, std::memory_order_seq_cst);
  if (memory_) memory_->shrink(counted(before) - counted(before - bytes));
  if (was_full) wake_all();
}

/// Writes without the lock: tasks that are done meanwhile hand in their last images.
void EpochCoordinator::keep(std::unique_lock<std::mutex>& lock, std::int64_t now_ns) {
  bool final_one = false;
  open_->told.align_us = (now_ns - open_->began_ns) / 1000;
  EpochImage image = assemble(final_one);
  lock.unlock();
  if (!stream_) stream_ = store_.begin(image.epoch);
  Status status = stream_->end(image);
  const std::uint64_t bytes = status.ok() ? store_.bytes_written() : 0;
  const std::int64_t written_ns = env_.clock->steady_ns();
  lock.lock();
  give_back(image);
  open_->told.write_us = (written_ns - now_ns) / 1000;
  open_->told.bytes = bytes;
  if (status.ok()) {
    completed(written_ns, final_one);
  } else {
    fail(std::move(status), written_ns);
  }
}

EpochImage EpochCoordinator::new_image() const {
  EpochImage image;
  image.topology = topology_;
  image.taken_at = env_.clock->wall_us();
  return image;
}

EpochImage EpochCoordinator::assemble(bool& final_one) {
  EpochImage image = new_image();
  image.epoch = open_->epoch;
  final_one = true;
  image.finished = true;
  bool prepared = false;
  for (std::size_t at = 0; at < tasks_.size(); ++at) {
    std::optional<TaskImage>& own = open_->images[at];
    final_one &= !own;
    image.finished &= !own && tasks_[at].last->input_ended;
    for (StageImage& stage : own ? own->stages : tasks_[at].last->stages) {
      prepared |= !stage.prepared.empty();
      std::vector<StatePart> parts = std::move(stage.parts);  // they may be large: never copied
      stage.parts.clear();
      image.stages.push_back(stage);
      image.stages.back().parts = std::move(parts);
    }
  }
  // Who reads that a run has finished does nothing more, so another epoch says it when all is seen:
  // where what is left is handed over, one of the next run.
  final_one &= !(image.finished && prepared) || hands_over();
  image.finished &= !prepared;
  finished_ = image.finished;
  return image;
}

/// Last images belong to the next epoch as well: takes their parts back from that of the epoch that
/// is still open.
void EpochCoordinator::give_back(EpochImage& image) {
  auto from = image.stages.begin();
  for (std::size_t at = 0; at < tasks_.size(); ++at) {
    const std::optional<TaskImage>& own = open_->images[at];
    if (own) from += static_cast<std::ptrdiff_t>(own->stages.size());
    if (own) continue;
    for (StageImage& stage : tasks_[at].last->stages) stage.parts = std::move((from++)->parts);
  }
}

void EpochCoordinator::completed(std::int64_t now_ns, bool final_one) {
  const Open open = std::move(*std::exchange(open_, std::nullopt));
  failures_ = 0;
  retry_ns_ = 0;
  ++told_.completed;
  completed_ns_ = now_ns;
  uncommitted_ = static_cast<std::size_t>(
      std::ranges::count_if(tasks_, [](const Waiter& task) { return task.commits; }));
  chain_length_ = open.told.chain;
  next_base_ = store_.base().value_or(0);
  note(open.told);
  told_.recent.front().state = "complete";
  plan_next(open, now_ns);
  complete_.store(open.epoch, std::memory_order_seq_cst);
  if (final_one) over_.store(true, std::memory_order_seq_cst);
  wake_all();
}

void EpochCoordinator::fail(Status why, std::int64_t now_ns) {
  const Open open = std::move(*std::exchange(open_, std::nullopt));
  let_go_on(open.pieces);
  ++told_.failed;
  CheckpointReport told = open.told;
  told.state = "failed";
  told.why = why.message();
  note(std::move(told));
  log_(LogLevel::warn, "epoch-failed",
       fmt::format("epoch={} {}; what it holds comes with the next one", open.epoch,
                   why.to_string()));
  gap_ns_ = to_ns(options_.interval);  // several in a row end the run: not within a moment
  plan_next(open, now_ns);
  retry_ns_ = now_ns + std::max(kRetryNs, to_ns(options_.min_pause));
  if (++failures_ <= options_.failures_max) return;
  failure_ = {why.code(),
              fmt::format("{} epochs in a row failed, so the topology stops; the last one: {}",
                          failures_, why.message())};
}

void EpochCoordinator::plan_next(const Open& over, std::int64_t now_ns) {
  const std::int64_t gap = std::max(2 * gap_ns_, kGapsOfDuration * (now_ns - over.began_ns));
  gap_ns_ = std::min(to_ns(options_.interval), gap);
  next_ns_ = std::max(over.began_ns + gap_ns_, now_ns + to_ns(options_.min_pause));
  if (asked_ > over.epoch) next_ns_ = now_ns;
}

/// Why the last one failed is told however many were complete since.
void EpochCoordinator::note(CheckpointReport told) {
  auto& recent = told_.recent;
  recent.insert(recent.begin(), std::move(told));
  if (recent.size() <= kToldMax) return;
  const auto failed = std::ranges::find(recent, "failed", &CheckpointReport::state);
  recent.erase(failed == recent.end() - 1 ? recent.end() - 2 : recent.end() - 1);
}

bool EpochCoordinator::changes_come_next() const {
  const std::lock_guard lock(mutex_);
  return next_base_ != 0;
}

bool EpochCoordinator::begin_last() {
  const std::lock_guard lock(mutex_);
  last_is_next_ = true;
  if (open_ || !failure_.ok()) return false;
  base_.store(next_base_, std::memory_order_seq_cst);
  hands_over_.store(true, std::memory_order_seq_cst);
  return true;
}

EpochImage EpochCoordinator::take_last() {
  const std::lock_guard lock(mutex_);
  EpochImage image = new_image();
  image.epoch = complete();
  image.finished = finished_;
  for (Waiter& task : tasks_) {
    for (StageImage& stage : task.last->stages) image.stages.push_back(std::move(stage));
    task.last->stages.clear();
  }
  return image;
}

void EpochCoordinator::begin_soon() {
  const std::lock_guard lock(mutex_);
  next_ns_ = 0;
  news_ = true;
  changed_.notify_all();
}

std::uint64_t EpochCoordinator::ask() {
  const std::lock_guard lock(mutex_);
  asked_ = requested() + 1;
  if (!open_) next_ns_ = 0;
  news_ = true;
  changed_.notify_all();
  return asked_;
}

std::optional<Status> EpochCoordinator::outcome(std::uint64_t epoch) const {
  const std::lock_guard lock(mutex_);
  for (const CheckpointReport& told : told_.recent) {
    if (told.id == epoch && told.state == "failed") return Status(Code::sink_failed, told.why);
  }
  if (complete() >= epoch) return Status();
  return std::nullopt;
}

std::int64_t EpochCoordinator::due_ns() const {
  const std::lock_guard lock(mutex_);
  return due_ns_locked();
}

std::int64_t EpochCoordinator::due_ns_locked() const {
  if (over() || !failure_.ok()) return kNever;
  if (open_) {
    return !open_->pieces.empty() || open_->left == 0 || !open_->refused.ok()
               ? 0
               : open_->began_ns + to_ns(options_.timeout);
  }
  if (last_is_next_ && running_ > 0) return kNever;
  // The final epoch waits for sinks to commit, and for a moment when it has failed before.
  if (running_ == 0 && uncommitted_ > 0) return kNever;
  return running_ == 0 ? retry_ns_ : next_ns_.value_or(0);
}

bool EpochCoordinator::busy() const {
  const std::lock_guard lock(mutex_);
  return !over() && failure_.ok() && (open_ || (running_ == 0 && uncommitted_ == 0));
}

bool EpochCoordinator::wait(std::int64_t now_ns) {
  std::unique_lock lock(mutex_);
  const std::int64_t due = due_ns_locked();
  const auto told = [this] { return news_ || stopped_; };
  if (due == kNever) {
    changed_.wait(lock, told);
  } else if (due > now_ns) {
    changed_.wait_for(lock, std::chrono::nanoseconds(due - now_ns), told);
  }
  return !stopped_;
}

void EpochCoordinator::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

Status EpochCoordinator::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void EpochCoordinator::fill(Report& report) const {
  const std::lock_guard lock(mutex_);
  report.checkpoints = told_;
  if (told_.completed > 0) {
    report.checkpoints->age_ms = (env_.clock->steady_ns() - completed_ns_) / 1'000'000;
  }
  if (open_) {
    auto& recent = report.checkpoints->recent;
    recent.insert(recent.begin(), open_->told);
  }
}

void EpochCoordinator::wake_all() const {
  for (const Waiter& task : tasks_) task.home->wake();
}

}  // namespace millrace::detail
