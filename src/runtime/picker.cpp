// Shuffle by load, fields, partial key, direct and custom groupings.
#include "runtime/picker.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.hpp"
#include "base/hash.hpp"
#include "operator/streams.hpp"

namespace millrace::detail {
namespace {

void drop_hashes(BatchBase& batch) {
  batch.hashes.clear();
  batch.hashed_by = nullptr;
}

/// Makes the hashes of `batch` those of `key`, unless it carries them already, and calls
/// use(hashes). A batch in which a key throws carries none behind: who receives the record takes
/// its key again, and sets it aside as a dead letter of its own.
template <class Use>
void with_hashes(const KeyHash& key, BatchBase& batch, Use&& use) {
  if (batch.hashed_by != &key || batch.hashes.size() != batch.size()) {
    batch.hashed_by = &key;
    try {
      key.hash(batch, batch.hashes);
    } catch (const MemoryRefused&) {
      throw;
    } catch (...) {
      key.hash_around(batch, batch.hashes, [](std::size_t) {});
      batch.hashed_by = nullptr;
    }
  }
  use(std::as_const(batch.hashes));
  if (batch.hashed_by == nullptr) batch.hashes.clear();
}

/// Levels the queues of the receivers: each batch is cut into runs so that the shortest queues are
/// filled up first. Queues of equal length get equal shares; what does not divide evenly goes to
/// the next ones in turn. A receiver that keeps up has an empty queue, so an idle one always gets
/// its share; one whose ring is half full gets nothing while others have room, so that it does not
/// hold the sender back.
class ShufflePicker : public Picker {
 public:
  explicit ShufflePicker(std::vector<const Channel*> channels) : channels_(std::move(channels)) {
    queues_.reserve(channels_.size());
  }

  void pick(BatchBase& batch, Picks& picks) override {
    drop_hashes(batch);
    look();
    std::sort(queues_.begin(), queues_.end(), [](const Queue& a, const Queue& b) {
      return a.records != b.records ? a.records < b.records : a.turn < b.turn;
    });
    share(batch.size(), picks);
  }

 protected:
  static bool has_room(const Channel& channel) { return !channel.half_full(); }
  static bool is_any(const Channel&) { return true; }

  /// Chooses the receivers to share among.
  virtual void look() {
    if (!gather(has_room)) gather(is_any);
  }
  /// True when `wanted` holds for one at least.
  bool gather(bool (*wanted)(const Channel&)) {
    queues_.clear();
    const std::size_t tasks = channels_.size();
    for (std::size_t turn = 0; turn < tasks; ++turn) {
      const std::size_t task = next_ + turn < tasks ? next_ + turn : next_ + turn - tasks;
      const Channel& channel = *channels_[task];
      if (wanted(channel)) queues_.push_back({channel.queued(), turn, task});
    }
    return !queues_.empty();
  }

 private:
  struct Queue {
    std::uint64_t records;
    std::size_t turn;  ///< place in the present round, so that ties are broken in turn
    std::size_t task;
  };

  /// Raises the first `filled` queues to one level with `count` records.
  void share(std::size_t count, Picks& picks) {
    std::uint64_t below = 0;  // what is missing to level all queues before `filled`
    std::size_t filled = 1;
    while (filled < queues_.size()) {
      const std::uint64_t more =
          below + filled * (queues_[filled].records - queues_[filled - 1].records);
      if (more >= count) break;
      below = more;
      ++filled;
    }
    const std::uint64_t level = queues_[filled - 1].records;
    const std::uint64_t rest = count - below;
    std::uint32_t at = 0;
    for (std::size_t place = 0; place < filled; ++place) {
      const Queue& queue = queues_[place];
      const std::uint64_t run =
          level - queue.records + rest / filled + (place < rest % filled ? 1 : 0);
      auto& list = *picks[queue.task];
      for (std::uint64_t left = run; left > 0; --left) list.push_back(at++);
    }
    next_ = (next_ + rest % filled) % channels_.size();
  }

  std::vector<const Channel*> channels_;
  std::vector<Queue> queues_;
  std::size_t next_ = 0;
};

/// The receivers that the sender's own thread steps, as long as one of them keeps up; then all.
class LocalPicker final : public ShufflePicker {
 public:
  using ShufflePicker::ShufflePicker;

