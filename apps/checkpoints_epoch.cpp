// One file of a state folder.
#include "checkpoints_epoch.hpp"

#include <utility>

#include <fmt/format.h>

#include "checkpoint/checkpoint_store.hpp"

namespace millrace::apps {

Result<detail::EpochImage> read_epoch(const std::string& folder, std::uint64_t epoch) {
  const auto files = detail::list_checkpoints(detail::real_disk(), folder);
  if (!files) return files.error();
  const std::uint64_t wanted = epoch != 0 || files->empty() ? epoch : files->back().epoch;
  for (const detail::CheckpointFileName& file : *files) {
    if (file.epoch != wanted) continue;
    detail::ReadCheckpoint read = detail::read_checkpoint(detail::real_disk(), file.path, {});
    if (!read.status) return read.status;
    return std::move(read.image);
  }
  return Status(
      Code::source_failed,
      epoch == 0 ? fmt::format("\"{}\" has no checkpoint: give the folder of --state-dir", folder)
                 : fmt::format("\"{}\" has no epoch {}; `millrace checkpoints ls` lists them",
                               folder, epoch));
}

}  // namespace millrace::apps
