// DiskTable: values by hash on a scratch disk, for state that is larger than memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace::detail {

/// From when on a value is of no use any more; kTimeMax: it always is.
struct OverAt {
  Time event = kTimeMax;  ///< it is over when the watermark has come there
  Time clock = kTimeMax;  ///< and the wall clock there
};

/// What a table may use of the machine.
struct DiskTableOptions {
  std::size_t cache_bytes = 8u << 20;   ///< of memory, for blocks, indexes and filters
  std::size_t buffer_bytes = 8u << 20;  ///< of memory, for what is not written yet; about
};

/// Values by 64-bit keys, in the order of the keys. Nothing in it outlives it: what is kept is kept
/// by epochs. What put() and erase() say holds from the next write() on. One thread.
class DiskTable {
 public:
  using Visit = std::function<void(std::uint64_t key, std::string_view value)>;

  virtual ~DiskTable() = default;
  virtual void put(std::uint64_t key, OverAt over, std::string_view value) = 0;
  virtual void erase(std::uint64_t key) = 0;
  /// Errors: 4002.
  virtual Status write() = 0;
  /// Calls visit for each of `keys`, ascending and each once, that there is. Errors: 4001.
  virtual Status find(std::span<const std::uint64_t> keys, const Visit& visit) = 0;
  /// The same for all keys of [first, last], ascending. What visit changes is not seen.
  /// Errors: 4001.
  virtual Status each(std::uint64_t first, std::uint64_t last, const Visit& visit) = 0;
  /// Values that are over by then may go whenever it likes, unseen. Neither goes back.
  virtual void set_time(Time watermark, Time clock) = 0;
  /// On the disk, and in buffers. About, O(1).
  virtual std::uint64_t bytes() const = 0;
};

/// Makes tables. Any thread; outlives them.
class DiskTables {
 public:
  virtual ~DiskTables() = default;
  /// An empty table in `folder`, which is made, with those above it. What another table left there
  /// is removed; it is removed again when the table goes. Errors: 4002, also where another process
  /// uses the folder.
  virtual Result<std::unique_ptr<DiskTable>> make(const std::string& folder,
                                                  const DiskTableOptions& options) = 0;
};

/// Tables of RocksDB. Its threads flush and compact for all tables of the process; they are begun
/// with the first one.
DiskTables& rocks_tables();

}  // namespace millrace::detail
