// RolledFiles: bytes in files of bounded size and age, each hidden until it is whole and committed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "connector/epoch_writer.hpp"
#include "connector/rolled_folder.hpp"
#include "env/disk.hpp"

namespace millrace::detail {

struct RolledNames {
  std::string stem;       ///< files are STEM-00000001EXTENSION; safe_file_name()
  std::string extension;  ///< with its dot
  std::string header;     ///< the first bytes of each file
};

/// `text` with '_' for what is not a letter, digit, '.', '_' or '-' of ASCII; told apart by a hash
/// where it is longer than 100 bytes.
std::string safe_file_name(std::string_view text);

/// Writes to .STEM-N, which grows by epochs and is cut back to the last complete one on recovery.
/// When it is large or old enough the next one begins, and it becomes STEM-N with the commit of the
/// epoch that holds its end. Numbers rise and are not used again. Without epochs it becomes STEM-N
/// at once, and what a killed run left becomes so at the next open(). One thread.
///
/// Cost: each byte is written once; an epoch that wrote costs a sync of its file, of the folder
/// where a name changed.
class RolledFiles final : public EpochWriter {
 public:
  /// `disk` and `clock` outlive it.
  RolledFiles(Disk& disk, Clock& clock, RolledFolder to, RolledNames names, bool epochs);

  /// Makes the folder and takes the lock of the stem; before all else. Errors: 3005, 4001, 4002.
  Status open();
  Status recover(std::string_view prepared, bool append) override;
  bool needs_header() const override { return false; }

  /// Whole lines, so that no file ends within one.
  Status write(std::string_view bytes) override;
  Status flush() override;
  /// The file that grows is shown, if all of it is committed.
  Status close() override;

  Result<std::string> prepare() override;
  Status commit(std::string_view prepared) override;

 private:
  /// How far the file that grows has come; what prepare() spells.
  struct Place {
    std::uint64_t number = 1;
    std::uint64_t bytes = 0;        ///< 0: there is no file yet
    std::uint64_t begun_at_us = 0;  ///< when its first record came
    auto operator<=>(const Place&) const = default;
  };
  struct Listed {
    std::vector<std::uint64_t> hidden;  // ascending
    std::uint64_t last = 0;             // of all that are there; 0: none
  };
  static Result<Place> read(std::string_view prepared);
  Result<Listed> list() const;
  std::string name_of(std::uint64_t number) const;
  std::string path_of(std::uint64_t number, bool hidden) const;
  /// The number in a name of ours.
  std::optional<std::uint64_t> number_in(std::string_view name) const;
  Status begin();
  bool is_old() const;
  Status finish();
  Status show(std::uint64_t number);
  Status recover_hidden(const Listed& listed, const Place& from);
  Status go_on_in(const Place& from);

  Disk& disk_;
  Clock& clock_;
  const RolledFolder to_;
  const RolledNames names_;
  const bool epochs_;
  std::unique_ptr<DiskLock> lock_;
  std::unique_ptr<DiskFile> file_;  // null: place_.bytes is 0
  Place place_;
  Place committed_;
  std::vector<std::uint64_t> whole_;  // and not committed
  bool name_is_new_ = false;          // since the folder was synced
};

}  // namespace millrace::detail
