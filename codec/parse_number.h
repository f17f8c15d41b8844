// Numbers in what users write: fields of tables and traces, options.
#pragma once

#include <optional>
#include <string_view>

namespace strait {

// All of `text` as a finite number with a point for its decimals, whatever the locale; nullopt for anything else.
std::optional<double> ParseNumber(std::string_view text);

}  // namespace strait
