// ChildTalk: a shell command that is asked in lines and answers each with one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace::detail {

/// One thread. The command is ended when this goes.
class ChildTalk {
 public:
  virtual ~ChildTalk() = default;
  /// Writes `lines`, which end with '\n', and gives the next `answers` lines that the command
  /// prints, without their ends. Waits for them at most `limit`, of the wall's clock. Behind an
  /// error no answer can be told from another: it is not to be asked again. Errors: 4001 when the
  /// command ends, answers too late, with more lines than it was asked for, or with one of more
  /// than a MiB.
  virtual Result<std::vector<std::string>> ask(std::string_view lines, std::size_t answers,
                                               Duration limit) = 0;
};

/// Starts it: its messages go where ours go. Errors: 4001.
Result<std::unique_ptr<ChildTalk>> talk_with_child(const std::string& command);

}  // namespace millrace::detail
