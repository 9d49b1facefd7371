// open_input, open_output: the bytes of an endpoint; what is gzip or zstd is unpacked.
#pragma once

#include <memory>
#include <string>

#include "connector/endpoint.hpp"
#include "env/env.hpp"
#include "operator/source.hpp"

namespace millrace::detail {

/// Opens `path` ("-" is standard input). Whether it is gzip or zstd is decided by its first
/// bytes, not by its name, at the first read: a pipe that holds nothing yet opens at once. Errors:
/// 4001 from opening; later, from read(), 4001 and 4004.
Result<std::unique_ptr<ByteReader>> open_input(Files& files, const std::string& path);

/// The same for an endpoint of any kind but listen. What is followed is not unpacked.
Result<std::unique_ptr<ByteReader>> open_input(Env& env, EndpointKind kind,
                                               const std::string& path);

/// Opens an endpoint for writing; `append` is for files.
Result<std::unique_ptr<ByteWriter>> open_output(const EndContext& context, EndpointKind kind,
                                                const std::string& path, bool append);

}  // namespace millrace::detail
