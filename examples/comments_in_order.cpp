// Comments shown in the order they were written, though they arrive as the network likes.
// usage: comments_in_order COMMENTS.jsonl LATE.jsonl [flags]
#include <cstdio>
#include <string_view>

#include "millrace/millrace.hpp"

using namespace millrace;

struct Comment {
  Timestamp time;
  std::string_view channel;
  std::string_view user;
  std::string_view comment;
};

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: comments_in_order COMMENTS.jsonl LATE.jsonl [flags]\n", stderr);
    return 64;
  }
  Topology talk("comments in order");
  // A comment waits until none from before it can come: half a minute behind the newest.
  auto ordered = talk.from(json_lines<Comment>(argv[1]))
                     .event_time(&Comment::time, {.out_of_order = 30s})
                     .restore_order()
                     .named("in order");
  ordered.to(print());
  ordered.late().to(log(argv[2]));  // too late for its place: kept beside, and counted
  argv[2] = argv[0];
  return run(talk, argc - 2, argv + 2);
}
