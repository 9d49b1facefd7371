// A file that is looked up: read again when it has aged, and what is told when it cannot be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "connector/file_lookup.hpp"
#include "env/sim_env.hpp"

namespace millrace::detail {
namespace {

using std::chrono::minutes;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Lines final : public LogSink {
 public:
  void write(LogLevel, std::string_view event, std::string_view text) override {
    lines.push_back(std::string(event) + " " + std::string(text));
  }
  std::vector<std::string> take() { return std::exchange(lines, {}); }

 private:
  std::vector<std::string> lines;
};

class FileLookupTest : public testing::Test {
 protected:
  FileLookupTest() {
    const ColumnInfo page{"page", ColumnType::text};
    ColumnInfo key = page;
    key.optional = true;
    const auto key_schema = std::make_shared<const RowSchema>(std::vector<ColumnInfo>{page});
    const auto schema = std::make_shared<const RowSchema>(
        std::vector<ColumnInfo>{key, ColumnInfo{"words", ColumnType::integer}});
    lookup_.emplace(FileLookupOptions{"pages.csv", true, schema, key_schema, minutes(1)});
    OperatorContext context;
    context.env = &env_.env();
    context.log = Log(&log_, LogLevel::info);
    lookup_->open(context);
  }
  void put(const std::string& text) { env_.files.put("pages.csv", text); }
  /// What the file has for "home", behind so many minutes.
  std::int64_t words(int later = 0) {
    env_.clock.advance(minutes(later));
    const std::array<std::string, 1> keys = {R"({"page":"home"})"};
    const auto found = (*lookup_)(keys);
    return found[0] ? std::get<std::int64_t>((*found[0])[0]) : -1;
  }

  SimEnv env_{1};
  Lines log_;
  std::optional<FileLookup> lookup_;
};

TEST_F(FileLookupTest, AFileThatCannotBeReadAgainIsToldOnceAndKept) {
  put("page,words\nhome,1\n");
  EXPECT_EQ(words(), 1);
  put("page,words\nnews,2\nhome,many\n");
  EXPECT_EQ(words(), 1);
  EXPECT_THAT(log_.take(), IsEmpty());
  EXPECT_EQ(words(1), 1);
  EXPECT_THAT(log_.take(),
              ElementsAre(AllOf(HasSubstr("lookup-file-not-read-again path=pages.csv rows=1"),
                                HasSubstr("pages.csv:3: field \"words\""), HasSubstr("many"),
                                HasSubstr("read again in 1min"))));
  EXPECT_EQ(words(1), 1);  // for the same reason
  EXPECT_THAT(log_.take(), IsEmpty());
  put("page,words\nhome,few\n");
  EXPECT_EQ(words(1), 1);
  EXPECT_THAT(log_.take(), ElementsAre(HasSubstr("pages.csv:2: ")));
  EXPECT_EQ(lookup_->reload_failures(), 3u);
}

TEST_F(FileLookupTest, ThatItIsReadAgainIsToldToo) {
  put("page,words\nhome,1\n");
  EXPECT_EQ(words(), 1);
  put("page,words\nhome,many\n");
  EXPECT_EQ(words(1), 1);
  put("page,words\nhome,4\nnews,5\n");
  log_.take();
  EXPECT_EQ(words(1), 4);
  EXPECT_THAT(log_.take(), ElementsAre("lookup-file-read-again path=pages.csv rows=2"));
  put("page,words\nhome,many\n");
  EXPECT_EQ(words(1), 4);
  EXPECT_EQ(log_.take().size(), 1u);
  EXPECT_EQ(words(0), 4);
  EXPECT_THAT(log_.take(), IsEmpty());
}

TEST_F(FileLookupTest, TheFirstTimeItIsAFailureOfTheCall) {
  EXPECT_THROW((void)words(), std::runtime_error);
  EXPECT_THAT(log_.take(), IsEmpty());
  EXPECT_EQ(lookup_->reload_failures(), 0u);
  put("page,words\nhome,1\n");
  EXPECT_EQ(words(), 1);
  EXPECT_THAT(log_.take(), IsEmpty());
}

}  // namespace
}  // namespace millrace::detail
