// Batch<T>: what moves along an edge: records, their event times, the arenas they point into and a
// control mark.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "record/arena.hpp"
#include "record/message_refs.hpp"

namespace millrace::detail {

/// The watermark of its own partition that a record was already behind when it left the source.
/// Records that were not behind have no entry: lateness depends on the partition's contents alone.
struct Behind {
  std::uint32_t index;
  Time watermark;
};

/// Where a record stands among all records of the inputs: what breaks ties between equal event
/// times, the same for every schedule. Ordered by source, partition, number in the partition, and
/// the place among the records that were made of one.
struct Arrival {
  std::uint32_t origin = 0;  ///< the component and partition it began at
  std::uint32_t path = 0;    ///< see child()
  std::uint64_t number = 0;  ///< position in its partition

  static Arrival at(std::uint32_t component, std::uint32_t partition, std::uint64_t number) {
    return {component << kPartitionBits | (partition & ((1u << kPartitionBits) - 1)), 0, number};
  }
  /// The place of the `index`-th record made of this one. Paths are 27 bits of a prefix code that
  /// keeps order, and their length: three bits a step up to index 6, nine up to 69. Exact for
  /// 260,000 records made of one, or nine steps that make up to seven each; beyond that a tie
  /// remains.
  Arrival child(std::uint64_t index) const;

  friend bool operator==(const Arrival&, const Arrival&) = default;
  friend bool operator<(const Arrival& a, const Arrival& b) {
    if (a.origin != b.origin) return a.origin < b.origin;
    return a.number != b.number ? a.number < b.number : a.path < b.path;
  }

 private:
  static constexpr std::uint32_t kPartitionBits = 20;
};

/// The type-independent part of a batch. Owned by one task at a time.
class BatchBase {
 public:
  BatchBase() = default;
  BatchBase(BatchBase&&) = default;
  BatchBase& operator=(BatchBase&&) = default;
  virtual ~BatchBase() = default;
  virtual std::size_t size() const = 0;
  /// Empties records and marks; keeps capacity.
  void clear() {
    clear_records();
    times.clear();
    hashes.clear();
    hashed_by = nullptr;
    behind.clear();
    arrivals.clear();
    messages.release();
    arenas.clear();
    watermark = kTimeMin;
    barrier = 0;
    end = false;
    due_ns = 0;
    partition = 0;
    offset = 0;
    lap = 0;
  }
  bool has_times() const { return !times.empty(); }
  /// Records that have neither time nor place nor message: there is nothing to hand on with them.
  bool is_plain() const { return times.empty() && arrivals.empty() && messages.empty(); }
  /// The place of a record; records that came without one have them all equal.
  Arrival arrival_of(std::size_t index) const {
    return index < arrivals.size() ? arrivals[index] : Arrival{};
  }
  /// The message of a record; none where nothing is tracked.
  MessageRef message_of(std::size_t index) const {
    return index < messages.size() ? messages[index] : MessageRef();
  }
  /// Keeps `arena` alive as long as this batch; O(1) for the arena added last.
  void pin(const ArenaRef& arena) {
    if (!arenas.empty() && arenas.back() == arena) return;
    for (const ArenaRef& held : arenas) {
      if (held == arena) return;
    }
    arenas.push_back(arena);
  }
  void pin_all(const BatchBase& other) {
    for (const ArenaRef& arena : other.arenas) pin(arena);
  }

  std::vector<Time> times;            ///< one per record, or empty: records without event time
  std::vector<std::uint64_t> hashes;  ///< key hash per record as carried from a shuffle, or empty
  const void* hashed_by = nullptr;    ///< identity of the key that `hashes` are of
  std::vector<Behind> behind;         ///< sparse, ascending by index
  std::vector<Arrival> arrivals;      ///< one per record where a reader breaks ties, else empty
  MessageRefs messages;               ///< one per record where messages are tracked, else empty
  std::vector<ArenaRef> arenas;       ///< every arena that a record points into
  Time watermark = kTimeMin;          ///< mark after the last record; kTimeMin: none
  std::uint64_t barrier = 0;          ///< mark after that: the epoch that ends here; 0: none
  bool end = false;                   ///< the sender sends nothing after this batch
  std::int64_t due_ns = 0;       ///< steady time at which the oldest record was due; 0: unknown
  std::uint32_t partition = 0;   ///< source partition (meaningful in the source's chain)
  std::uint64_t offset = 0;      ///< position of the first record in its partition
  std::uint32_t lap = 0;         ///< how often a repeating source began again
  std::size_t queued_bytes = 0;  ///< what its channel counts for it; the channel's own

 protected:
  virtual void clear_records() = 0;
};

using BatchPtr = std::unique_ptr<BatchBase>;

/// Records of the user's own type.
template <class T>
class Batch final : public BatchBase {
 public:
  std::size_t size() const override { return values.size(); }
  std::vector<T> values;

 protected:
  void clear_records() override { values.clear(); }
};

/// Record `at` of a batch: a reference, or of rows a place in their columns.
template <class T>
decltype(auto) record_at(const Batch<T>& batch, std::size_t at) {
  return batch.values[at];
}

/// Forgets all but the first `size` records.
template <class T>
void truncate(std::vector<T>& values, std::size_t size) {
  values.erase(values.begin() + static_cast<std::ptrdiff_t>(size), values.end());
}

/// `std::vector<bool>` has no references; booleans travel in this wrapper's place.
template <>
class Batch<bool>;

/// What the runtime may do with batches of a type it does not know.
class BatchType {
 public:
  virtual ~BatchType() = default;
  virtual BatchPtr make() const = 0;
  /// Appends records `picks` of `from` to `to`, with their times, hashes, lateness marks and
  /// arenas.
  virtual void append(BatchBase& to, const BatchBase& from,
                      std::span<const std::uint32_t> picks) const = 0;
  /// Appends all of `from`.
  virtual void append_all(BatchBase& to, const BatchBase& from) const = 0;
  /// Exchanges contents, marks included; both must be of this type.
  virtual void swap(BatchBase& a, BatchBase& b) const = 0;
  /// Copies what the records borrow into one arena of the batch's own and lets go of the others.
  virtual void rehome(BatchBase& batch) const = 0;
  /// Bytes of one record as it lies in the batch.
  virtual std::size_t record_bytes() const = 0;
  /// Bytes that the records [first, size) hold on the heap by themselves (std::string). O(1) for
  /// types that hold none, else O(records).
  virtual std::size_t heap_bytes(const BatchBase& batch, std::size_t first) const = 0;
  /// The record as a JSON text for dead letters; a placeholder for types without schema.
  virtual std::string describe(const BatchBase& batch, std::size_t index) const = 0;
};

}  // namespace millrace::detail
