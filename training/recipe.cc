#include "training/recipe.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "codec/file_io.h"
#include "entropy/error.h"
#include "training/recipe_keys.h"

namespace strait {
namespace {

constexpr int64_t kMaxRecipeBytes = 1 << 20;

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

std::string_view TableOf(std::string_view name) { return name.substr(0, name.find('.')); }
std::string_view LeafOf(std::string_view name) { return name.substr(name.rfind('.') + 1); }

// "; did you mean 'train.epochs'?", or nothing when no name is near.
std::string Suggestion(std::string_view unknown, const std::vector<std::string>& names) {
  const std::string* best = nullptr;
  size_t best_distance = std::max<size_t>(2, unknown.size() / 3) + 1;
  for (const std::string& name : names) {
    // The right key in the wrong table, or in none, is as near as one wrong letter.
    const size_t leaf_distance =
        EditDistance(LeafOf(unknown), LeafOf(name)) + (LeafOf(unknown) == LeafOf(name) ? 1 : 2);
    const size_t distance = std::min(EditDistance(unknown, name), leaf_distance);
    if (distance < best_distance) {
      best = &name;
      best_distance = distance;
    }
  }
  return best == nullptr ? "; docs/training.md lists every key" : "; did you mean '" + *best + "'?";
}

class Reader {
 public:
  Reader(std::string name, Recipe* recipe) : name_(std::move(name)), keys_(KeyDescriptors()), recipe_(recipe) {}

  Status ReadFileText(const std::string& text) {
    toml::table parsed;
    try {
      parsed = toml::parse(text, name_);
    } catch (const toml::parse_error& error) {
      std::string reason(error.description());
      std::replace(reason.begin(), reason.end(), '\n', ' ');
      return Error(StatusCode::kInvalidArgument, Where(error.source()), ": not valid TOML: ", reason);
    }
    for (const auto& [table_name, node] : parsed) {
      const toml::table* table = node.as_table();
      if (!HasTable(table_name.str()) || table == nullptr) return Unknown(table_name, table != nullptr);
      for (const auto& [key_name, value] : *table) {
        STRAIT_RETURN_IF_ERROR(ReadKey(table_name, key_name, value));
      }
    }
    return Status();
  }

  Status ReadOverride(const std::string& setting) {
    const std::string where = "--set " + setting;
    const size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      return Error(StatusCode::kInvalidArgument, where, ": wanted table.key=value, for example train.epochs=3");
    }
    const std::string name = Trim(setting.substr(0, equals));
    const std::string text = Trim(setting.substr(equals + 1));
    const KeyDescriptor* key = Find(name);
    if (key == nullptr) {
      return Error(StatusCode::kInvalidArgument, where, ": unknown key '", name, "'", Suggestion(name, Names()));
    }
    const toml::table parsed = ParseValue(text);
    const toml::node* value = parsed.get("value");
    if (!(value != nullptr && key->read(*value, *recipe_)) &&
        !key->read(toml::value<std::string>(text), *recipe_)) {
      return Error(StatusCode::kInvalidArgument, where, ": ", name, ": wanted ", key->wanted, ", got ",
                   value != nullptr ? ShowToml(*value) : QuoteToml(text));
    }
    where_[name] = where;
    return Status();
  }

  // What no single key can know.
  Status CheckTogether() const {
    const UnitRecipe& unit = recipe_->unit;
    if (unit.stride == 3) return Wrong("unit.stride", "1, 2 or 4", unit.stride);
    if (unit.family == UnitFamily::kStrait && unit.synthesis_width % (unit.stride * unit.stride) != 0) {
      return Wrong("unit.synthesis_width",
                   "a multiple of unit.stride squared (" + std::to_string(unit.stride * unit.stride) + ")",
                   unit.synthesis_width);
    }
    const Preprocess& preprocess = recipe_->data.preprocess;
    if (preprocess.resize > 0 && preprocess.crop > preprocess.resize) {
      return Wrong("data.crop", "at most data.resize (" + std::to_string(preprocess.resize) + ")", preprocess.crop);
    }
    std::vector<double> sorted = recipe_->loss.lambdas;
    std::sort(sorted.begin(), sorted.end());
    const auto twin = std::adjacent_find(sorted.begin(), sorted.end());
    if (twin != sorted.end()) return Wrong("loss.lambdas", "no value twice", NumberToToml(*twin) + " twice");
    return Status();
  }

 private:
  // {"value": node}, or an empty table when the text is not one TOML value.
  static toml::table ParseValue(const std::string& text) {
    try {
      toml::table parsed = toml::parse("value = " + text);
      if (parsed.size() == 1) return parsed;
    } catch (const toml::parse_error&) {
      // Taken as a string.
    }
    return {};
  }

  static std::string Trim(const std::string& text) {
    const size_t begin = text.find_first_not_of(" \t");
    return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
  }

  std::string Where(const toml::source_region& source) const {
    return name_ + ":" + std::to_string(source.begin.line);
  }

  const KeyDescriptor* Find(std::string_view name) const {
    const auto key =
        std::find_if(keys_.begin(), keys_.end(), [name](const KeyDescriptor& k) { return k.name == name; });
    return key == keys_.end() ? nullptr : &*key;
  }

