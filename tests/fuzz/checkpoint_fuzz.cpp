// Fuzz target: any bytes as a checkpoint; reading holds, and what is read is written as it was.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "checkpoint/checkpoint_store.hpp"
#include "checkpoint/checkpoint_stream.hpp"
#include "env/sim_disk.hpp"

namespace {

using namespace millrace::detail;

constexpr const char* kPath = "s/epoch-0000000001.ckpt";

/// The bytes behind the beginning that every checkpoint has.
std::string as_checkpoint(const std::string& bytes) {
  SimDisk disk(1);
  (void)disk.make_folder("s");
  (void)write_checkpoint(disk, "s", "empty", {}, {});
  return disk.content("s/empty").substr(0, 16) + bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  std::string content(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  SimDisk disk(1);
  (void)disk.make_folder("s");
  disk.put(kPath, (bytes[0] & 1) == 0 ? as_checkpoint(content) : content);
  const CheckpointAccess unchecked{.no_checksum = true};
  const ReadCheckpoint read = read_checkpoint(disk, kPath, unchecked);
  (void)read_checkpoint_head(disk, kPath);
  (void)verify_checkpoints(disk, "s");
  if (const auto store = CheckpointStore::open(disk, "s", {}); store) (void)(*store)->newest();
  if (!read.status) return 0;
  const auto written = write_checkpoint(disk, "s", "again", read.image, {});
  const ReadCheckpoint again = read_checkpoint(disk, "s/again", {});
  if (!written || !again.status || again.image.stages.size() != read.image.stages.size())
    std::abort();
  return 0;
}
