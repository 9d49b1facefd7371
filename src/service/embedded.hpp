// The files of the page that the program carries; their bytes are generated from ui/dist by
// cmake/embed.cmake.
#pragma once

#include <span>
#include <string_view>

namespace millrace::detail {

struct EmbeddedFile {
  std::string_view name;  ///< "index.html"
  std::string_view bytes;
};

/// All files of the page, for the life of the program.
std::span<const EmbeddedFile> page_files();

}  // namespace millrace::detail
