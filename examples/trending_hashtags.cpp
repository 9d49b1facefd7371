// Trending hashtags of a file of posts, with the fluent verbs.
#include <string_view>

#include "millrace/millrace.hpp"

using namespace millrace;

struct Post {
  Timestamp time;
  std::string_view text;
};

/// Emits each "#tag" of a post, without its sign.
void hashtags(const Post& post, Output<std::string_view>& out) {
  std::string_view text = post.text;
  for (std::size_t at = text.find('#'); at != text.npos; at = text.find('#')) {
    text.remove_prefix(at + 1);
    out.emit(text.substr(0, text.find(' ')));
  }
}

int main(int argc, char** argv) {
  Topology trending("trending hashtags");
  trending.from(json_lines<Post>("examples/posts.jsonl"))
      .event_time(&Post::time, {.out_of_order = 5s})
      .flat_map(hashtags)
      .key_by(self)
      .window(tumbling(1min))
      .count()
      .named("uses")
      .top(3)
      .named("top")
      .to(print());
  return run(trending, argc, argv);
}
