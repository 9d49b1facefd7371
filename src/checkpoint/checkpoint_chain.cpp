// Files from the newest to the one that is whole, and parts put over each other.
#include "checkpoint/checkpoint_chain.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/hash.hpp"
#include "checkpoint/checkpoint_file.hpp"
#include "checkpoint/checkpoint_store.hpp"
#include "state/chained_parts.hpp"

namespace millrace::detail {
namespace {

/// A part, and what stands beside it; any of them may be missing.
struct Layer {
  std::optional<StatePart> entries;
  std::optional<StatePart> cuts;
  std::optional<StatePart> gone;
};

Result<std::string> bytes_of(const std::optional<StatePart>& part) {
  if (!part) return std::string();
  if (part->stored) return part->stored->read();
  return part->bytes;
}

/// Keys that newer layers have. Most entries of a large one are in none: a filter of a few bits a
/// key (after Bloom) says so from the caches near the core.
class KnownKeys {
 public:
  bool contains(std::string_view key) const {
    if (keys_.empty()) return false;
    const std::uint64_t bit = hash_bytes(key) & (bits_.size() * 64 - 1);
    return ((bits_[bit / 64] >> (bit % 64)) & 1) != 0 && keys_.contains(key);
  }
  /// The bytes outlive this.
  void add(const std::vector<std::string_view>& keys) {
    keys_.insert(keys.begin(), keys.end());
    bits_.assign(std::bit_ceil(keys_.size() * kBitsAKey / 64 + 1), 0);
    for (const std::string_view key : keys_) {
      const std::uint64_t bit = hash_bytes(key) & (bits_.size() * 64 - 1);
      bits_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    }
  }

 private:
  static constexpr std::size_t kBitsAKey = 16;
  struct Hash {
    std::size_t operator()(std::string_view key) const { return hash_bytes(key); }
  };

  std::unordered_set<std::string_view, Hash> keys_;
  std::vector<std::uint64_t> bits_;
};

/// A part that changes have been put over.
class ChainedBytes final : public StoredBytes {
 public:
  /// `layers` from the newest to the whole one, of the files at `paths`.
  ChainedBytes(std::vector<Layer> layers, std::vector<std::string> paths)
      : layers_(std::move(layers)), paths_(std::move(paths)) {
    for (const Layer& layer : layers_) size_ += layer.entries ? layer.entries->size() : 0;
  }

  /// At most: what is replaced is counted twice.
  std::uint64_t size() const override { return size_; }
  /// In the memory of the whole one, which is large.
  Result<std::string> read() const override {
    const std::size_t last = layers_.size() - 1;
    std::string newer;
    KnownKeys known;
    std::vector<std::string> held;  // what `known` points into
    held.reserve(3 * layers_.size());
    for (std::size_t at = 0; at < last; ++at) {
      if (Status status = load(at, held); !status) return status;
      if (!add(newer, known, held)) return misfit(at);
    }
    if (Status status = load(last, held); !status) return status;
    std::string whole = std::move(held[held.size() - 3]);
    if (whole.empty()) return newer;
    std::size_t before = 0;
    if (!drop_known(held[held.size() - 2], known, whole, before)) return misfit(last);
    if (!newer.empty()) whole += std::string_view(newer).substr(before);
    return whole;
  }

