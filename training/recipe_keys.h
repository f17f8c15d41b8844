// One descriptor for each key of a recipe: reading, writing, messages and documentation all come from it.
#pragma once

#include <toml++/toml.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "training/recipe.h"

namespace strait {

struct KeyDescriptor {
  std::string name;                                      // "train.epochs"
  std::string wanted;                                    // "an integer from 1 to 100000"
  std::function<bool(const toml::node&, Recipe&)> read;  // false: wrong type or out of range, recipe unchanged
  std::function<std::string(const Recipe&)> write;       // as TOML
};

// In the order of ToToml; keys of one table stand together.
std::vector<KeyDescriptor> KeyDescriptors();

// `text` as a TOML basic string, and a node in at most 80 characters, for messages.
std::string QuoteToml(std::string_view text);
std::string ShowToml(const toml::node& node);
std::string ListToToml(const std::vector<int64_t>& values);
std::string NumberToToml(double value);

}  // namespace strait
