// Opening, laps and marks of LineInput.
#include "connector/line_input.hpp"

#include <fmt/format.h>

#include <utility>

#include "connector/open_input.hpp"

namespace millrace::detail {

Status LineInput::open(const EndContext& context, const LinePlace& from) {
  context_ = &context;
  if (options_.repeat && (options_.path == "-" || options_.kind != EndpointKind::file)) {
    const std::string what = options_.path == "-" ? "standard input" : '"' + options_.path + '"';
    return Status(Code::source_failed, what +
                                           " cannot be repeated, because it is gone once it was "
                                           "read; name a file instead");
  }
  lap_ = from.lap;
  return open_lap(from);
}

LinePlace LineInput::place() const {
  if (!reader_) return {{}, 0, lap_};
  return {input_->place_of(reader_->next_offset()), reader_->lines_before_next(), lap_};
}

Result<Poll> LineInput::read(std::vector<std::string_view>& lines, std::size_t lines_max,
                             BatchBase& batch) {
  return read_by(batch, [&](LineReader& reader) {
    const std::size_t before = lines.size();
    Result<Poll> poll = reader.read(lines, lines_max);
    if (lines.size() > before) batch.pin(reader.arena());
    return poll;
  });
}

Result<Poll> LineInput::read_block(LineBlock& block) {
  return read_by(block, [&](LineReader& reader) {
    LineRun run;
    Result<Poll> poll = reader.read_run(run);
    if (run.lines == 0) return poll;
    run.path = std::make_shared<const std::string>(options_.path);
    block.add(std::move(run));
    block.pin(reader.arena());
    return poll;
  });
}

template <class Read>
Result<Poll> LineInput::read_by(BatchBase& batch, Read&& read) {
  if (!reader_) {
    if (Status opened = open_lap({}); !opened) return opened;
  }
  Result<Poll> poll = read(*reader_);
  if (!poll) return poll;
  batch.offset = reader_->first_offset();
  batch.lap = lap_;
  if (*poll != Poll::ended || !options_.repeat || reader_->lines_before_next() == 0) {
    return poll;
  }
  ++lap_;
  close_lap();
  return Poll::ready;
}

Status LineInput::open_lap(const LinePlace& from) {
  Result<std::unique_ptr<ByteReader>> input =
      open_input(*context_->env, options_.kind, options_.path);
  if (!input) return input.error();
  auto headed = std::make_unique<HeadedInput>(*std::move(input));
  if (from.input.offset > 0) {
    if (Status status = headed->go_to(from.input, options_.path); !status) return status;
  }
  input_ = headed.get();
  reader_ = std::make_unique<LineReader>(
      std::move(headed),
      LineReaderOptions{options_.path, options_.block_bytes, context_->line_bytes_max,
                        options_.quotes, context_->arenas, from.input.offset, from.lines},
      context_->dead_letters);
  return {};
}

void LineInput::close_lap() {
  lines_before_ = lines_read();
  reader_.reset();
  input_ = nullptr;
}

}  // namespace millrace::detail
