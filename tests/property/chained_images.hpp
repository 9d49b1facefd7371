// ChainedImages: the images of an operator's tasks as files of whole epochs and of changes, read
// back as what they stand for.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint_store.hpp"
#include "env/sim_disk.hpp"
#include "operator/operator.hpp"

namespace millrace::property {

class ChainedImages {
 public:
  /// Begins the images of an epoch of all tasks. Of many tasks each epoch is whole, for the files
  /// of their parts take their time.
  std::vector<detail::StateWriter> begin(const std::vector<detail::Operator*>& ops,
                                         detail::Outputs& outputs) {
    const detail::ImageChain chain{++epoch_, *store_->base()};
    const auto tasks = static_cast<std::uint32_t>(ops.size());
    std::vector<detail::StateWriter> writers;
    for (std::uint32_t at = 0; at < tasks; ++at) {
      ops[at]->before_barrier(outputs);
      detail::StateWriter& writer = writers.emplace_back(at, tasks);
      if (tasks <= kTasksMax) writer.chain(chain);
      ops[at]->save_state(writer);
      (void)writer.advance(1);
    }
    return writers;
  }
  /// Writes the images to the end, and reads back what all have; nothing where the epoch `fails`:
  /// in turn before its images are whole and behind that.
  std::vector<detail::StatePart> keep(std::vector<detail::StateWriter> writers,
                                      bool fails = false) {
    std::vector<std::vector<detail::StatePart>> parts;
    if (fails && epoch_ % 2 == 1) return {};
    for (detail::StateWriter& writer : writers) parts.push_back(writer.take());
    if (fails) return {};
    const auto tasks = static_cast<std::uint32_t>(parts.size());
    if (tasks > kTasksMax) return all_of(std::move(parts));
    detail::EpochImage image{epoch_, "t", 0, false, {}};
    for (std::uint32_t task = 0; task < tasks; ++task) {
      image.stages.push_back({"stage", "stage", task, tasks});
      image.stages.back().parts = std::move(parts[task]);
    }
    EXPECT_TRUE(store_->write(image).ok());
    auto newest = store_->newest();
    EXPECT_TRUE(newest && *newest) << newest.error().to_string();
    if (!newest || !*newest) return {};
    parts.clear();
    for (detail::StageImage& stage : (*newest)->stages) parts.push_back(std::move(stage.parts));
    return all_of(std::move(parts));
  }
  /// The file of the last epoch.
  std::uint64_t bytes_written() const { return store_->bytes_written(); }
  /// Other tasks go on: their first image is whole.
  void begin_anew() {
    store_.reset();
    store_ = open();
  }

 private:
  static constexpr std::size_t kTasksMax = 5;

  static std::vector<detail::StatePart> all_of(std::vector<std::vector<detail::StatePart>> parts) {
    std::vector<detail::StatePart> all;
    for (auto& of_task : parts) {
      for (detail::StatePart& part : of_task) all.push_back(std::move(part));
    }
    return all;
  }
  std::unique_ptr<detail::CheckpointStore> open() {
    return std::move(*detail::CheckpointStore::open(
        disk_, "s", {.keep = 1, .base_bytes_min = 0, .changes_percent_max = 1000}));
  }

  detail::SimDisk disk_{1};
  std::unique_ptr<detail::CheckpointStore> store_ = open();
  std::uint64_t epoch_ = 0;
};

}  // namespace millrace::property
