// Wirer: puts the inputs of a bolt together from the streams of a file.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "catalog/entry.hpp"

namespace millrace::detail {

/// The input of a bolt while it is put together.
struct Wiring {
  std::vector<Upstream> from;
  RowSchemaPtr schema;
  std::vector<std::size_t> key;
  const RankedBy* ranked = nullptr;
  bool good = true;
};

/// Notes what does not fit at its place. One thread.
class Wirer {
 public:
  /// All of them outlive it; `made` are the components before the bolt.
  Wirer(const TopologyFile& file, Topology& topology, std::map<std::string, MadeStreams>& made,
        Mistakes& mistakes)
      : file_(file), topology_(topology), made_(made), mistakes_(mistakes) {}

  /// Collects what flows into a bolt; with `belongs`, of the streams for which it holds.
  Wiring wire(const ComponentText& text, const Entry& entry,
              const std::function<bool(const StreamText&)>& belongs = {});

 private:
  void connect(const StreamText& stream, const Entry& entry, Wiring& wiring);
  void add_errors(const std::string& id, MadeStreams& made);
  void no_such_stream(const StreamText& stream, const MadeStreams& from, Wiring& wiring);
  void join(const StreamText& stream, const Entry& entry, const RowStream& rows, Wiring& wiring);
  void refuse(Wiring& wiring, const Place& place, std::string message);

  const TopologyFile& file_;
  Topology& topology_;
  std::map<std::string, MadeStreams>& made_;
  Mistakes& mistakes_;
};

}  // namespace millrace::detail