 private:
  static bool is_near(const Channel& channel) { return channel.local() && !channel.half_full(); }
  void look() override {
    if (!gather(is_near)) ShufflePicker::look();
  }
};

class FieldsPicker final : public Picker {
 public:
  FieldsPicker(std::shared_ptr<const KeyHash> key) : key_(std::move(key)) {}

  void pick(BatchBase& batch, Picks& picks) override {
    const auto tasks = static_cast<std::uint32_t>(picks.size());
    with_hashes(*key_, batch, [&](const std::vector<std::uint64_t>& hashes) {
      for (std::size_t at = 0; at < hashes.size(); ++at) {
        picks[task_of_hash(hashes[at], tasks)]->push_back(static_cast<std::uint32_t>(at));
      }
    });
  }

 private:
  std::shared_ptr<const KeyHash> key_;
};

/// Two candidates a key, of which the one that this sender has used less gets the record (the power
/// of both choices: Nasir, De Francisci Morales, et al. 2015).
class PartialKeyPicker final : public Picker {
 public:
  PartialKeyPicker(std::shared_ptr<const KeyHash> key, std::size_t tasks)
      : key_(std::move(key)), used_(tasks) {}

  void pick(BatchBase& batch, Picks& picks) override {
    const auto tasks = static_cast<std::uint32_t>(picks.size());
    with_hashes(*key_, batch, [&](const std::vector<std::uint64_t>& hashes) {
      for (std::size_t at = 0; at < hashes.size(); ++at) {
        const std::uint32_t first = task_of_hash(hashes[at], tasks);
        std::uint32_t second = task_of_hash(hash_combine(kHashSeed, hashes[at]), tasks);
        if (second == first) second = first + 1 == tasks ? 0 : first + 1;
        const std::uint32_t task = used_[second] < used_[first] ? second : first;
        ++used_[task];
        picks[task]->push_back(static_cast<std::uint32_t>(at));
      }
    });
  }

 private:
  std::shared_ptr<const KeyHash> key_;
  std::vector<std::uint64_t> used_;  ///< records that each task got from here
};

/// The sender has written the task of each record in the place of its hash.
class DirectPicker final : public Picker {
 public:
  void pick(BatchBase& batch, Picks& picks) override {
    MR_CHECK(batch.hashed_by == &kDirectMark && batch.hashes.size() == batch.size(),
             "a batch of a direct stream lacks its tasks");
    for (std::size_t at = 0; at < batch.hashes.size(); ++at) {
      MR_CHECK(batch.hashes[at] < picks.size(), "a direct stream names a task that is not there");
      picks[batch.hashes[at]]->push_back(static_cast<std::uint32_t>(at));
    }
    // Nobody behind needs them, and other readers of the batch still do: they stay in it.
  }
};

class CustomPicker final : public Picker {
 public:
  CustomPicker(std::unique_ptr<Chooser> chooser, std::size_t tasks)
      : chooser_(std::move(chooser)), tasks_(static_cast<int>(tasks)) {}

  void open(TaskContext& sender) override { chooser_->prepare(sender, tasks_); }
  void pick(BatchBase& batch, Picks& picks) override {
    drop_hashes(batch);
    chooser_->choose(batch, picks);
  }

 private:
  std::unique_ptr<Chooser> chooser_;
  int tasks_;
};

}  // namespace

std::unique_ptr<Picker> make_picker(const Grouping& grouping,
                                    std::vector<const Channel*> channels) {
  const std::size_t tasks = channels.size();
  switch (grouping.kind) {
    case GroupingKind::forward:
    case GroupingKind::global:
    case GroupingKind::all:
    case GroupingKind::blocks:
      return nullptr;
    case GroupingKind::shuffle:
      return tasks == 1 ? nullptr : std::make_unique<ShufflePicker>(std::move(channels));
    case GroupingKind::local_or_shuffle:
      return tasks == 1 ? nullptr : std::make_unique<LocalPicker>(std::move(channels));
    case GroupingKind::fields:
      return std::make_unique<FieldsPicker>(grouping.hash);
    case GroupingKind::partial_key:
      return std::make_unique<PartialKeyPicker>(grouping.hash, tasks);
    case GroupingKind::direct:
      return std::make_unique<DirectPicker>();
    case GroupingKind::custom:
      return std::make_unique<CustomPicker>(grouping.make_chooser(), tasks);
  }
  return nullptr;
}

}  // namespace millrace::detail
