// A program as a user writes it, for the tests of places: copies lines from one place to another.
#include <cstdio>
#include "millrace/millrace.hpp"
#include "place.hpp"

/// usage: ends FROM TO [flags]
int main(int argc, char** argv) {
  using namespace millrace;
  if (argc < 3) {
    std::fputs("usage: ends FROM TO [flags]\n", stderr);
    return 64;
  }
  Topology topology("ends");
  topology.from(lines(place(argv[1]))).named("in").to(csv(place(argv[2]), {.header = false}));
  argv[2] = argv[0];
  return run(topology, argc - 2, argv + 2);
}
