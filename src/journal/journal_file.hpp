// Small files of the journal that are replaced as a whole: a kind, a version, a payload, a
// checksum.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.hpp"
#include "env/disk.hpp"

namespace millrace::detail {

inline constexpr std::uint32_t kJournalVersion = 1;

/// Errors of what lies on disk: 4004 with file and offset.
Status journal_damage(const std::string& path, std::uint64_t offset, std::string_view what);

/// All bytes of a file. Errors: 4001.
Result<std::string> read_whole(Disk& disk, const std::string& path);

/// Replaces `folder`/`name`; on return it is durable, and on an error the old one is, or the new.
/// `kind` has eight bytes. Errors: 4002.
Status replace_file(Disk& disk, const std::string& folder, const std::string& name,
                    std::string_view kind, std::string_view payload);

/// The bytes of such a file.
std::string sealed(std::string_view kind, std::string_view payload);

/// The payload of such bytes; `path` is for the message. Errors: 4004 when they are damaged, or of
/// a later version.
Result<std::string> unsealed(const std::string& path, std::string_view kind,
                             std::string_view bytes);

}  // namespace millrace::detail
