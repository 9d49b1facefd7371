// Questions and answers in JSON.
#include "connector/asked_command.hpp"

#include <cstring>
#include <stdexcept>

#include "connector/line_reader.hpp"

namespace millrace::detail {
namespace {

constexpr const char* kError = "error";

RowSchemaPtr error_schema() {
  return std::make_shared<const RowSchema>(
      std::vector<ColumnInfo>{{kError, ColumnType::text, false}});
}

}  // namespace

AnswerReader::AnswerReader(RowSchemaPtr schema) : format_(schema) {
  if (!schema->find(kError)) error_.emplace(error_schema());
}

std::optional<RowValues> AnswerReader::read(std::string_view line) {
  const ArenaRef texts = pool_.take();
  // With the bytes that the reader may look at behind it.
  char* const bytes = texts->allocate(line.size() + LineReader::kPaddingBytes);
  std::memcpy(bytes, line.data(), line.size());
  std::memset(bytes + line.size(), 0, LineReader::kPaddingBytes);
  const std::string_view text(bytes, line.size());
  if (text == "null" || text == "null\r") return std::nullopt;
  RowColumns rows;
  if (error_ && text.find("\"error\"") != text.npos &&
      error_->append(text, rows, *texts) == Decoded::record)
    throw std::runtime_error(std::string(rows[0].text(0)));
  rows = RowColumns();
  switch (format_.append(text, rows, *texts)) {
    case Decoded::record:
      return values_of_row(rows[0]);
    case Decoded::blank:
      throw std::runtime_error("the answer is a blank line: print a JSON object, or null");
    default:
      throw std::runtime_error("the answer does not fit: " + format_.error() + ", found " +
                               std::string(line.substr(0, 200)));
  }
}

std::vector<std::optional<RowValues>> AskedCommand::ask(std::string_view lines, std::size_t count) {
  if (!runs_) throw std::runtime_error("a test driver and a simulation run no commands");
  if (!reader_) reader_ = std::make_unique<AnswerReader>(answers_);
  if (!talk_) {
    auto started = talk_with_child(command_);
    if (!started) throw std::runtime_error(started.error().message());
    talk_ = *std::move(started);
  }
  auto answers = talk_->ask(lines, count, limit_);
  if (!answers) {
    talk_.reset();
    throw std::runtime_error(answers.error().message());
  }
  std::vector<std::optional<RowValues>> values;
  values.reserve(count);
  for (const std::string& answer : *answers) values.push_back(reader_->read(answer));
  return values;
}

std::optional<FoundForRow> CommandCall::operator()(const RowRef& row) {
  std::optional<RowValues> answer = command_.ask(question_(row) + "\n", 1).front();
  if (!answer) return std::nullopt;
  return FoundForRow{row, std::move(*answer)};
}

std::vector<std::optional<RowValues>> CommandLookup::operator()(std::span<const std::string> keys) {
  std::string lines;
  for (const std::string& key : keys) lines += key + "\n";
  return command_.ask(lines, keys.size());
}

}  // namespace millrace::detail
