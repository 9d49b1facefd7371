// MatchBuffer: the records of partial matches, each once, and the paths through them that partial
// matches share.
#pragma once

#include <cstdint>
#include <vector>

#include "base/memory_meter.hpp"
#include "base/time.hpp"
#include "state/counted_allocator.hpp"

namespace millrace::detail {

/// The shared versioned buffer of SASE+ (Diao, Immerman, Gyllstrom: SASE+: An Agile Language for
/// Kleene Closure over Event Streams, 2007; Agrawal et al., SIGMOD 2008): partial matches with
/// common records share them. There a node has one edge for each version it is reached by, and
/// Dewey numbers say which edges belong to which run; here each version is a node of 16 bytes with
/// the one node before it, so that a run is named by its last node and nothing is searched. Nodes
/// and records are counted and go with the last that needs them.
///
/// One a task, shared by its keys. One thread. All O(1) but letting go, O(nodes that go). Throws
/// MemoryRefused.
class MatchBuffer {
 public:
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  struct Record {
    std::uint64_t slot = 0;    ///< where its owner keeps it
    std::uint64_t number = 0;  ///< its place among the records of its key
    Time time = 0;
    std::uint32_t refs = 0;
  };
  struct Node {
    std::uint32_t before = kNone;
    std::uint32_t record = 0;
    std::uint32_t stage = 0;
    std::uint32_t refs = 0;
  };

  explicit MatchBuffer(MemoryMeter* meter)
      : records_(CountedAllocator<Record>(meter)),
        nodes_(CountedAllocator<Node>(meter)),
        free_records_(CountedAllocator<std::uint32_t>(meter)),
        free_nodes_(CountedAllocator<std::uint32_t>(meter)) {}

  const Record& record(std::uint32_t record) const { return records_[record]; }
  const Node& node(std::uint32_t node) const { return nodes_[node]; }
  const Record& record_of(std::uint32_t node) const { return records_[nodes_[node].record]; }
  /// In use.
  std::size_t records() const { return records_.size() - free_records_.size(); }
  std::size_t nodes() const { return nodes_.size() - free_nodes_.size(); }

  /// A record that no node holds yet.
  std::uint32_t add_record(std::uint64_t slot, std::uint64_t number, Time time) {
    const std::uint32_t at = take(records_, free_records_);
    records_[at] = {slot, number, time, 0};
    return at;
  }
  /// The path up to `before` (or none) and one record more, held once.
  std::uint32_t add_node(std::uint32_t before, std::uint32_t record, std::uint32_t stage) {
    const std::uint32_t at = take(nodes_, free_nodes_);
    nodes_[at] = {before, record, stage, 1};
    ++records_[record].refs;
    if (before != kNone) ++nodes_[before].refs;
    return at;
  }
  void hold(std::uint32_t node) { ++nodes_[node].refs; }
  /// Calls gone(slot) for each record that nobody needs any more.
  template <class Gone>
  void let_go(std::uint32_t node, Gone&& gone) {
    while (node != kNone && --nodes_[node].refs == 0) {
      Record& record = records_[nodes_[node].record];
      if (--record.refs == 0) {
        gone(record.slot);
        free_records_.push_back(nodes_[node].record);
      }
      free_nodes_.push_back(node);
      node = nodes_[node].before;
    }
    if (nodes() == 0 && nodes_.size() > kLoose) give_back();
  }
  /// Each record in use lies at move(slot) from now on. O(records).
  template <class Move>
  void move_records(Move&& move) {
    for (Record& record : records_) {
      if (record.refs > 0) record.slot = move(record.slot);
    }
  }

 private:
  static constexpr std::size_t kLoose = 4096;

  void give_back() {
    free_records_.clear();
    free_nodes_.clear();
    records_.clear();
    nodes_.clear();
    free_records_.shrink_to_fit();
    free_nodes_.shrink_to_fit();
    records_.shrink_to_fit();
    nodes_.shrink_to_fit();
  }
  /// The list of what is free has room for all, so that letting go asks for no memory.
  template <class T>
  static std::uint32_t take(CountedVector<T>& all, CountedVector<std::uint32_t>& free) {
    if (!free.empty()) {
      const std::uint32_t at = free.back();
      free.pop_back();
      return at;
    }
    if (all.size() == all.capacity()) {
      const std::size_t more = all.empty() ? 64 : all.size() * 2;
      free.reserve(more);  // without a change where the meter refuses
      all.reserve(more);
    }
    all.emplace_back();
    return static_cast<std::uint32_t>(all.size() - 1);
  }

  CountedVector<Record> records_;
  CountedVector<Node> nodes_;
  CountedVector<std::uint32_t> free_records_;
  CountedVector<std::uint32_t> free_nodes_;
};

}  // namespace millrace::detail
