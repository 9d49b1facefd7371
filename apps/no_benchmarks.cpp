// `millrace bench` where the program is built for its tests alone: figures would say nothing.
#include "bench/bench.hpp"
#include "host/host.hpp"

namespace millrace::bench {

int bench_main(int /*argc*/, char** /*argv*/) {
  return detail::report_error(
      {Code::option_unknown, "bench: this build has no benchmarks; `make bench` makes them"});
}

}  // namespace millrace::bench
