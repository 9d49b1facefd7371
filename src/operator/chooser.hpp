// Chooser: how a custom grouping of the user's picks tasks, and how any grouping's picks are kept.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "operator/task_context.hpp"
#include "record/batch.hpp"

namespace millrace {

namespace detail {

/// By receiving task: the indices of the records of a batch that it gets. The lists belong to the
/// receivers.
using Picks = std::vector<std::vector<std::uint32_t>*>;

[[noreturn]] void refuse_target(int task, int tasks);

}  // namespace detail

/// The tasks that one record goes to.
class Targets {
 public:
  Targets(detail::Picks& picks, std::uint32_t record) : picks_(picks), record_(record) {}

  /// Number of receiving tasks.
  int tasks() const { return static_cast<int>(picks_.size()); }
  /// Sends the record to task `task`, 0-based: call it once for each task; without a call nobody
  /// gets the record. Throws std::out_of_range when there is no such task.
  void add(int task) {
    if (task < 0 || task >= tasks()) detail::refuse_target(task, tasks());
    auto& list = *picks_[static_cast<std::size_t>(task)];
    if (list.empty() || list.back() != record_) list.push_back(record_);
  }

 private:
  detail::Picks& picks_;
  std::uint32_t record_;
};

/// A grouping of the user's own: derive, implement choose(), use it as custom(stream, Mine{}).
///
/// Each sending task owns a copy of the instance it was declared with; its thread alone calls it.
template <class T>
class CustomGrouping {
 public:
  virtual ~CustomGrouping() = default;
  /// Called once before the first record, with the context of the sending task and the number of
  /// receiving tasks.
  virtual void prepare(TaskContext& /*sender*/, int /*tasks*/) {}
  /// Names the tasks that get `record`. What it throws ends the topology with that text.
  virtual void choose(const T& record, Targets& targets) = 0;
};

namespace detail {

/// A custom grouping as the runtime uses it.
class Chooser {
 public:
  virtual ~Chooser() = default;
  virtual void prepare(TaskContext& sender, int tasks) = 0;
  virtual void choose(const BatchBase& batch, Picks& picks) = 0;
};

template <class T, class G>
class TypedChooser final : public Chooser {
 public:
  explicit TypedChooser(G grouping) : grouping_(std::move(grouping)) {}
  void prepare(TaskContext& sender, int tasks) override { grouping_.prepare(sender, tasks); }
  void choose(const BatchBase& base, Picks& picks) override {
    const auto& batch = static_cast<const Batch<T>&>(base);
    for (std::size_t at = 0; at < batch.values.size(); ++at) {
      Targets targets(picks, static_cast<std::uint32_t>(at));
      grouping_.G::choose(batch.values[at], targets);
    }
  }

 private:
  G grouping_;
};

}  // namespace detail
}  // namespace millrace
