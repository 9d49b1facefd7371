// Files and clients in turn.
#include "connector/line_feed.hpp"

#include <fmt/format.h>

#include <algorithm>
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
  turns_ = PartitionTurns(static_cast<std::uint32_t>(paths_.size()), context.task, context.tasks,
                          kOpenMax);
  inputs_.resize(turns_.count());
  for (std::uint32_t local = 0; local < std::min(turns_.count(), kOpenMax); ++local) {
    if (Status status = open_input_of(local); !status) return status;
  }
  return {};
}

std::string FileFeed::partition_name(std::uint32_t partition) const {
  return partition < turns_.count() ? paths_[turns_.global(partition)] : options_.path;
}

Status FileFeed::open_input_of(std::uint32_t local) {
  LineInputOptions options = options_;
  options.path = paths_[turns_.global(local)];
  inputs_[local] = std::make_unique<LineInput>(std::move(options));
  return inputs_[local]->open(*context_);
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
  if (ended_) {
    inputs_[last_].reset();
    turns_.end_current();
    return turns_.all_ended() ? Poll::ended : Poll::partition_ended;
  }
  return turns_.passed(*poll == Poll::ready);
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
