// Whole files and lists of lines, as the readers need them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "strait/result.h"

namespace strait {

// All bytes of `path`. kIo with the system's reason when it cannot be read.
Result<std::vector<uint8_t>> ReadWholeFile(const std::string& path);

// The non-empty lines of `path` if it holds exactly `count` of them, otherwise `fallback`: class names are a
// courtesy of the distribution, their absence is no reason to refuse the data.
std::vector<std::string> ReadNamesOr(const std::string& path, size_t count, std::vector<std::string> fallback);

// "0", "1", ... as class names.
std::vector<std::string> NumberedNames(size_t count);

}  // namespace strait
