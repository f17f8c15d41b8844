#include "training/recipe_keys.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iterator>
#include <optional>
#include <sstream>
#include <type_traits>
#include <utility>

#include "codec/model_spec.h"
#include "entropy/cdf_table.h"

namespace strait {
namespace {

constexpr double kMaxCount = 1e9;

// Shortest decimal that reads back to the same number.
template <typename T>
std::string WriteNumber(T value) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  std::string number(text, end);
  if (std::is_floating_point_v<T> && number.find_first_of(".e") == std::string::npos) number += ".0";
  return number;
}

template <typename Range>
std::string WriteList(const Range& values) {
  std::string list = "[";
  for (const auto& value : values) list += (list.size() > 1 ? ", " : "") + WriteNumber(value);
  return list + "]";
}

using Key = KeyDescriptor;

struct Bounds {
  double min;
  double max;
  bool above_min = false;  // min itself is not allowed
  bool Has(double value) const { return (above_min ? value > min : value >= min) && value <= max; }
};

std::string Limit(double value) {
  return value == static_cast<double>(static_cast<int64_t>(value)) ? WriteNumber(static_cast<int64_t>(value))
                                                                   : WriteNumber(value);
}

std::string Describe(const Bounds& bounds) {
  return (bounds.above_min ? "above " + Limit(bounds.min) + " up to " : "from " + Limit(bounds.min) + " to ") +
         Limit(bounds.max);
}

template <typename T>
std::optional<T> ReadNumber(const toml::node& node, const Bounds& bounds) {
  if constexpr (std::is_integral_v<T>) {
    const auto* integer = node.as_integer();
    if (integer == nullptr || !bounds.Has(static_cast<double>(integer->get()))) return std::nullopt;
    return static_cast<T>(integer->get());
  } else {
    double value;
    if (const auto* integer = node.as_integer()) {
      value = static_cast<double>(integer->get());
    } else if (const auto* real = node.as_floating_point()) {
      value = real->get();
    } else {
      return std::nullopt;
    }
    if (!bounds.Has(value)) return std::nullopt;
    return static_cast<T>(value);
  }
}

// `field` maps a Recipe, const or not, to a reference to the member.
template <typename Field>
Key Number(std::string name, Field field, Bounds bounds) {
  using T = std::remove_cvref_t<decltype(field(std::declval<Recipe&>()))>;
  return {std::move(name), (std::is_integral_v<T> ? "an integer " : "a number ") + Describe(bounds),
          [field, bounds](const toml::node& node, Recipe& recipe) {
            const std::optional<T> value = ReadNumber<T>(node, bounds);
            if (value) field(recipe) = *value;
            return value.has_value();
          },
          [field](const Recipe& recipe) { return WriteNumber(field(recipe)); }};
}

template <typename Field>
Key Flag(std::string name, Field field) {
  return {std::move(name), "true or false",
          [field](const toml::node& node, Recipe& recipe) {
            const auto* flag = node.as_boolean();
            if (flag != nullptr) field(recipe) = flag->get();
            return flag != nullptr;
          },
          [field](const Recipe& recipe) { return std::string(field(recipe) ? "true" : "false"); }};
}

template <typename Field>
Key Text(std::string name, Field field, std::string wanted) {
  return {std::move(name), std::move(wanted),
          [field](const toml::node& node, Recipe& recipe) {
            const auto* text = node.as_string();
            if (text != nullptr) field(recipe) = text->get();
            return text != nullptr;
          },
          [field](const Recipe& recipe) { return QuoteToml(field(recipe)); }};
}

template <typename Field>
Key TextList(std::string name, Field field, std::string wanted) {
  return {std::move(name), std::move(wanted),
          [field](const toml::node& node, Recipe& recipe) {
            const auto* array = node.as_array();
            if (array == nullptr) return false;
            std::vector<std::string> texts;
            for (const toml::node& element : *array) {
              if (!element.is_string()) return false;
              texts.push_back(element.as_string()->get());
            }
            field(recipe) = std::move(texts);
            return true;
          },
          [field](const Recipe& recipe) {
            std::string list = "[";
            for (const std::string& text : field(recipe)) list += (list.size() > 1 ? ", " : "") + QuoteToml(text);
            return list + "]";
          }};
}

// A word out of a list; T is an enum or std::string.
template <typename T, typename Field>
Key Choice(std::string name, Field field, std::vector<std::pair<std::string, T>> choices) {
  std::string wanted;
  for (size_t i = 0; i < choices.size(); ++i) {
    wanted += (i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ") + QuoteToml(choices[i].first);
  }
  return {std::move(name), wanted,
          [field, choices](const toml::node& node, Recipe& recipe) {
            for (const auto& [word, value] : choices) {
              if (node.value_exact<std::string>() == word) {
                field(recipe) = value;
                return true;
              }
            }
            return false;
          },
          [field, choices](const Recipe& recipe) {
            for (const auto& [word, value] : choices) {
              if (field(recipe) == value) return QuoteToml(word);
            }
            return QuoteToml("");
          }};
}

// An array of min_count to max_count numbers; a C array or a std::vector.
template <typename Field>
Key List(std::string name, Field field, size_t min_count, size_t max_count, Bounds bounds) {
  using Member = std::remove_reference_t<decltype(field(std::declval<Recipe&>()))>;
  using T = std::remove_cvref_t<decltype(*std::begin(std::declval<Member&>()))>;
  const std::string count = min_count == max_count ? std::to_string(min_count)
                                                   : std::to_string(min_count) + " to " + std::to_string(max_count);
  return {
      std::move(name),
      "an array of " + count + (std::is_integral_v<T> ? " integers, each " : " numbers, each ") + Describe(bounds),
      [field, min_count, max_count, bounds](const toml::node& node, Recipe& recipe) {
        const auto* array = node.as_array();
        if (array == nullptr || array->size() < min_count || array->size() > max_count) return false;
        std::vector<T> values;
        for (const toml::node& element : *array) {
          const std::optional<T> value = ReadNumber<T>(element, bounds);
          if (!value) return false;
          values.push_back(*value);
        }
        if constexpr (std::is_array_v<Member>) {
          std::copy(values.begin(), values.end(), std::begin(field(recipe)));
        } else {
          field(recipe) = std::move(values);
        }
        return true;
      },
      [field](const Recipe& recipe) { return WriteList(field(recipe)); }};
}

#define STRAIT_FIELD(member) \
  [](auto& recipe) -> auto& { return recipe.member; }

std::vector<Key> DataKeys() {
  return {
      Text("data.spec", STRAIT_FIELD(data.spec), "a data set, for example \"imagefolder:DIR\" or \"shapes\""),
      Number("data.train_samples", STRAIT_FIELD(data.train_samples), {0, kMaxCount}),
      Number("data.val_samples", STRAIT_FIELD(data.val_samples), {0, kMaxCount}),
      Number("data.views", STRAIT_FIELD(data.views), {0, 1000}),
      Text("data.cache", STRAIT_FIELD(data.cache), "a folder, or empty"),
      Number("data.seed", STRAIT_FIELD(data.seed), {0, 9007199254740991.0}),
      Number("data.threads", STRAIT_FIELD(data.threads), {1, 256}),
      Number("data.resize", STRAIT_FIELD(data.preprocess.resize), {0, 16384}),
      Number("data.crop", STRAIT_FIELD(data.preprocess.crop), {0, 16384}),
      List("data.mean", STRAIT_FIELD(data.preprocess.mean), 3, 3, {-1000, 1000}),
      List("data.std", STRAIT_FIELD(data.preprocess.std), 3, 3, {0, 1000, true}),
      Flag("data.augment", STRAIT_FIELD(data.preprocess.augment)),
      Number("data.min_area", STRAIT_FIELD(data.preprocess.min_area), {0, 1, true}),
      Flag("data.flip", STRAIT_FIELD(data.preprocess.flip)),
  };
}

std::vector<Key> ModelKeys() {
  return {
      Text("backbone.file", STRAIT_FIELD(backbone.file), "the path of a TorchScript file"),
      List("backbone.input", STRAIT_FIELD(backbone.input), 0, 8, {1, 65536}),
      Text("split.point", STRAIT_FIELD(split.point), "the name of a split, as strait-train splits prints it"),
      TextList("split.points", STRAIT_FIELD(split.points), "an array of names of splits"),
      Choice<UnitFamily>("unit.family", STRAIT_FIELD(unit.family),
                         {{"strait", UnitFamily::kStrait}, {"datta2022", UnitFamily::kDatta2022}}),
      Number("unit.channels", STRAIT_FIELD(unit.channels), {1, 4096}),
      Number("unit.stride", STRAIT_FIELD(unit.stride), {1, 4}),
      Number("unit.analysis_width", STRAIT_FIELD(unit.analysis_width), {1, 16384}),
      Number("unit.synthesis_width", STRAIT_FIELD(unit.synthesis_width), {1, 16384}),
      Number("unit.synthesis_hidden", STRAIT_FIELD(unit.synthesis_hidden), {0, 16384}),
      Flag("unit.context", STRAIT_FIELD(unit.context)),
      Number("unit.step", STRAIT_FIELD(unit.step), {0, 1e6, true}),
      Choice<LossKind>(
          "loss.kind", STRAIT_FIELD(loss.kind),
          {{"task", LossKind::kTask}, {"distill", LossKind::kDistill}, {"feature", LossKind::kFeature}}),
      List("loss.lambdas", STRAIT_FIELD(loss.lambdas), 0, 64, {0, 1e6, true}),
      Number("loss.feature_weight", STRAIT_FIELD(loss.feature_weight), {0, 1e6}),
      Number("loss.temperature", STRAIT_FIELD(loss.temperature), {0, 1000, true}),
      Number("loss.level_balance", STRAIT_FIELD(loss.level_balance), {0, 1}),
  };
}

std::vector<Key> RunKeys() {
  return {
      Number("train.epochs", STRAIT_FIELD(train.epochs), {1, 100000}),
      Number("train.batch_size", STRAIT_FIELD(train.batch_size), {1, 65536}),
      Number("train.learning_rate", STRAIT_FIELD(train.learning_rate), {0, 10, true}),
      Number("train.warmup_steps", STRAIT_FIELD(train.warmup_steps), {0, kMaxCount}),
      Number("train.grad_clip", STRAIT_FIELD(train.grad_clip), {0, 1e6}),
      Number("train.rounded", STRAIT_FIELD(train.rounded), {0, 1}),
      Number("train.rate_warmup", STRAIT_FIELD(train.rate_warmup), {0, 1}),
      Number("train.seed", STRAIT_FIELD(train.seed), {0, 9007199254740991.0}),
      Choice<std::string>("train.device", STRAIT_FIELD(train.device),
                          {{"auto", "auto"}, {"cpu", "cpu"}, {"cuda", "cuda"}}),
      Choice<PrecisionKind>("train.precision", STRAIT_FIELD(train.precision),
                            {{"auto", PrecisionKind::kAuto},
                             {"float32", PrecisionKind::kFloat32},
                             {"bfloat16", PrecisionKind::kBFloat16}}),
      Number("train.threads", STRAIT_FIELD(train.threads), {0, 1024}),
      Number("validation.samples", STRAIT_FIELD(validation.samples), {0, kMaxCount}),
      Number("export.precision", STRAIT_FIELD(export_.precision), {kMinPrecision, kMaxPrecision}),
      Number("export.sets_per_level", STRAIT_FIELD(export_.sets_per_level), {1, kQualitySteps}),
      Choice<NetworkKind>("network.kind", STRAIT_FIELD(network.kind),
                          {{"resnet", NetworkKind::kResnet},
                           {"encoder-decoder", NetworkKind::kEncoderDecoder},
                           {"vit", NetworkKind::kVit}}),
      Number("network.width", STRAIT_FIELD(network.width), {1, 1024}),
      Number("network.blocks", STRAIT_FIELD(network.blocks), {1, 64}),
  };
}

#undef STRAIT_FIELD

}  // namespace

std::vector<KeyDescriptor> KeyDescriptors() {
  std::vector<Key> keys = DataKeys();
  for (auto group : {ModelKeys(), RunKeys()}) keys.insert(keys.end(), group.begin(), group.end());
  return keys;
}

std::string QuoteToml(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04X", static_cast<unsigned>(static_cast<unsigned char>(c)));
      quoted += escape;
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string ShowToml(const toml::node& node) {
  std::ostringstream text;
  node.visit([&text](const auto& value) {
    if constexpr (toml::is_table<decltype(value)>) {
      text << "a table";
    } else if constexpr (toml::is_string<decltype(value)>) {
      text << QuoteToml(value.get());
    } else {
      text << value;
    }
  });
  std::string line = text.str();
  std::replace(line.begin(), line.end(), '\n', ' ');
  if (line.size() > 80) line = line.substr(0, 77) + "...";
  return line;
}

std::string ListToToml(const std::vector<int64_t>& values) { return WriteList(values); }
std::string NumberToToml(double value) { return WriteNumber(value); }

}  // namespace strait
