// RowCut: how rows of a key are cut, as it is written: "tumbling(24h).offset(-2h)".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "window/record_windows.hpp"
#include "window/refiring_windows.hpp"
#include "window/session.hpp"
#include "window/window.hpp"

namespace millrace::detail {

/// What the parameters `window` and `over` may say.
using RowWindows =
    std::variant<Windows, Sessions<Duration>, CountWindows, LastRecords, LastSpan, ByClock<Windows>,
                 ByClock<Sessions<Duration>>, RefiringWindows, FinalWindows>;

/// Windows, and which of the rows in them count where it is not all.
struct RowCut {
  RowWindows windows;
  std::optional<HowFarBack> last;
};

/// The windows that all keys share and that emit one row a key, of event time or of the clock;
/// null: there are none.
const Windows* shared_windows(const RowWindows& windows);

/// "name(a, b)" in its parts; nullopt when it is not of that form.
struct Call {
  std::string name;
  std::vector<std::string> args;
};
std::optional<Call> parse_call(std::string_view text);

/// Text without the blanks around it.
std::string_view without_blanks(std::string_view text);

/// The windows of `window`: tumbling, sliding, cumulating, daily and the like, global, session,
/// count_window, with the steps that follow; or what is wrong, in a sentence.
std::variant<RowCut, std::string> parse_window(std::string_view text);
/// last(100) or last(5min); nullopt when it is not of that form.
std::optional<HowFarBack> parse_last(std::string_view text);
/// The same of `over`: last(100) or last(5min).
std::variant<RowCut, std::string> parse_over(std::string_view text);

}  // namespace millrace::detail
