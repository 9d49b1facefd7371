// Where the sources lie, for tests that read files of the repository.
#pragma once

#include <string>

namespace millrace {

/// Without a slash at its end. In a file of its own, so that the others compile to the same
/// objects in every clone.
std::string source_folder();

}  // namespace millrace
