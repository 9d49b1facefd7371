// FuzzInput: bytes of the fuzzer as a file whose first byte says how it is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "env/sim_env.hpp"
#include "operator/source.hpp"

namespace millrace::detail {

class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* bytes, std::size_t size)
      : sizes_(size > 0 ? bytes[0] : 0),
        content_(reinterpret_cast<const char*>(bytes) + (size > 0 ? 1 : 0),
                 size > 0 ? size - 1 : 0) {}

  std::size_t block_bytes() const { return 1 + sizes_ % 16; }

  /// Reads the content as file "f" to its end and calls take(record) for each record; the counts
  /// must add up.
  template <class T, class Take>
  void read(Source& source, Take&& take) const {
    SimEnv env(1);
    env.files.put("f", content_);
    Count dead;
    EndContext context;
    context.env = &env.env();
    context.dead_letters = &dead;
    context.batch_records_max = 1 + sizes_ / 16;
    context.line_bytes_max = 256;
    if (!source.open(context)) std::abort();
    std::uint64_t records = 0;
    for (Poll poll = Poll::ready; poll != Poll::ended;) {
      Batch<T> batch;
      const Result<Poll> polled = source.poll(batch);
      if (!polled) return;  // UTF-16, packed data
      poll = *polled;
      records += batch.values.size();
      for (const T& record : batch.values) take(record);
    }
    if (source.records_read() != records + dead.letters) std::abort();
  }

 private:
  struct Count final : DeadLetters {
    void add(std::string_view, std::string_view, std::string_view) override { ++letters; }
    std::uint64_t letters = 0;
  };

  std::uint8_t sizes_;
  std::string content_;
};

}  // namespace millrace::detail
