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

/// What an image reads of a table.
enum class DiskImage : std::uint8_t {
  alone,    ///< all values; it says nothing to those that come behind it
  base,     ///< all values; those put from then on are the changes of the next one
  changes,  ///< those put as changed since the last that was no `alone`
};

/// Values by 64-bit keys. Nothing in it outlives it: what is kept is kept by epochs. No visit()
/// changes anything of it. One thread.
class DiskTable {
 public:
  using Visit = std::function<void(std::uint64_t key, std::string_view value)>;

  virtual ~DiskTable() = default;
  /// `changed`: it is not what it was when the last image began.
  virtual void put(std::uint64_t key, OverAt over, std::string_view value, bool changed = true) = 0;
  virtual void erase(std::uint64_t key) = 0;
  /// Whether all that was put is there; once it is not, it never is. Errors: 4002.
  virtual Status check() const = 0;
  /// Calls visit for each of `keys`, each of which is there once, that there is, in their order.
  virtual void find(std::span<const std::uint64_t> keys, const Visit& visit) = 0;
  /// The same for all keys of [first, last], in no order.
  virtual void each(std::uint64_t first, std::uint64_t last, const Visit& visit) = 0;
  /// Values that are over by then are there no more, but for those whose end an image of changes
  /// has to tell: they stay until one has read them. Neither goes back. Nothing to do while an
  /// image is open, which has what was there when it began.
  virtual void set_time(Time watermark, Time clock) = 0;

  /// An image of what is there now begins; that before is over. O(1).
  virtual void begin_image(DiskImage what) = 0;
  /// Reads about so many values, dead ones among them, in the order in which they were put, and
  /// calls visit for those that are there still and have not been put since. How many of them are
  /// left; where that is not 0, all has been read, and the image is over.
  virtual std::size_t read_image(std::size_t values, const Visit& visit) = 0;
  /// Whether read_image() would come to what is there of that key now. Who puts or erases it first
  /// has to know. O(1).
  virtual bool is_awaited(std::uint64_t key) const = 0;
  virtual void end_image() = 0;
  /// On the disk. O(1).
  virtual std::uint64_t bytes() const = 0;
  /// Once, before the first put(): gone(key) is called within later calls for each value that goes
  /// because it is over. It asks nothing of the table.
  virtual void when_over(std::function<void(std::uint64_t key)> gone) = 0;
};

/// Calls visit for what there is of a key group: keys are hashes.
inline void each_of_group(DiskTable& table, std::uint32_t group, const DiskTable::Visit& visit) {
  constexpr int kGroupBits = 7;  // the first of a hash
  const std::uint64_t first = std::uint64_t{group} << (64 - kGroupBits);
  table.each(first, first | (~std::uint64_t{0} >> kGroupBits), visit);
}

/// Makes tables. Any thread; outlives them.
class DiskTables {
 public:
  virtual ~DiskTables() = default;
  /// An empty table in `folder`, which is made, with those above it, and removed again when the
  /// table goes and nothing else is in it. Errors: 4002.
  virtual Result<std::unique_ptr<DiskTable>> make(const std::string& folder) = 0;
};

/// Tables whose files have no names: each is its owner's alone, also where several share a folder,
/// and none outlives its process. What the disk takes is at most some three times what is put and
/// not erased, and 21 to 54 bytes a key, and more while an image is read; the memory of it is the
/// system's cache of files, which it takes back when it needs it. A disk that breaks under them
/// ends the process (SIGBUS).
///
/// Cost: of a value in the system's cache, a tenth of a microsecond to find or to put; of another,
/// a read of the disk or two.
DiskTables& log_tables();

}  // namespace millrace::detail
