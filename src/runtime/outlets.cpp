// Handing batches, watermarks and ends to the readers of a stage.
#include "runtime/outlets.hpp"

#include "runtime/reading_stage.hpp"

namespace millrace::detail {

void Outlets::add(std::uint32_t port, Reader reader) {
  if (port == kErrorsPort) return errors_.push_back(reader);
  if (ports_.size() <= port) ports_.resize(port + 1);
  ports_[port].push_back(reader);
}

void Outlets::open(TaskContext& sender) {
  for (const auto& readers : ports_) {
    for (const Reader& reader : readers) {
      if (reader.router) reader.router->open(sender);
    }
  }
}

void Outlets::hand_to(const std::vector<Reader>& readers, BatchBase& batch) {
  const std::size_t count = batch.size();
  const bool exclusive = readers.size() == 1;
  for (const Reader& reader : readers) {
    if (reader.router) {
      reader.router->push(batch, exclusive);
    } else {
      reader.fused_sent->add(count);
      reader.stage->receive(batch, exclusive, reader.incoming, *reader.fused_received);
    }
  }
}

void Outlets::advance(Time watermark, std::int64_t due_ns) const {
  for_each([&](const Reader& reader) {
    if (reader.router) {
      reader.router->advance(watermark, due_ns);
    } else {
      reader.stage->advance_channel(reader.channel, watermark);
    }
  });
}

void Outlets::end() const {
  for_each([](const Reader& reader) {
    if (reader.router) {
      reader.router->end();
    } else {
      reader.stage->end_channel(reader.channel);
    }
  });
}

}  // namespace millrace::detail