  bool HasTable(std::string_view table) const {
    return std::any_of(keys_.begin(), keys_.end(),
                       [table](const KeyDescriptor& key) { return TableOf(key.name) == table; });
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const KeyDescriptor& key : keys_) names.push_back(key.name);
    return names;
  }

  std::vector<std::string> Tables() const {
    std::vector<std::string> tables;
    for (const KeyDescriptor& key : keys_) {
      if (tables.empty() || tables.back() != TableOf(key.name)) tables.emplace_back(TableOf(key.name));
    }
    return tables;
  }

  Status Unknown(const toml::key& name, bool is_table) const {
    const bool table_as_value = !is_table && HasTable(name.str());
    if (table_as_value) {
      return Error(StatusCode::kInvalidArgument, Where(name.source()), ": ", name.str(), ": wanted a table [",
                   name.str(), "], got a value");
    }
    return Error(StatusCode::kInvalidArgument, Where(name.source()), ": unknown ", is_table ? "table" : "key", " '",
                 name.str(), "'", Suggestion(name.str(), is_table ? Tables() : Names()));
  }

  Status ReadKey(const toml::key& table_name, const toml::key& key_name, const toml::node& value) {
    const std::string name = std::string(table_name.str()) + "." + std::string(key_name.str());
    const std::string where = Where(key_name.source());
    const KeyDescriptor* key = Find(name);
    if (key == nullptr) {
      return Error(StatusCode::kInvalidArgument, where, ": unknown key '", name, "'", Suggestion(name, Names()));
    }
    if (!key->read(value, *recipe_)) {
      return Error(StatusCode::kInvalidArgument, where, ": ", name, ": wanted ", key->wanted, ", got ",
                   ShowToml(value));
    }
    where_[name] = where;
    return Status();
  }

  template <typename T>
  Status Wrong(const std::string& key, const std::string& wanted, const T& got) const {
    const auto where = where_.find(key);
    return Error(StatusCode::kInvalidArgument, where == where_.end() ? name_ : where->second, ": ", key,
                 ": wanted ", wanted, ", got ", got);
  }

  std::string name_;
  std::vector<KeyDescriptor> keys_;
  Recipe* recipe_;
  std::map<std::string, std::string> where_;  // key to "file:line" or "--set ..."
};

}  // namespace

Result<Recipe> ParseRecipe(const std::string& toml, const std::string& name,
                           const std::vector<std::string>& overrides) {
  Recipe recipe;
  recipe.path = name;
  Reader reader(name, &recipe);
  STRAIT_RETURN_IF_ERROR(reader.ReadFileText(toml));
  for (const std::string& setting : overrides) STRAIT_RETURN_IF_ERROR(reader.ReadOverride(setting));
  STRAIT_RETURN_IF_ERROR(reader.CheckTogether());
  return recipe;
}

Result<Recipe> LoadRecipe(const std::string& path, const std::vector<std::string>& overrides) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path, kMaxRecipeBytes));
  return ParseRecipe(std::string(bytes.begin(), bytes.end()), path, overrides);
}

Status RequireForRun(const Recipe& recipe) {
  const auto missing = [&recipe](const char* key, const char* example) {
    return Error(StatusCode::kInvalidArgument, recipe.path, ": missing key '", key, "'; add it or give --set ", key,
                 "=", example);
  };
  if (recipe.data.spec.empty()) return missing("data.spec", "shapes");
  if (recipe.backbone.file.empty()) return missing("backbone.file", "BACKBONE.pt");
  if (recipe.backbone.input.empty()) return missing("backbone.input", "[3,64,64]");
  if (recipe.split.point.empty()) return missing("split.point", "layer2");
  if (recipe.loss.lambdas.empty()) return missing("loss.lambdas", "[1e-3,1e-4]");
  const std::vector<int64_t>& input = recipe.backbone.input;
  if (input.size() != 3 || input[0] != 3 || input[1] != input[2]) {
    return Error(StatusCode::kInvalidArgument, recipe.path,
                 ": backbone.input: wanted [3, SIDE, SIDE] for images, got ", ListToToml(input));
  }
  const int crop = recipe.data.preprocess.crop;
  if (crop != 0 && crop != input[1]) {
    return Error(StatusCode::kInvalidArgument, recipe.path, ": data.crop: wanted ", input[1],
                 ", the side of backbone.input, got ", crop);
  }
  return Status();
}

std::vector<RecipeKey> RecipeKeys() {
  const Recipe defaults;
  std::vector<RecipeKey> described;
  for (const KeyDescriptor& key : KeyDescriptors())
    described.push_back({key.name, key.wanted, key.write(defaults)});
  return described;
}

std::string ToToml(const Recipe& recipe) {
  std::string toml;
  std::string_view table;
  const std::vector<KeyDescriptor> keys = KeyDescriptors();
  for (const KeyDescriptor& key : keys) {
    if (TableOf(key.name) != table) {
      toml += (toml.empty() ? "[" : "\n[") + std::string(TableOf(key.name)) + "]\n";
      table = TableOf(key.name);
    }
    toml += std::string(LeafOf(key.name)) + " = " + key.write(recipe) + "\n";
  }
  return toml;
}

}  // namespace strait
