// Whole files in and out, for models, frames and arrays.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "strait/result.h"

namespace strait {

// Errors name the path: kIo when it cannot be read, kLimitExceeded when larger than max_bytes.
Result<std::vector<uint8_t>> ReadFile(const std::string& path, int64_t max_bytes = int64_t{1} << 32);

// Whether all that was printed reached stdout; kIo with the system's reason when not (disk full, closed pipe).
Status FlushStdout();

// Writes to `path` + ".tmp", syncs, then renames over `path`: on any failure (disk full included) the old file
// is intact, the temporary one is removed, and the error names the path and the system's reason.
Status WriteFileAtomic(const std::string& path, std::span<const uint8_t> bytes);
Status WriteTextAtomic(const std::string& path, std::string_view text);

}  // namespace strait
