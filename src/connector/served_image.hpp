// ServedShard::Image: the rows of a shard at a barrier, written while the shard goes on changing.
#pragma once

#include <string>
#include <string_view>

#include "connector/served_shard.hpp"
#include "state/table_parts.hpp"

namespace millrace::detail {

/// A row that is about to change is written first; one that came since is passed over.
class ServedShard::Image final : public OpenParts {
 public:
  explicit Image(ServedShard& shard);
  ~Image() override { shard_.image_ = nullptr; }

  std::size_t advance(std::size_t slots) override;
  bool done() const override { return done_; }
  void give_pieces(StateWriter& writer) override;
  void give(StateWriter& writer) override;

  void add(std::string_view key, std::string_view values, Time time);

 private:
  ServedShard& shard_;
  BytesByGroup bytes_;
  std::string written_to_;
  bool done_ = false;
};

}  // namespace millrace::detail
