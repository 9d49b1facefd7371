// Must not compile: millrace: a class that is connected to a broadcast stream needs
// on_broadcast(const Rule&, BroadcastContext&, Output<Result>&)
#include <cstdint>

#include "millrace/topology.hpp"

using namespace millrace;

struct Edit {
  std::int64_t added = 0;
};
struct Limit {
  std::int64_t most = 0;
};

struct Below {
  BroadcastState<std::int64_t, std::int64_t> limits;
  void process(const Edit& edit, Output<Edit>& out) {
    const std::int64_t* const most = limits.get(0);
    if (most == nullptr || edit.added < *most) out.emit(edit);
  }
#ifdef FIXED
  void on_broadcast(const Limit& limit, BroadcastContext&, Output<Edit>&) {
    limits.set(0, limit.most);
  }
#endif
};

void declare(Topology& topology, const SourceOf<Edit>& edits, const SourceOf<Limit>& limits) {
  topology.from(edits)
      .connect(topology.from(limits).broadcast())
      .process(Below{})
      .to(each([](const Edit&) {}));
}