 private:
  /// Puts the bytes of a layer behind `held`: entries, cuts, keys that are gone.
  Status load(std::size_t at, std::vector<std::string>& held) const {
    for (const auto* part : {&layers_[at].entries, &layers_[at].cuts, &layers_[at].gone}) {
      auto bytes = bytes_of(*part);
      if (!bytes) return bytes.error();
      held.push_back(std::move(*bytes));
    }
    return {};
  }
  /// Of the changes that are held last, what no newer ones have replaced.
  static bool add(std::string& newer, KnownKeys& known, const std::vector<std::string>& held) {
    std::vector<std::string_view> keys;
    CutEntries entries(held[held.size() - 2], held[held.size() - 3]);
    if (newer.empty()) newer += entries.before();
    while (entries.next()) {
      if (!known.contains(entries.key())) newer += entries.entry();
      keys.push_back(entries.key());
    }
    BytesCursor gone(held.back());
    while (gone.ok() && !gone.rest().empty()) keys.push_back(gone.take(gone.varint()));
    known.add(keys);
    return entries.whole() && gone.ok();
  }
  /// Moves the entries of `whole` that are not known together. `before`: what stands before them.
  static bool drop_known(std::string_view cuts, const KnownKeys& known, std::string& whole,
                         std::size_t& before) {
    CutEntries entries(cuts, whole);
    before = entries.before().size();
    char* to = whole.data() + before;
    const char* run = to;  // entries that stay, one behind the other
    std::size_t bytes = 0;
    const auto move_run = [&] {
      std::memmove(to, run, bytes);
      to += bytes;
    };
    while (entries.next()) {
      const std::string_view entry = entries.entry();
      if (!known.contains(entries.key())) {
        bytes += entry.size();
        continue;
      }
      move_run();
      run = entry.data() + entry.size();
      bytes = 0;
    }
    move_run();
    whole.resize(static_cast<std::size_t>(to - whole.data()));
    return entries.whole();
  }
  Status misfit(std::size_t at) const {
    return checkpoint_damage(paths_[at], 0, "the entries of a part are not as long as it says");
  }

  std::vector<Layer> layers_;
  std::vector<std::string> paths_;
  std::uint64_t size_ = 0;
};

bool is_beside(const StatePart& part) {
  return part.name.ends_with(kCutsSuffix) || part.name.ends_with(kGoneSuffix) ||
         part.name.ends_with(kBaseSuffix);
}

/// The parts of one stage in one task by name, key groups and all.
class PartsByName {
 public:
  explicit PartsByName(const StageImage& stage) {
    for (const StatePart& part : stage.parts) {
      if (part.owner == PartOwner::key_group) by_group_[{part.name, part.number}] = &part;
      if (part.owner == PartOwner::task && part.name.ends_with(kBaseSuffix))
        changed_.push_back(part.name.substr(0, part.name.size() - kBaseSuffix.size()));
    }
  }
  /// Names of parts that are changes.
  const std::vector<std::string>& changed() const { return changed_; }
  bool changes(const std::string& name) const {
    return std::ranges::find(changed_, name) != changed_.end();
  }
  Layer layer(const std::string& name, std::uint32_t group) const {
    return {find(name, group), find(name + std::string(kCutsSuffix), group),
            find(name + std::string(kGoneSuffix), group)};
  }

 private:
  std::optional<StatePart> find(const std::string& name, std::uint32_t group) const {
    const auto found = by_group_.find({name, group});
    if (found == by_group_.end()) return std::nullopt;
    return *found->second;
  }

  std::map<std::pair<std::string, std::uint32_t>, const StatePart*> by_group_;
  std::vector<std::string> changed_;
};

/// The files of a chain, from the newest on.
class Chain {
 public:
  Chain(Disk& disk, const std::string& folder, const CheckpointAccess& access)
      : disk_(disk), folder_(folder), access_(access) {
    access_.leave_parts = true;
  }

  ReadCheckpoint read(std::uint64_t epoch) {
    add(epoch);
    while (files_.back().status && files_.back().base.epoch != 0) add_base(files_.back().base);
    ReadCheckpoint whole;
    for (const ReadCheckpoint& file : files_) {
      whole.bytes += file.bytes;
      whole.status = file.status;
      whole.damaged = file.damaged;
    }
    whole.base = files_.front().base;
    whole.crc = files_.front().crc;
    if (!whole.status) return whole;
    whole.image = merge();
    whole.status = problem_;
    whole.damaged = !problem_.ok();
    return whole;
  }

