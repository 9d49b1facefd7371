// The summary is out when a run returns: a process that is ended then has told all.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "host/host.hpp"
#include "tests/unit/folder_harness.hpp"

namespace millrace {
namespace {

/// What `act` leaves on stdout, which is a file meanwhile, when nobody flushes it.
template <class Act>
std::string told_by(const std::string& path, const Act& act) {
  std::fflush(stdout);
  const int before = ::dup(STDOUT_FILENO);
  std::FILE* const file = std::fopen(path.c_str(), "w");
  ::dup2(::fileno(file), STDOUT_FILENO);
  act();
  std::ostringstream told;
  told << std::ifstream(path).rdbuf();
  std::fflush(stdout);
  ::dup2(before, STDOUT_FILENO);
  ::close(before);
  std::fclose(file);
  return told.str();
}

TEST(Summary, IsOutWhenTheRunReturns) {
  const detail::FolderHarness folder;
  Topology topology("numbers");
  topology.from(records(std::vector<std::vector<int>>{{1, 2, 3}}))
      .map([](int value) { return std::to_string(value); })
      .to(log(folder.path("numbers.txt")));
  detail::HostOptions options;
  options.ui = "off";
  options.json = true;
  options.log_level = LogLevel::off;
  const std::string told =
      told_by(folder.path("out"), [&] { EXPECT_EQ(detail::run_with(topology, options, {}), 0); });
  EXPECT_TRUE(told.ends_with("}\n")) << told;
  EXPECT_NE(told.find("\"finished\""), std::string::npos) << told;
}

}  // namespace
}  // namespace millrace
