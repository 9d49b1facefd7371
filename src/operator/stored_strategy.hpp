// What the user's own watermark strategies keep of each partition, as parts of an image.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "operator/watermark_strategy.hpp"
#include "record/stored_value.hpp"
#include "state/state_image.hpp"
#include "state/stored_tables.hpp"

namespace millrace::detail {

inline constexpr std::string_view kStrategyPart = "strategy";

/// It keeps something from record to record.
template <class Strategy>
inline constexpr bool kHasState = false;
template <class W>
inline constexpr bool kHasState<OwnWatermarks<W>> = !std::is_empty_v<W>;

/// Those of the engine keep nothing, nor do classes without members.
template <class Strategy>
void save_strategy([[maybe_unused]] StateWriter& writer, [[maybe_unused]] std::uint32_t partition,
                   [[maybe_unused]] const Strategy& strategy) {
  if constexpr (kHasState<Strategy>) {
    using Own = decltype(Strategy::own);
    if constexpr (Storable<Own>) {
      store_value(writer.partition_part(kStrategyPart, partition, stored_shape<Own>()),
                  strategy.own);
    } else {
      writer.refuse(
          "the class given to watermarks() keeps something that cannot be stored: make it a struct "
          "whose members are numbers, texts, Timestamps, lists, maps and such structs, or run "
          "without a state folder");
    }
  }
}

/// `strategy_of`(partition) gives the one to restore.
template <class Strategy, class Of>
void restore_strategies([[maybe_unused]] StateReader& reader, [[maybe_unused]] Of&& strategy_of) {
  if constexpr (kHasState<Strategy>) {
    using Own = decltype(Strategy::own);
    if constexpr (Storable<Own>) {
      reader.each(kStrategyPart, [&](const StatePart& part) {
        const auto stored = StoredReader<Own>::of(part.shape);
        if (!stored) return reader.refuse(part, stored.error().message());
        BytesCursor in(part.bytes);
        if (!stored->read(in, strategy_of(reader.local(part)).own))
          reader.refuse(part, kBytesDoNotFit);
      });
    }
  }
}

}  // namespace millrace::detail
