// DiskTables over RocksDB: no log, for nothing in them outlives the process.
#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <vector>

#include "env/disk_table.hpp"

namespace millrace::detail {
namespace {

constexpr std::size_t kKeyBytes = sizeof(std::uint64_t);
constexpr std::size_t kOverBytes = 2 * sizeof(Time);
constexpr std::size_t kFindMax = 256;  ///< keys that are looked up at once

/// Big-endian, so that the order of the bytes is that of the numbers.
void spell(std::uint64_t key, char* to) {
  key = __builtin_bswap64(key);
  std::memcpy(to, &key, kKeyBytes);
}
std::uint64_t read_key(const rocksdb::Slice& bytes) {
  std::uint64_t key;
  std::memcpy(&key, bytes.data(), kKeyBytes);
  return __builtin_bswap64(key);
}
/// What was put stands behind when it is over.
std::string_view value_in(const rocksdb::Slice& bytes) {
  return {bytes.data() + kOverBytes, bytes.size() - kOverBytes};
}

/// Lets go of what is over while RocksDB merges its files. Its threads.
class OverFilter final : public rocksdb::CompactionFilter {
 public:
  const char* Name() const override { return "millrace-over"; }
  bool Filter(int, const rocksdb::Slice&, const rocksdb::Slice& value, std::string*,
              bool*) const override {
    OverAt over;
    std::memcpy(&over.event, value.data(), sizeof over.event);
    std::memcpy(&over.clock, value.data() + sizeof over.event, sizeof over.clock);
    return over.event <= watermark.load(std::memory_order_relaxed) &&
           over.clock <= clock.load(std::memory_order_relaxed);
  }
  std::atomic<Time> watermark{kTimeMin};
  std::atomic<Time> clock{kTimeMin};
};

/// A file that is never synced: nobody reads it after a crash, and a sync holds up who writes.
class UnsyncedFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  using FSWritableFileOwnerWrapper::FSWritableFileOwnerWrapper;
  rocksdb::IOStatus Sync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::OK();
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::OK();
  }
};

class UnsyncedFolder final : public rocksdb::FSDirectory {
 public:
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::OK();
  }
};

class UnsyncedFiles final : public rocksdb::FileSystemWrapper {
 public:
  UnsyncedFiles() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "millrace-unsynced"; }
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    const rocksdb::IOStatus status = target()->NewWritableFile(path, options, file, debug);
    if (status.ok()) *file = std::make_unique<UnsyncedFile>(std::move(*file));
    return status;
  }
  rocksdb::IOStatus NewDirectory(const std::string&, const rocksdb::IOOptions&,
                                 std::unique_ptr<rocksdb::FSDirectory>* folder,
                                 rocksdb::IODebugContext*) override {
    *folder = std::make_unique<UnsyncedFolder>();
    return rocksdb::IOStatus::OK();
  }
};

rocksdb::Env* unsynced_env() {
  static const std::unique_ptr<rocksdb::Env> env =
      rocksdb::NewCompositeEnv(std::make_shared<UnsyncedFiles>());
  return env.get();
}

rocksdb::Options options_of(const DiskTableOptions& wanted, const OverFilter& filter) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(wanted.cache_bytes);
  table.cache_index_and_filter_blocks = true;  // or they would be memory that nobody counts
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  table.format_version = 5;
  rocksdb::Options options;
  options.env = unsynced_env();
  options.create_if_missing = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.compression = rocksdb::kLZ4Compression;
  options.write_buffer_size = std::max<std::size_t>(wanted.buffer_bytes / 2, 64u << 10);
  options.max_write_buffer_number = 2;
  // Who writes waits for merges only when reading would suffer, not to keep them even.
  options.level0_slowdown_writes_trigger = 40;
  options.level0_stop_writes_trigger = 60;
  options.max_background_jobs = 2;
  options.target_file_size_base = std::max<std::size_t>(options.write_buffer_size, 2u << 20);
  options.max_bytes_for_level_base = 4 * options.target_file_size_base;
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.05;
  options.compaction_filter = &filter;
  options.info_log_level = rocksdb::FATAL_LEVEL;
  options.keep_log_file_num = 1;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.avoid_flush_during_shutdown = true;  // it is removed then
  return options;
}

Status failed(Code code, const std::string& folder, const rocksdb::Status& status) {
  return {code, "the state on disk in \"" + folder + "\": " + status.ToString() +
                    "; make room there, give another folder with --spill-dir, or "
                    "keep the state in memory with --state memory"};
}

class RocksTable final : public DiskTable {
 public:
  RocksTable(std::string folder, const DiskTableOptions& options)
      : folder_(std::move(folder)), options_(options_of(options, filter_)) {
    unlogged_.disableWAL = true;
  }
  ~RocksTable() override {
    db_.reset();
    std::error_code ignored;  // a folder that cannot be removed is in nobody's way
    (void)rocksdb::DestroyDB(folder_, options_);
    std::filesystem::remove(folder_, ignored);
  }

