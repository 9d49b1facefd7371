// `millrace run FILE.yaml`, `millrace validate FILE.yaml...` and `millrace schema`.
#pragma once

namespace millrace::apps {

/// Each takes the arguments from its own word on and returns the exit code.
int run_file_main(int argc, char** argv);
int validate_main(int argc, char** argv);
int schema_main(int argc, char** argv);

}  // namespace millrace::apps
