// Where keyed state goes by what the topology and the command line say.
#include <gtest/gtest.h>

#include "host/host.hpp"
#include "millrace/millrace.hpp"
#include "tests/unit/folder_harness.hpp"
#include "topology/topology_graph.hpp"

namespace millrace::detail {
namespace {

class StateOnDiskTest : public testing::Test {
 protected:
  SpillSettings settings(const std::string& on, const std::string& folder) {
    auto read = spill_settings(topology_.declaration().graph, on, folder);
    EXPECT_TRUE(read) << read.error().to_string();
    return read ? *read : SpillSettings();
  }
  Status refused(const std::string& on, const std::string& folder) {
    return spill_settings(topology_.declaration().graph, on, folder).error();
  }
  FolderHarness folder_;
  Topology topology_{"what if/it is?"};
};

TEST_F(StateOnDiskTest, ItStaysInMemoryWhereNobodySaysWhere) {
  EXPECT_EQ(settings("", "").tables, nullptr);
  EXPECT_EQ(settings("auto", "").tables, nullptr);
  EXPECT_EQ(settings("memory", folder_.path("spill")).tables, nullptr);
}

TEST_F(StateOnDiskTest, AFolderIsEnoughAndTopologiesMayShareIt) {
  const SpillSettings wanted = settings("", folder_.path("spill"));
  EXPECT_NE(wanted.tables, nullptr);
  EXPECT_EQ(wanted.folder, folder_.path("spill") + "/what_if_it_is_");
  EXPECT_FALSE(wanted.early);
  EXPECT_TRUE(settings("disk", folder_.path("spill")).early);
}

TEST_F(StateOnDiskTest, ItLiesBesideTheStateFolderByItself) {
  topology_.state_dir("/state");
  EXPECT_EQ(settings("", "").folder, "/state/spill/what_if_it_is_");
  EXPECT_EQ(settings("", folder_.path("own")).folder, folder_.path("own") + "/what_if_it_is_");
}

TEST_F(StateOnDiskTest, FlagsComeBeforeWhatTheTopologySays) {
  topology_.state_on("disk", folder_.path("of-topology"));
  EXPECT_TRUE(settings("", "").early);
  EXPECT_EQ(settings("", "").folder, folder_.path("of-topology") + "/what_if_it_is_");
  EXPECT_FALSE(settings("auto", "").early);
  EXPECT_EQ(settings("", folder_.path("of-flag")).folder,
            folder_.path("of-flag") + "/what_if_it_is_");
  EXPECT_EQ(settings("memory", "").tables, nullptr);
}

TEST_F(StateOnDiskTest, WhatCannotBeIsRefusedWithAWayOut) {
  EXPECT_EQ(refused("dsik", "").code(), Code::option_invalid);
  EXPECT_NE(refused("dsik", "").message().find("auto, memory or disk"), std::string::npos);
  EXPECT_EQ(refused("disk", "").code(), Code::option_invalid);
  EXPECT_NE(refused("disk", "").message().find("--spill-dir"), std::string::npos);
  EXPECT_EQ(refused("", "/proc/nowhere").code(), Code::option_invalid);
  EXPECT_NE(refused("", "/proc/nowhere").message().find("/proc/nowhere"), std::string::npos);
}

}  // namespace
}  // namespace millrace::detail