  Status open() {
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(folder_).parent_path(), error);
    rocksdb::DB* db = nullptr;
    rocksdb::Status status = rocksdb::DestroyDB(folder_, options_);
    if (status.ok()) status = rocksdb::DB::Open(options_, folder_, &db);
    db_.reset(db);
    return status.ok() ? Status() : failed(Code::sink_failed, folder_, status);
  }

  void put(std::uint64_t key, OverAt over, std::string_view value) override {
    char spelt[kKeyBytes];
    spell(key, spelt);
    char ends[kOverBytes];
    std::memcpy(ends, &over.event, sizeof over.event);
    std::memcpy(ends + sizeof over.event, &over.clock, sizeof over.clock);
    const rocksdb::Slice key_part(spelt, kKeyBytes);
    const rocksdb::Slice parts[] = {{ends, kOverBytes}, {value.data(), value.size()}};
    batch_.Put(rocksdb::SliceParts(&key_part, 1), rocksdb::SliceParts(parts, 2));
  }
  void erase(std::uint64_t key) override {
    char spelt[kKeyBytes];
    spell(key, spelt);
    batch_.Delete({spelt, kKeyBytes});
  }
  Status write() override {
    if (batch_.Count() == 0) return {};
    const rocksdb::Status status = db_->Write(unlogged_, &batch_);
    batch_.Clear();
    return status.ok() ? Status() : failed(Code::sink_failed, folder_, status);
  }

  Status find(std::span<const std::uint64_t> keys, const Visit& visit) override {
    for (; !keys.empty(); keys = keys.subspan(std::min(keys.size(), kFindMax))) {
      if (Status status = find_some(keys.first(std::min(keys.size(), kFindMax)), visit); !status)
        return status;
    }
    return {};
  }
  Status each(std::uint64_t first, std::uint64_t last, const Visit& visit) override {
    rocksdb::ReadOptions once;
    once.fill_cache = false;
    once.readahead_size = 1u << 20;
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(once));
    char spelt[kKeyBytes];
    spell(first, spelt);
    for (at->Seek({spelt, kKeyBytes}); at->Valid(); at->Next()) {
      const std::uint64_t key = read_key(at->key());
      if (key > last) break;
      visit(key, value_in(at->value()));
    }
    return at->status().ok() ? Status() : failed(Code::source_failed, folder_, at->status());
  }
  void set_time(Time watermark, Time clock) override {
    filter_.watermark.store(watermark, std::memory_order_relaxed);
    filter_.clock.store(clock, std::memory_order_relaxed);
  }
  std::uint64_t bytes() const override {
    std::uint64_t files = 0;
    std::uint64_t buffers = 0;
    db_->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &files);
    db_->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &buffers);
    return files + buffers;
  }

 private:
  Status find_some(std::span<const std::uint64_t> keys, const Visit& visit) {
    spelt_.resize(keys.size() * kKeyBytes);
    slices_.resize(keys.size());
    found_.resize(keys.size());
    statuses_.resize(keys.size());
    for (std::size_t at = 0; at < keys.size(); ++at) {
      spell(keys[at], &spelt_[at * kKeyBytes]);
      slices_[at] = rocksdb::Slice(&spelt_[at * kKeyBytes], kKeyBytes);
    }
    db_->MultiGet({}, db_->DefaultColumnFamily(), keys.size(), slices_.data(), found_.data(),
                  statuses_.data(), true);
    Status status;
    for (std::size_t at = 0; at < keys.size(); ++at) {
      if (statuses_[at].ok()) {
        visit(keys[at], value_in(found_[at]));
      } else if (!statuses_[at].IsNotFound() && status.ok()) {
        status = failed(Code::source_failed, folder_, statuses_[at]);
      }
      found_[at].Reset();
    }
    return status;
  }

  std::string folder_;
  OverFilter filter_;
  rocksdb::Options options_;
  rocksdb::WriteOptions unlogged_;
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::WriteBatch batch_;

  // Of find(), kept for their memory.
  std::vector<char> spelt_;
  std::vector<rocksdb::Slice> slices_;
  std::vector<rocksdb::PinnableSlice> found_;
  std::vector<rocksdb::Status> statuses_;
};

class RocksTables final : public DiskTables {
 public:
  Result<std::unique_ptr<DiskTable>> make(const std::string& folder,
                                          const DiskTableOptions& options) override {
    auto table = std::make_unique<RocksTable>(folder, options);
    if (Status status = table->open(); !status.ok()) return status;
    return std::unique_ptr<DiskTable>(std::move(table));
  }
};

}  // namespace

DiskTables& rocks_tables() {
  static RocksTables tables;
  return tables;
}

}  // namespace millrace::detail
