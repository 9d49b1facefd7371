// Files and clients in turn.
#include "connector/line_feed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace millrace::detail {

std::unique_ptr<LineFeed> make_line_feed(LineInputOptions options) {
  if (options.kind == EndpointKind::listen) return std::make_unique<ClientFeed>(std::move(options));
  return std::make_unique<FileFeed>(std::move(options));
}

// ---- files ----

Status FileFeed::open(const EndContext& context) {
  context_ = &context;
  paths_.assign(1, options_.path);
  if (options_.kind == EndpointKind::file && options_.path != "-") {
    Result<std::vector<std::string>> found = context.env->files->list(options_.path);
    if (!found) return found.error();
    paths_ = *std::move(found);
  }
  return open_first();
}

Status FileFeed::open_first() {
  turns_ = PartitionTurns(static_cast<std::uint32_t>(paths_.size()), *context_, kOpenMax);
  inputs_.clear();
  inputs_.resize(turns_.count());
  begins_.resize(turns_.count());
  for (std::uint32_t local = 0; local < std::min(turns_.count(), kOpenMax); ++local) {
    if (Status status = open_input_of(local); !status) return status;
  }
  return {};
}

std::string FileFeed::partition_name(std::uint32_t partition) const {
  return partition < turns_.count() ? paths_[turns_.global(partition)] : options_.path;
}

Status FileFeed::open_input_of(std::uint32_t local) {
  if (begins_[local].ended) return {};
  LineInputOptions options = options_;
  options.path = paths_[turns_.global(local)];
  inputs_[local] = std::make_unique<LineInput>(std::move(options));
  return inputs_[local]->open(*context_, begins_[local].place);
}

bool FileFeed::replayable() const {
  const bool kept = options_.kind == EndpointKind::file || options_.kind == EndpointKind::follow;
  return kept && options_.path != "-" &&
         std::all_of(inputs_.begin(), inputs_.end(),
                     [](const auto& input) { return !input || input->rereadable(); });
}

void FileFeed::save_positions(std::vector<SourcePosition>& to, const Notes& notes) const {
  for (std::uint32_t local = 0; local < turns_.count(); ++local) {
    FilePosition position = begins_[local];
    position.number = turns_.global(local);
    if (inputs_[local]) position.place = inputs_[local]->place();
    if (notes.of && !position.ended) position.note = notes.of(local);
    to.push_back(position.spelled(paths_[position.number]));
  }
}

Status FileFeed::resume(std::span<const SourcePosition> positions, const Notes& notes) {
  const Result<std::vector<FilePosition>> found = take_paths(positions);
  if (!found) return found.error();
  begins_.clear();
  for (std::size_t at = context_->task; at < paths_.size(); at += context_->tasks) {
    begins_.push_back(at < found->size() ? (*found)[at] : FilePosition());
    const std::string note = std::exchange(begins_.back().note, {});
    if (!notes.take || note.empty()) continue;
    if (Status taken = notes.take(begins_.size() - 1, note, paths_[at]); !taken) return taken;
  }
  return open_first();
}

/// The positions of all tasks by their partitions' numbers; makes paths_ theirs and then the new
/// ones.
Result<std::vector<FilePosition>> FileFeed::take_paths(std::span<const SourcePosition> positions) {
  std::set<std::string> there(paths_.begin(), paths_.end());
  std::vector<FilePosition> found(positions.size());
  std::vector<std::string> paths(positions.size());
  for (const SourcePosition& position : positions) {
    const Result<FilePosition> read = FilePosition::read(position);
    if (!read) return read.error();
    if (read->number >= paths.size() || !paths[read->number].empty()) {
      return unreadable_position(position);
    }
    if (there.erase(position.partition) == 0 && !read->ended) {
      return Status(Code::source_failed,
                    fmt::format("\"{}\" was not read to its end, and is not among the files of "
                                "\"{}\" any more: put it back, or begin anew with another state "
                                "folder",
                                position.partition, options_.path));
    }
    paths[read->number] = position.partition;
    found[read->number] = *read;
  }
  paths.insert(paths.end(), there.begin(), there.end());
  paths_ = std::move(paths);
  return found;
}

