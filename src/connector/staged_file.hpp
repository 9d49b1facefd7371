// StagedFile: a file that grows by whole epochs: what is written waits beside it until committed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "connector/epoch_writer.hpp"
#include "env/disk.hpp"

namespace millrace::detail {

/// What is written goes to parts, PATH's folder/.NAME.part-N, each of one epoch. commit() appends
/// them to PATH, which holds nothing else. One thread. See docs/decisions/0010-sinks-of-epochs.md.
///
/// Cost: everything is written twice; an epoch that wrote costs two syncs of files, one of the
/// folder.
class StagedFile final : public EpochWriter {
 public:
  /// `disk` outlives it.
  StagedFile(Disk& disk, std::string path);

  /// Begins with a file that is emptied unless `append`.
  Status recover(std::string_view prepared, bool append) override;
  /// Nothing was committed or written yet, and the file was empty.
  bool needs_header() const override { return end() + part_bytes_ == 0; }

  Status write(std::string_view bytes) override;
  Status flush() override { return {}; }
  /// Removes what was written and not prepared.
  Status close() override;

  Result<std::string> prepare() override;
  Status commit(std::string_view prepared) override;

 private:
  struct Part {
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
  };
  /// What prepare() spells.
  struct Prepared {
    std::uint64_t next = 1;   ///< the number of the next part
    std::uint64_t begin = 0;  ///< bytes of the file before the first of `parts`
    std::vector<Part> parts = {};

    std::uint64_t end() const {
      std::uint64_t at = begin;
      for (const Part& part : parts) at += part.bytes;
      return at;
    }
  };
  static Result<Prepared> read(std::string_view prepared);
  std::uint64_t end() const { return state_.end(); }
  std::string part_path(std::uint64_t number) const;
  Status open_target();
  Status append_parts(const Prepared& prepared);
  Status append_part(const Part& part, std::uint64_t at);
  Status remove_parts();

  Disk& disk_;
  const std::string path_;
  std::string folder_;
  std::string part_prefix_;  // of the names in folder_
  std::unique_ptr<DiskFile> target_;
  Prepared state_;                  // what was prepared and not committed yet
  std::unique_ptr<DiskFile> part_;  // number state_.next; null: nothing was written
  std::uint64_t part_bytes_ = 0;
};

}  // namespace millrace::detail
