// How the path of an Arrival is laid out: see Arrival::child().
#pragma once

#include <cstdint>

#include "record/batch.hpp"

namespace millrace::detail {

inline constexpr std::uint32_t kPathLengthBits = 5;
inline constexpr std::uint32_t kPathBits = 32 - kPathLengthBits;
/// In place of the length: the path had no room for all steps, so that others may have the same.
inline constexpr std::uint32_t kPathIsCut = (1u << kPathLengthBits) - 1;

/// True: no other record that was made of the same one has this place.
inline bool is_exact(const Arrival& place) { return (place.path & kPathIsCut) != kPathIsCut; }

}  // namespace millrace::detail