Result<Poll> FileFeed::read(std::vector<std::string_view>& lines, std::size_t lines_max,
                            BatchBase& batch) {
  return read_by(batch, [&](LineInput& input) { return input.read(lines, lines_max, batch); });
}

Result<Poll> FileFeed::read_block(LineBlock& block) {
  return read_by(block, [&](LineInput& input) { return input.read_block(block); });
}

template <class Read>
Result<Poll> FileFeed::read_by(BatchBase& batch, Read&& read) {
  if (turns_.all_ended()) return Poll::ended;
  last_ = turns_.current();
  if (begins_[last_].ended) {
    batch.partition = last_;
    return end_current();
  }
  if (!inputs_[last_]) {
    if (Status status = open_input_of(last_); !status) return status;
  }
  LineInput& input = *inputs_[last_];
  const std::uint64_t before = input.lines_read();
  batch.partition = last_;
  Result<Poll> poll = read(input);
  if (!poll) return poll;
  lines_read_ += input.lines_read() - before;
  first_line_ = input.first_line();
  ended_ = *poll == Poll::ended;
  return ended_ ? end_current() : turns_.passed(*poll == Poll::ready);
}

Poll FileFeed::end_current() {
  ended_ = begins_[last_].ended = true;
  inputs_[last_].reset();
  turns_.end_current();
  return turns_.all_ended() ? Poll::ended : Poll::partition_ended;
}

// ---- clients ----

Status ClientFeed::open(const EndContext& context) {
  context_ = &context;
  partitions_ = context.task == 0 ? 1 : 0;
  if (partitions_ == 0) return {};
  if (context.env->peers == nullptr) {
    return Status(Code::source_failed, fmt::format("\"{}\" cannot be listened on: a simulation has "
                                                   "no sockets; feed it from a file",
                                                   options_.path));
  }
  Result<std::unique_ptr<Listener>> listener = context.env->peers->listen(options_.path);
  if (!listener) return listener.error();
  listener_ = *std::move(listener);
  return {};
}

Status ClientFeed::take_clients() {
  for (;;) {
    Result<std::unique_ptr<ByteReader>> client = listener_->accept();
    if (!client) return client.error();
    if (!*client) return {};
    if (clients_.size() >= kClientsMax) {
      context_->log(LogLevel::warn, "client-refused",
                    fmt::format("address={} has {} clients already", options_.path, kClientsMax));
      continue;
    }
    constexpr std::size_t kBlockBytes = 16u << 10;
    const LineReaderOptions reading{options_.path, kBlockBytes,
                                    std::min(context_->line_bytes_max, kLineBytesMax),
                                    options_.quotes, context_->arenas};
    clients_.push_back({next_id_++, std::make_unique<LineReader>(*std::move(client), reading,
                                                                 context_->dead_letters)});
  }
}

Result<Poll> ClientFeed::read(std::vector<std::string_view>& lines, std::size_t lines_max,
                              BatchBase& batch) {
  if (partitions_ == 0) return Poll::ended;
  if (Status status = take_clients(); !status) return status;
  batch.partition = 0;
  for (std::size_t looked = clients_.size(); looked > 0; --looked) {
    if (turn_ >= clients_.size()) turn_ = 0;
    if (read_client(lines, lines_max, batch)) return Poll::ready;
  }
  return Poll::idle;
}

/// True when there is something to hand on: lines, or the end of the client.
bool ClientFeed::read_client(std::vector<std::string_view>& lines, std::size_t lines_max,
                             BatchBase& batch) {
  Client& client = clients_[turn_];
  LineReader& reader = *client.reader;
  const std::uint64_t before = reader.lines_read();
  const Result<Poll> poll = reader.read(lines, lines_max);
  last_ = client.id;
  first_line_ = reader.first_line();
  lines_read_ += reader.lines_read() - before;
  batch.offset = reader.first_offset();
  if (!lines.empty()) batch.pin(reader.arena());
  ended_ = !poll || *poll == Poll::ended;
  if (!poll) {
    context_->log(LogLevel::warn, "client-lost",
                  fmt::format("address={} {}", options_.path, poll.error().message()));
  }
  if (ended_) {
    clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(turn_));
    return true;
  }
  ++turn_;
  return !lines.empty();
}

void ClientFeed::close() {
  clients_.clear();
  listener_.reset();
}

}  // namespace millrace::detail
