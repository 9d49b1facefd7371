// LetterReplay: hands the records of dead letters again to where a topology reads them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/status.hpp"
#include "env/disk.hpp"
#include "host/letter_walk.hpp"
#include "host/replay_marks.hpp"

namespace millrace::detail {

/// Where records go.
class ReplayTarget {
 public:
  virtual ~ReplayTarget() = default;
  virtual Status write(const KeptLetter& letter) = 0;
  /// Makes all of it durable.
  virtual Status close() = 0;
};

/// `to`: a file, to which each record is appended as a line; "-", standard output; or
/// journal:DIR/TOPIC, which is made when it is not there, and may be one that this process writes
/// to as well. `flag` says it, for errors. Errors: 1002, 4002, 4004.
Result<std::unique_ptr<ReplayTarget>> open_target(const std::string& to, const std::string& flag);
/// Whether `to` is one, before anything is made. Errors: 1002.
Status check_target(const std::string& to, const std::string& flag);

/// What became of the letters that were asked for.
struct Replayed {
  std::uint64_t records = 0;
  std::uint64_t before = 0;  ///< replayed before
  std::uint64_t cut = 0;     ///< longer than what is kept
  std::uint64_t none = 0;    ///< no records
};

/// "12 records replayed to again.jsonl", and what was passed over.
std::string to_text(const Replayed& done, const std::string& to);

/// Writes records first and marks them after: a replay that is killed between may write some twice,
/// and loses none. Holds the lock of the folder, so that there is one at a time. One thread.
class LetterReplay {
 public:
  /// `again`: those too that were replayed before. Errors: 4001 where there are no letters; 3005
  /// while another replay has them; 4004; as open_target().
  static Result<std::unique_ptr<LetterReplay>> open(const std::string& folder, LetterFilter filter,
                                                    const std::string& to, const std::string& flag,
                                                    bool again);

  /// Looks at `letters` more, or some MiB of them; false: that was all of them. Errors: 4001, 4002,
  /// 4004.
  Result<bool> step(std::uint64_t letters);
  /// Makes durable and marks what was written so far; once, at the end. Errors: as step().
  Status finish();
  const Replayed& done() const { return done_; }

 private:
  LetterReplay(std::string folder, LetterWalk walk, bool again)
      : folder_(std::move(folder)), walk_(std::move(walk)), again_(again) {}
  Status take(const PlacedLetter& placed);

  const std::string folder_;
  LetterWalk walk_;
  const bool again_;
  std::unique_ptr<DiskLock> lock_;
  ReplayMarks marks_;
  std::unique_ptr<ReplayTarget> target_;
  Replayed done_;
};

}  // namespace millrace::detail
