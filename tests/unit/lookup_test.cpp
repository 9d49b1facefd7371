// Look-ups of keys in an outside store: caches, batches, keys that are asked for once, failures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"
#include "operator/lookup_cache.hpp"

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Visit {
  std::string page;
  std::int64_t number = 0;
};

/// What is asked of the store, call by call.
struct Shelf {
  std::map<std::string, std::string> titles = {{"a", "Apple"}, {"b", "Bread"}};
  std::vector<std::string> asked;
  bool is_down = false;

  std::optional<std::string> find(const std::string& page) {
    asked.push_back(page);
    return one(page);
  }
  std::vector<std::optional<std::string>> find_all(std::span<const std::string> pages) {
    std::string together;
    std::vector<std::optional<std::string>> found;
    for (const std::string& page : pages) {
      together += page;
      found.push_back(one(page));
    }
    asked.push_back(together);
    return found;
  }

 private:
  std::optional<std::string> one(const std::string& page) {
    if (is_down) throw std::runtime_error("the shelf is down");
    const auto found = titles.find(page);
    return found == titles.end() ? std::nullopt : std::optional(found->second);
  }
};

class LookupTest : public testing::Test {
 protected:
  using Row = LookedUp<Visit, std::string>;
  template <class Load>
  void make(Load load, const LookupOptions& options) {
    topology_ = std::make_unique<Topology>("visits");
    topology_->from(records(std::vector<std::vector<Visit>>{{}}))
        .named("visits")
        .lookup(&Visit::page, load, options)
        .named("titles");
    driver_ = std::make_unique<TestDriver>(*topology_);
    input_.emplace(driver_->input<Visit>("visits"));
    output_.emplace(driver_->output<Row>("titles"));
  }
  void make_single(const LookupOptions& options) {
    make([shelf = shelf_](const std::string& page) { return shelf->find(page); }, options);
  }
  void make_batched(const LookupOptions& options) {
    make([shelf = shelf_](std::span<const std::string> pages) { return shelf->find_all(pages); },
         options);
  }
  void visit(std::vector<std::string> pages) {
    std::vector<Visit> visits;
    for (std::string& page : pages) visits.push_back({std::move(page), ++visits_});
    input_->pipe(std::move(visits));
  }
  std::vector<std::string> seen() {
    std::vector<std::string> rows;
    for (const Row& row : output_->read_all())
      rows.push_back(row.record.page + ":" + row.value.value_or("-"));
    return rows;
  }

  std::shared_ptr<Shelf> shelf_ = std::make_shared<Shelf>();
  std::unique_ptr<Topology> topology_;
  std::unique_ptr<TestDriver> driver_;
  std::optional<TestInput<Visit>> input_;
  std::optional<TestOutput<Row>> output_;
  std::int64_t visits_ = 0;
};

TEST_F(LookupTest, WhatIsKnownIsNotAskedForAgain) {
  make_single({});
  visit({"a", "b", "a", "x"});
  visit({"x", "a"});
  EXPECT_THAT(seen(), ElementsAre("a:Apple", "b:Bread", "a:Apple", "x:-", "x:-", "a:Apple"));
  EXPECT_THAT(shelf_->asked, ElementsAre("a", "b", "x"));
}

TEST_F(LookupTest, MissingKeysAreAskedForAgainWhereTheyAreNotKept) {
  make_single({.keep_missing = false});
  visit({"x"});
  visit({"x"});
  EXPECT_THAT(shelf_->asked, ElementsAre("x", "x"));
}

TEST_F(LookupTest, ValuesExpire) {
  make_single({.expire = 10s});
  visit({"a"});
  shelf_->titles["a"] = "Apricot";
  driver_->advance_clock(9s);
  visit({"a"});
  driver_->advance_clock(1s);
  visit({"a"});
  EXPECT_THAT(seen(), ElementsAre("a:Apple", "a:Apple", "a:Apricot"));
}