 private:
  std::string path_of(std::uint64_t epoch) const { return folder_ + "/" + checkpoint_name(epoch); }
  void add(std::uint64_t epoch) {
    paths_.push_back(path_of(epoch));
    files_.push_back(read_checkpoint(disk_, paths_.back(), access_));
    ReadCheckpoint& file = files_.back();
    if (!file.status || file.image.epoch == epoch) return;
    refuse(file, fmt::format("it is that of epoch {}", file.image.epoch));
  }
  void add_base(CheckpointBase base) {
    if (!disk_.exists(path_of(base.epoch))) {
      const std::string changes = paths_.back();
      paths_.push_back(path_of(base.epoch));
      files_.emplace_back();
      refuse(files_.back(), fmt::format("it is not there, and \"{}\" holds its changes", changes));
      return;
    }
    add(base.epoch);
    if (files_.back().status && files_.back().crc != base.crc && !access_.no_checksum) {
      refuse(files_.back(), fmt::format("it is not the file that \"{}\" holds the changes of",
                                        paths_[paths_.size() - 2]));
    }
  }
  void refuse(ReadCheckpoint& file, std::string_view why) {
    file.damaged = true;
    file.status = checkpoint_damage(paths_.back(), 0, why);
  }

  EpochImage merge() {
    // Files of version 1 hold their parts in memory.
    EpochImage image = files_.size() > 1 ? files_.front().image : std::move(files_.front().image);
    if (files_.size() == 1) {
      for (StageImage& stage : image.stages) std::erase_if(stage.parts, is_beside);
      return image;
    }
    for (StageImage& stage : image.stages) merge_stage(stage);
    return image;
  }
  /// Changes and the layer below are of the same run: the same tasks.
  void merge_stage(StageImage& stage) {
    std::vector<PartsByName> below;
    for (const ReadCheckpoint& file : files_) {
      const auto same = [&stage](const StageImage& other) {
        return other.stage == stage.stage && other.task == stage.task;
      };
      const auto found = std::ranges::find_if(file.image.stages, same);
      if (found == file.image.stages.end()) break;
      below.emplace_back(*found);
    }
    const std::vector<std::string> changed = below.front().changed();
    std::erase_if(stage.parts, [&](const StatePart& part) {
      return is_beside(part) ||
             (part.owner == PartOwner::key_group && below.front().changes(part.name));
    });
    for (const std::string& name : changed) {
      const auto changes = [&name](const PartsByName& parts) { return parts.changes(name); };
      if (std::ranges::all_of(below, changes)) {
        problem_ = checkpoint_damage(paths_[below.size() - 1], 0,
                                     "of \"" + name + "\" it holds the changes of nothing");
      }
      for (std::uint32_t group = 0; group < kKeyGroups; ++group)
        merge_part(below, name, group, stage.parts);
    }
  }
  void merge_part(const std::vector<PartsByName>& below, const std::string& name,
                  std::uint32_t group, std::vector<StatePart>& to) const {
    std::vector<Layer> layers;
    std::vector<std::string> paths;
    const StatePart* like = nullptr;
    for (std::size_t at = 0; at < below.size(); ++at) {
      Layer layer = below[at].layer(name, group);
      if (layer.entries || layer.gone) {
        layers.push_back(std::move(layer));
        paths.push_back(paths_[at]);
      }
      if (!below[at].changes(name)) break;
    }
    for (const Layer& layer : layers) like = layer.entries ? &*layer.entries : like;
    if (like == nullptr) return;
    StatePart part{like->name, like->shape, like->owner, like->number, {}};
    part.stored = layers.size() == 1
                      ? like->stored
                      : std::make_shared<ChainedBytes>(std::move(layers), std::move(paths));
    to.push_back(std::move(part));
  }

  Disk& disk_;
  const std::string& folder_;
  CheckpointAccess access_;
  std::vector<ReadCheckpoint> files_;
  std::vector<std::string> paths_;
  Status problem_;
};

/// Reads what was left in the files.
Status take_parts(EpochImage& image) {
  for (StageImage& stage : image.stages) {
    for (StatePart& part : stage.parts) {
      if (!part.stored) continue;
      auto bytes = part.stored->read();
      if (!bytes) return bytes.error();
      part.bytes = std::move(*bytes);
      part.stored.reset();
    }
  }
  return {};
}

}  // namespace

ReadCheckpoint read_checkpoint_chain(Disk& disk, const std::string& folder, std::uint64_t epoch,
                                     const CheckpointAccess& access) {
  ReadCheckpoint read = Chain(disk, folder, access).read(epoch);
  if (!read.status || access.leave_parts) return read;
  read.status = take_parts(read.image);
  return read;
}

}  // namespace millrace::detail
