// AskedCommand: a command that is asked in JSON about rows and keys, one line each.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "env/child_talk.hpp"
#include "operator/row_calls.hpp"
#include "record/row_reader.hpp"

namespace millrace::detail {

/// Reads answers: a JSON object with the fields of a schema, or null. One thread.
class AnswerReader {
 public:
  explicit AnswerReader(RowSchemaPtr schema);
  /// Nullopt: null. Throws std::runtime_error for what is neither; for {"error": "why"} with that
  /// reason, unless a field is called so.
  std::optional<RowValues> read(std::string_view line);

 private:
  RowJsonFormat format_;
  std::optional<RowJsonFormat> error_;  ///< none: a field is called so
  ArenaPool pool_{16u << 10};
};

/// Runs the command from the first question on; anew when it has failed. A copy runs one of its
/// own. One thread.
class AskedCommand {
 public:
  /// `limit`: of one ask().
  AskedCommand(std::string command, RowSchemaPtr answers, Duration limit)
      : command_(std::move(command)), answers_(std::move(answers)), limit_(limit) {}
  AskedCommand(const AskedCommand& other)
      : command_(other.command_),
        answers_(other.answers_),
        limit_(other.limit_),
        runs_(other.runs_) {}
  AskedCommand& operator=(const AskedCommand&) = delete;

  void open(const OperatorContext& context) { runs_ = context.env->peers != nullptr; }
  /// An answer for each of so many lines. Throws std::runtime_error.
  std::vector<std::optional<RowValues>> ask(std::string_view lines, std::size_t count);

 private:
  std::string command_;
  RowSchemaPtr answers_;
  Duration limit_;
  bool runs_ = true;  ///< false: where it is there are no commands
  std::unique_ptr<AnswerReader> reader_;
  std::unique_ptr<ChildTalk> talk_;
};

/// Asks about each row.
class CommandCall {
 public:
  CommandCall(AskedCommand command, RowAsJson question)
      : command_(std::move(command)), question_(std::move(question)) {}
  void open(const OperatorContext& context) { command_.open(context); }
  std::optional<FoundForRow> operator()(const RowRef& row);

 private:
  AskedCommand command_;
  RowAsJson question_;
};

/// Asks about keys, which are JSON objects.
class CommandLookup {
 public:
  explicit CommandLookup(AskedCommand command) : command_(std::move(command)) {}
  void open(const OperatorContext& context) { command_.open(context); }
  std::vector<std::optional<RowValues>> operator()(std::span<const std::string> keys);

 private:
  AskedCommand command_;
};

/// The same values for every row, in place of an answer.
struct ConstantAnswer {
  RowValues values;
  FoundForRow operator()(const RowRef& row) const { return {row, values}; }
};

}  // namespace millrace::detail
