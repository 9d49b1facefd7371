// RandomTable: a table on a scratch disk under test, and what random tests of it draw.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "env/disk_table.hpp"
#include "env/random.hpp"

namespace millrace::property {

using detail::DiskTable;
using detail::OverAt;
using detail::Random;

/// In a folder of its own, which goes with it. Of each seed another table.
class RandomTable : public testing::Test {
 protected:
  RandomTable() {
    char made[] = "/tmp/millrace-disk-table-XXXXXX";
    root_ = ::mkdtemp(made);
  }
  ~RandomTable() override { std::filesystem::remove_all(root_); }

  /// An empty one, at time 0, for `keys` keys and values of less than `length` bytes.
  void open(std::uint64_t keys, std::uint64_t length) {
    auto made = detail::log_tables().make(root_ + "/table");
    ASSERT_TRUE(made) << made.error().to_string();
    table_ = std::move(*made);
    table_->set_time(0, 0);
    now_ = 0;
    keys_ = keys;
    length_ = length;
  }
  std::string draw_value(Random& random) const {
    std::string value = fmt::format("{} ", random.below(1u << 30));
    value.resize(random.below(length_), 'v');
    return value;
  }
  /// That a value takes, about.
  static std::uint64_t bytes_of(const std::string& value) { return value.size() + 16; }

  std::string root_;
  std::unique_ptr<DiskTable> table_;
  Time now_ = 0;
  std::uint64_t keys_ = 0;
  std::uint64_t length_ = 0;
};

}  // namespace millrace::property
