// The demos: each a topology with flags of its own.
#pragma once

namespace millrace::apps {

/// `millrace demo [NAME] [flags]`; argv[0] is "demo". Returns the process's exit code.
int demo_main(int argc, char** argv);

/// `millrace demo [flags]`: a real day of Wikipedia edits, replayed, with its own oracle.
int edits_demo_main(int argc, char** argv);
/// `millrace demo posts [flags]`: a generated feed whose trends are known in advance.
int posts_demo_main(int argc, char** argv);
/// `millrace demo machine [flags]`: this computer, with alerts.
int machine_demo_main(int argc, char** argv);

}  // namespace millrace::apps
