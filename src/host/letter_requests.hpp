// LetterRequests: what the page asks of kept dead letters: which there are, and to replay them.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "host/letter_replay.hpp"
#include "service/service.hpp"

namespace millrace::detail {

/// Where letters are and where they go.
struct LetterPlace {
  std::string folder = {};    ///< empty: they are not kept
  std::string topology = {};  ///< whose letters
  std::string to = {};        ///< as open_target(); empty: they are not replayed from here
};

/// A replay is given a number and done by the thread of the run, a part at each look, so that
/// nothing waits for it. Who may ask is checked by who serves the page; where records go says who
/// starts the run, never who asks: else the page could write any file.
class LetterRequests {
 public:
  /// Before anything is asked.
  void begin(LetterPlace place);

  // Any thread.
  /// 202 with the number; 400, 409 with the reason why not. `query`: component, reason, alike,
  /// again.
  PageAnswer ask(const PageQuery& query);
  /// As GET /api/v1/dead-letters answers; see docs/formats/rest.md. Reads at most the newest
  /// 20,000 letters, and about 64 MiB.
  std::string to_json() const;
  /// One letter, whole. 400, 404, 409.
  PageAnswer one(std::string_view offset) const;

  // The thread of the run.
  /// Goes on with the replay that is asked for; at most some milliseconds.
  void look();
  /// None is begun any more; what the one under way has written is marked.
  void end(const std::string& why);

 private:
  struct Asked {
    LetterFilter filter;
    bool again = false;
  };
  void open();
  void close(const Status& failure);

  mutable std::mutex mutex_;  // guards all below but replay_
  LetterPlace place_;
  std::string ended_;  ///< why none is begun any more
  Asked asked_;
  std::uint64_t number_ = 0;  ///< of the newest that was asked for
  std::uint64_t over_ = 0;    ///< the newest that is done or has failed
  std::uint64_t last_failed_ = 0;
  std::string last_failure_;
  Replayed last_;  ///< of `over_`

  std::unique_ptr<LetterReplay> replay_;  ///< of the run's thread; null: none is under way
};

}  // namespace millrace::detail
