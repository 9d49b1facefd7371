// RowCut: how rows of a key are cut, as it is written: "tumbling(24h).offset(-2h)".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "catalog/row_gap.hpp"
#include "operator/call_words.hpp"
#include "window/record_windows.hpp"
#include "window/refiring_sessions.hpp"
#include "window/refiring_windows.hpp"
#include "window/session.hpp"
#include "window/window.hpp"

namespace millrace::detail {

/// What the parameters `window` and `over` may say.
using RowWindows =
    std::variant<Windows, Sessions<RowGap>, CountWindows, LastRecords, LastSpan, RefiringWindows,
                 FinalWindows, RefiringSessions<RowGap>, FinalSessions<RowGap>>;

/// Whether windows wait for late records or emit more than once.
template <class Spec>
inline constexpr bool kRefires =
    requires(const Spec& spec) { spec.rules(); } || requires(const Spec& spec) { spec.refiring(); };
bool refires(const RowWindows& windows);

/// Windows, whether the wall clock cuts them, and which of the rows in them count where it is not
/// all.
struct RowCut {
  RowWindows windows;
  bool by_clock = false;
  std::optional<HowFarBack> last = {};
};

/// Finds the field that the windows name, where they name one. Not empty: why it cannot be.
std::string bind_gap(RowWindows& windows, const RowSchema& schema);

/// The windows of `window`: tumbling, sliding, cumulating, daily and the like, global, session,
/// count_window, with the steps that follow; or what is wrong, in a sentence.
std::variant<RowCut, std::string> parse_window(std::string_view text);
/// last(100) or last(5min); nullopt when it is not of that form.
std::optional<HowFarBack> parse_last(std::string_view text);
/// The same of `over`: last(100), last(5min) or last(5min).by_clock().
std::variant<RowCut, std::string> parse_over(std::string_view text);

}  // namespace millrace::detail
