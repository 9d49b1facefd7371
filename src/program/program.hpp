// The face of `program`: the commands for topologies that are files.
#pragma once

#include "millrace/components.hpp"

namespace millrace::detail {

/// `run FILE.yaml`, `plan FILE.yaml`, `validate FILE.yaml...` and `schema`, with components of
/// one's own beside those that come with Millrace. Each takes the arguments from its own word on
/// and returns the exit code; `program` is what the help calls the program.
int run_file_main(const std::string& program, const Components& own, int argc, char** argv);
int plan_main(const std::string& program, const Components& own, int argc, char** argv);
int validate_main(const std::string& program, const Components& own, int argc, char** argv);
int schema_main(const Components& own);

}  // namespace millrace::detail