TEST_F(LookupTest, DifferentKeysAreAskedForTogether) {
  make_batched({.batch_max = 2});
  visit({"a", "b", "a", "x", "b"});
  EXPECT_THAT(shelf_->asked, ElementsAre("ab", "x"));
  EXPECT_THAT(seen(), ElementsAre("a:Apple", "b:Bread", "a:Apple", "x:-", "b:Bread"));
}

TEST_F(LookupTest, WhatFailsIsADeadLetterAndNotKept) {
  make_single({});
  shelf_->is_down = true;
  visit({"a"});
  EXPECT_EQ(driver_->dead_letters().at(0).reason, "the shelf is down");
  shelf_->is_down = false;
  visit({"a"});
  EXPECT_THAT(seen(), ElementsAre("a:Apple"));
}

TEST_F(LookupTest, WhatFailsMayBeMissing) {
  make_batched({.missing_on_failure = true});
  shelf_->is_down = true;
  visit({"a"});
  shelf_->is_down = false;
  visit({"a"});
  EXPECT_THAT(seen(), ElementsAre("a:-", "a:Apple"));
}

TEST_F(LookupTest, AnotherNumberOfValuesIsAFailure) {
  make([](std::span<const std::string>) { return std::vector<std::optional<std::string>>(3); }, {});
  visit({"a"});
  EXPECT_EQ(driver_->dead_letters().at(0).reason, "the look-up gave 3 values for 1 keys");
}

TEST_F(LookupTest, WhoeverHasTheAnswerGivesIt) {
  using Values = std::vector<std::optional<std::string>>;
  auto asked = std::make_shared<std::vector<std::pair<std::string, Reply<Values>>>>();
  make([asked](std::span<const std::string> pages,
               Reply<Values> reply) { asked->push_back({pages.front(), reply}); },
       {.calls = {.time_out = 10s}, .batch_max = 1});
  visit({"a", "b", "a", "c", "d"});
  ASSERT_EQ(asked->size(), 4u);
  (*asked)[1].second({"Bread"});
  driver_->advance_clock(0ms);
  EXPECT_THAT(seen(), ElementsAre());
  (*asked)[0].second({"Apple"});
  (*asked)[2].second({std::nullopt, "one too many"});
  driver_->advance_clock(0ms);
  EXPECT_THAT(seen(), ElementsAre("a:Apple", "b:Bread", "a:Apple"));
  EXPECT_EQ(driver_->dead_letters().at(0).reason, "the look-up gave 2 values for 1 keys");
  driver_->advance_clock(10s);
  EXPECT_EQ(driver_->dead_letters().at(1).reason, "no reply within 10s");
}

TEST_F(LookupTest, WrongOptionsAreRefused) {
  make_single({.batch_max = 0});
  EXPECT_THROW(driver_->run(), Error);
  make_single({.expire = -1s});
  EXPECT_THROW(driver_->run(), Error);
}

TEST(LookupCacheTest, TheLeastRecentlyUsedGoesFirst) {
  detail::MemoryMeter meter;
  detail::LookupCache<std::string, std::string> cache(2, 0);
  cache.count_with(&meter);
  cache.put("a", "A", 0);
  cache.put("b", "B", 0);
  EXPECT_NE(cache.find("a", 0), nullptr);
  cache.put("c", std::nullopt, 0);
  EXPECT_EQ(cache.find("b", 0), nullptr);
  EXPECT_EQ(cache.find("a", 0)->value(), "A");
  EXPECT_FALSE(cache.find("c", 0)->has_value());
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_GT(meter.bytes(), 0u);
  cache.clear();
  EXPECT_EQ(meter.bytes(), 0u);
}

TEST(LookupCacheTest, WhatTheMemoryRefusesIsNotKept) {
  detail::MemoryMeter meter(nullptr, 1'000);
  detail::LookupCache<std::int64_t, std::string> cache(100, 0);
  cache.count_with(&meter);
  cache.put(1, std::string(5'000, 'x'), 0);
  EXPECT_EQ(cache.find(1, 0), nullptr);
  cache.put(2, "short", 0);
  EXPECT_NE(cache.find(2, 0), nullptr);
}

}  // namespace
}  // namespace millrace
