#include "training/recipe.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "codec/file_io.h"
#include "entropy/error.h"
#include "training/recipe_keys.h"
#include "training/spelling.h"

namespace strait {
namespace {

constexpr int64_t kMaxRecipeBytes = 1 << 20;

std::string_view TableOf(std::string_view name) { return name.substr(0, name.find('.')); }
std::string_view LeafOf(std::string_view name) { return name.substr(name.rfind('.') + 1); }

// As a key of TOML: names with dots are quoted.
std::string KeyToToml(const std::string& name) {
  const bool bare = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
  return bare ? name : QuoteToml(name);
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
      if (table_name == "at" && table != nullptr) continue;
      if (!HasTable(table_name.str()) || table == nullptr) return Unknown(table_name, table != nullptr);
      for (const auto& [key_name, value] : *table) {
        STRAIT_RETURN_IF_ERROR(ReadKey(table_name, key_name, value));
      }
    }
    const toml::table* at = parsed["at"].as_table();
    return at != nullptr ? ReadAt(*at) : Status();
  }

  Status ReadOverride(const std::string& setting) {
    const std::string where = "--set " + setting;
    const size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      return Error(StatusCode::kInvalidArgument, where, ": wanted table.key=value, for example train.epochs=3");
    }
    const std::string name = Trim(setting.substr(0, equals));
    const std::string text = Trim(setting.substr(equals + 1));
    STRAIT_RETURN_IF_ERROR(name.rfind("at.", 0) == 0 ? AddOverrideAt(name.substr(3), text, where)
                                                     : Set(name, text, where));
    // What is chosen later wins, whichever of the two it is.
    if (name == "split.point") recipe_->split.points.clear();
    if (name == "split.points") recipe_->split.point.clear();
    return Status();
  }

  // `text` is a TOML value, or else a string without quotes.
  Status Set(const std::string& name, const std::string& text, const std::string& where) {
    const KeyDescriptor* key = Find(name);
    if (key == nullptr) {
      return Error(StatusCode::kInvalidArgument, where, ": unknown key '", name, "'", Suggest(name, Names()));
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

  Status CheckSplits() const {
    const SplitRecipe& split = recipe_->split;
    if (!split.point.empty() && !split.points.empty()) {
      return Wrong("split.points", "either split.point or split.points", "both");
    }
    std::set<std::string> seen;
    for (const std::string& point : split.points) {
      // Each names a folder of the run directory.
      if (point.empty() || point == "." || point == ".." || point.find('/') != std::string::npos) {
        return Wrong("split.points", "names of splits, which hold no '/'", QuoteToml(point));
      }
      if (!seen.insert(point).second) return Wrong("split.points", "no name twice", QuoteToml(point) + " twice");
    }
    return Status();
  }

  // What no single key can know, of a recipe for one split.
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

  // [at.SPLIT.TABLE]. The rest of the file has been read: a split must be one of its points.
  Status ReadAt(const toml::table& at) {
    for (const auto& [split, split_node] : at) {
      const std::string where = Where(split.source()) + ": at." + KeyToToml(std::string(split.str()));
      STRAIT_RETURN_IF_ERROR(CheckPoint(std::string(split.str()), where));
      const toml::table* tables = split_node.as_table();
      if (tables == nullptr) return Error(StatusCode::kInvalidArgument, where, ": wanted tables, got a value");
      for (const auto& [table_name, table_node] : *tables) {
        const toml::table* table = table_node.as_table();
        if (!HasTable(table_name.str()) || table == nullptr) return Unknown(table_name, table != nullptr);
        for (const auto& [key_name, value] : *table) {
          STRAIT_RETURN_IF_ERROR(AddAt(std::string(split.str()),
                                       std::string(table_name.str()) + "." + std::string(key_name.str()), value,
                                       Where(key_name.source()) + ": at." + KeyToToml(std::string(split.str()))));
        }
      }
    }
    return Status();
  }

  // `name` is SPLIT.TABLE.KEY; only the split may hold dots, in quotes or not.
  Status AddOverrideAt(const std::string& name, const std::string& text, const std::string& where) {
    const size_t key = name.rfind('.');
    const size_t table = key == std::string::npos || key == 0 ? std::string::npos : name.rfind('.', key - 1);
    if (table == std::string::npos) {
      return Error(StatusCode::kInvalidArgument, where, ": wanted at.SPLIT.table.key=value");
    }
    std::string split = name.substr(0, table);
    if (split.size() > 2 && split.front() == '"' && split.back() == '"') split = split.substr(1, split.size() - 2);
    STRAIT_RETURN_IF_ERROR(CheckPoint(split, where));
    const toml::table parsed = ParseValue(text);
    const toml::node* value = parsed.get("value");
    const toml::value<std::string> as_text(text);
    const std::string leaf = name.substr(table + 1);
    const Status status = AddAt(split, leaf, value != nullptr ? *value : as_text, where);
    if (status.ok() || value == nullptr) return status;
    return AddAt(split, leaf, as_text, where).ok() ? Status() : status;
  }

  Status CheckPoint(const std::string& split, const std::string& where) const {
    const std::vector<std::string>& points = recipe_->split.points;
    if (std::find(points.begin(), points.end(), split) != points.end()) return Status();
    return Error(StatusCode::kInvalidArgument, where, ": not one of split.points",
                 R"( (a name that holds a dot stands in quotes: [at."layer3.0".unit]))");
  }

  Status AddAt(const std::string& split, const std::string& name, const toml::node& value,
               const std::string& where) {
    const KeyDescriptor* key = Find(name);
    if (key == nullptr) {
      return Error(StatusCode::kInvalidArgument, where, ": unknown key '", name, "'", Suggest(name, Names()));
    }
    if (TableOf(name) == "split" || TableOf(name) == "backbone") {
      return Error(StatusCode::kInvalidArgument, where, ": ", name, " is the same for all splits; set it in [",
                   TableOf(name), "]");
    }
    Recipe scratch;
    if (!key->read(value, scratch)) {
      return Error(StatusCode::kInvalidArgument, where, ": ", name, ": wanted ", key->wanted, ", got ",
                   ShowToml(value));
    }
    std::erase_if(recipe_->at, [&](const SplitSetting& s) { return s.split == split && s.key == name; });
    recipe_->at.push_back({split, name, key->write(scratch), where});
    return Status();
  }

  static std::string Suggest(std::string_view unknown, const std::vector<std::string>& names) {
    const std::string nearest = NearestName(unknown, names);
    return nearest.empty() ? "; docs/training.md lists every key" : "; did you mean '" + nearest + "'?";
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
                 name.str(), "'", Suggest(name.str(), is_table ? Tables() : Names()));
  }

  Status ReadKey(const toml::key& table_name, const toml::key& key_name, const toml::node& value) {
    const std::string name = std::string(table_name.str()) + "." + std::string(key_name.str());
    const std::string where = Where(key_name.source());
    const KeyDescriptor* key = Find(name);
    if (key == nullptr) {
      return Error(StatusCode::kInvalidArgument, where, ": unknown key '", name, "'", Suggest(name, Names()));
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
  STRAIT_RETURN_IF_ERROR(reader.CheckSplits());
  const std::vector<std::string>& points = recipe.split.points;
  if (points.empty()) {
    if (!recipe.at.empty()) return RecipeAt(recipe, recipe.split.point);  // --set chose one of the file's points
    STRAIT_RETURN_IF_ERROR(reader.CheckTogether());
    return recipe;
  }
  std::erase_if(recipe.at, [&](const SplitSetting& setting) {  // --set chose some of the file's points
    return std::find(points.begin(), points.end(), setting.split) == points.end();
  });
  for (const std::string& point : points) {
    if (const Result<Recipe> at = RecipeAt(recipe, point); !at.ok()) return at.status();
  }
  return recipe;
}

Result<Recipe> RecipeAt(const Recipe& recipe, const std::string& split) {
  Recipe one = recipe;
  one.split = {.point = split, .points = {}};
  one.at.clear();
  Reader reader(recipe.path + ": at." + KeyToToml(split), &one);
  for (const SplitSetting& setting : recipe.at) {
    if (setting.split == split) STRAIT_RETURN_IF_ERROR(reader.Set(setting.key, setting.value, setting.where));
  }
  STRAIT_RETURN_IF_ERROR(reader.CheckTogether());
  return one;
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
  if (recipe.split.point.empty() && recipe.split.points.empty()) return missing("split.point", "layer2");
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

Recipe LearningRecipe(Recipe recipe) {
  const Recipe defaults;
  recipe.data.cache = defaults.data.cache;
  recipe.data.threads = defaults.data.threads;
  recipe.train.threads = defaults.train.threads;
  recipe.validation = defaults.validation;
  recipe.export_ = defaults.export_;
  return recipe;
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
  for (const std::string& point : recipe.split.points) {
    table = {};
    for (const KeyDescriptor& key : keys) {
      const auto setting = std::find_if(recipe.at.begin(), recipe.at.end(), [&](const SplitSetting& s) {
        return s.split == point && s.key == key.name;
      });
      if (setting == recipe.at.end()) continue;
      if (TableOf(key.name) != table) {
        table = TableOf(key.name);
        toml += "\n[at." + KeyToToml(point) + "." + std::string(table) + "]\n";
      }
      toml += std::string(LeafOf(key.name)) + " = " + setting->value + "\n";
    }
  }
  return toml;
}

}  // namespace strait
