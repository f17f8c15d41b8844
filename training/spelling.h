// How far a misspelt name is from those that exist.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace strait {

// Fewest letters inserted, removed or replaced between two words (Levenshtein 1966).
size_t EditDistance(std::string_view a, std::string_view b);

// The name most like an unknown one, empty when none is near. Names are "table.key": the right key in the wrong
// table, or in none, is as near as one wrong letter.
std::string NearestName(std::string_view unknown, const std::vector<std::string>& names);

}  // namespace strait
