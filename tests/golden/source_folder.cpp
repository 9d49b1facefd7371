// The one file of tests that is told a path.
#include "source_folder.hpp"

namespace millrace {

std::string source_folder() { return MILLRACE_SOURCE_DIR; }

}  // namespace millrace
