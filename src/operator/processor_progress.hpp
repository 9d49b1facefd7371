// ProcessorProgress: how far the task of a user's class has come, as a part of its image.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/time.hpp"
#include "state/state_image.hpp"
#include "state/stored_tables.hpp"

namespace millrace::detail {

struct ProcessorProgress {
  Time watermark = kTimeMin;
  Time forwarded = kTimeMin;   ///< the watermark that readers have
  Time newest = kTimeMin;      ///< event time of the records
  std::uint64_t numbered = 0;  ///< places given to what timers emit

  void save(StateWriter& writer) const {
    std::string& bytes = writer.task_part(kPart, "progress");
    for (const Time time : {watermark, forwarded, newest}) put_number(bytes, time);
    put_number(bytes, numbered);
    put_number(bytes, writer.tasks());
  }
  /// Of the very task where there are as many as before; else no further than all of them had come.
  static ProcessorProgress restored(StateReader& reader) {
    ProcessorProgress all{kTimeMax, kTimeMax, kTimeMin, 0};
    bool found = false;
    bool own = false;
    reader.each(kPart, [&](const StatePart& part) {
      BytesCursor in(part.bytes);
      ProcessorProgress one;
      for (Time* const time : {&one.watermark, &one.forwarded, &one.newest})
        *time = in.number<Time>();
      one.numbered = in.number<std::uint64_t>();
      const auto tasks = in.number<std::uint32_t>();
      if (!in.ok()) return reader.refuse(part, kBytesDoNotFit);
      if (own) return;
      own = tasks == reader.tasks() && part.number == reader.task();
      all = own ? one : all.joined(one);
      found = true;
    });
    return found ? all : ProcessorProgress();
  }

 private:
  static constexpr std::string_view kPart = ":progress";

  ProcessorProgress joined(const ProcessorProgress& other) const {
    return {std::min(watermark, other.watermark), std::min(forwarded, other.forwarded),
            std::max(newest, other.newest), std::max(numbered, other.numbered)};
  }
};

/// What a class holds records as, where they are not held as themselves.
template <class P>
void save_form([[maybe_unused]] StateWriter& writer, [[maybe_unused]] P& processor) {
  if constexpr (requires { processor.held_form().save(writer); })
    processor.held_form().save(writer);
}
template <class P>
void restore_form([[maybe_unused]] StateReader& reader, [[maybe_unused]] P& processor) {
  if constexpr (requires { processor.held_form().restore(reader); })
    processor.held_form().restore(reader);
}

}  // namespace millrace::detail
