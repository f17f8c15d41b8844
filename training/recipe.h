// A recipe: everything a training run depends on, read from TOML (docs/training.md lists every key).
// Unknown keys, wrong types and values out of range are errors that name file, line and key.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/loader.h"
#include "strait/result.h"

namespace strait {

enum class UnitFamily : uint8_t { kStrait, kDatta2022 };            // "strait", "datta2022"
enum class LossKind : uint8_t { kTask, kDistill, kFeature };        // "task", "distill", "feature"
enum class PrecisionKind : uint8_t { kAuto, kFloat32, kBFloat16 };  // "auto", "float32", "bfloat16"

struct DataRecipe {  // [data]
  std::string spec;  // data set, as OpenDataset takes it; relative DIRs are relative to the working directory
  int64_t train_samples = 0;  // only the first so many of a fixed shuffle; 0: all
  int64_t val_samples = 0;
  int views = 0;          // cached augmented views of each image; 0: no cache, fresh augmentation each epoch
  std::string cache;      // folder that keeps the cached views for later runs; empty: they are kept in memory
  uint64_t seed = 1;      // of crops and mirrors, and without cached views of the order of images
  Preprocess preprocess;  // keys resize, crop, mean, std, augment, min_area, flip
  int threads = 2;        // loader threads
};

struct BackboneRecipe {        // [backbone]
  std::string file;            // TorchScript
  std::vector<int64_t> input;  // {C, H, W}
};

struct SplitRecipe {                // [split]: one of both
  std::string point;                // as `strait-train splits` names it
  std::vector<std::string> points;  // a unit is trained at each, all in one run directory
};

struct SplitSetting {  // one key of [at.SPLIT.TABLE]: holds at that split alone
  std::string split;
  std::string key;    // "unit.stride"
  std::string value;  // as TOML
  std::string where;  // for messages: "recipe.toml:12" or "--set ..."
};

struct UnitRecipe {  // [unit]
  UnitFamily family = UnitFamily::kStrait;
  int channels = 48;          // of the latent
  int stride = 2;             // 1, 2 or 4
  int analysis_width = 64;    // strait: channels between the 1x1 and the strided convolution
  int synthesis_width = 256;  // strait: widest layer of synthesis, before the pixel shuffle; a multiple of stride^2
  int synthesis_hidden = 0;   // strait: channels of synthesis' first layer; 0: synthesis_width / 2
  bool context = true;        // strait: CDF tables are chosen by the neighbours decoded before
  double step = 1.0;          // datta2022: quantiser step q
};

struct LossRecipe {  // [loss]
  LossKind kind = LossKind::kDistill;
  std::vector<double> lambdas;    // one level each, any order; levels are sorted from the largest (fewest bytes)
  double feature_weight = 1;      // distill: weight of the relative squared error of the features after the cut
  double temperature = 1;         // distill: of both softmaxes
  double level_balance = 0.3333;  // strait: a level weighs lambda^-level_balance, 1 on average
};

struct TrainRecipe {  // [train]
  int epochs = 10;
  int batch_size = 64;
  double learning_rate = 1e-3;  // Adam, cosine to zero over the run
  double warmup_steps = 0;      // linear
  double grad_clip = 1.0;       // global norm; 0: off
  double rounded =
      0.9;  // strait: last share of the epochs with rounded instead of noisy latents in the distortion path
  double rate_warmup = 0;  // first share of the epochs in which lambda grows linearly from 0
  uint64_t seed = 1;
  std::string device = "auto";  // "auto", "cpu", "cuda"
  PrecisionKind precision = PrecisionKind::kAuto;
  int threads = 0;  // 0: all cores
};

struct ValidationRecipe {  // [validation]
  int64_t samples = 256;   // through real frames after every epoch; 0: all. The last epoch always uses all.
};

struct ExportRecipe {      // [export]
  int precision = 12;      // bits of the CDF tables
  int sets_per_level = 4;  // table sets between two levels
};

enum class NetworkKind : uint8_t { kResnet, kEncoderDecoder, kVit };  // "resnet", "encoder-decoder", "vit"

struct NetworkRecipe {  // [network]: what `strait-train backbone` builds
  NetworkKind kind = NetworkKind::kResnet;
  int width = 16;  // channels of the first stage, which double at each next one; vit: a quarter of a token's
  int blocks = 1;  // residual blocks a stage; vit: a quarter of the attention blocks
};

struct Recipe {
  std::string path;  // for messages
  DataRecipe data;
  BackboneRecipe backbone;
  SplitRecipe split;
  std::vector<SplitSetting> at;  // with split.points alone; no key of a split stands twice
  UnitRecipe unit;
  LossRecipe loss;
  TrainRecipe train;
  ValidationRecipe validation;
  ExportRecipe export_;
  NetworkRecipe network;
};

// Reads and checks a recipe. `overrides` are "table.key=value" in TOML syntax ("train.epochs=3"; a value that is
// not valid TOML is taken as a string) and win over the file. What only one command needs ([backbone] and [split]
// for run) is checked by RequireForRun.
Result<Recipe> LoadRecipe(const std::string& path, const std::vector<std::string>& overrides);
Result<Recipe> ParseRecipe(const std::string& toml, const std::string& name,
                           const std::vector<std::string>& overrides);

// The recipe of one split of a recipe with split.points: split.point set, its own settings applied, those of others
// gone. Errors: kInvalidArgument where keys do not go together; ParseRecipe has ruled them out for its own result.
Result<Recipe> RecipeAt(const Recipe& recipe, const std::string& split);

// The recipe without what decides nothing that is learnt: caches, threads, validation and export are the defaults.
Recipe LearningRecipe(Recipe recipe);

// kInvalidArgument naming the first missing key that `strait-train run` needs.
Status RequireForRun(const Recipe& recipe);

// What one key accepts, for messages, docs/training.md and its test.
struct RecipeKey {
  std::string name;           // "train.epochs"
  std::string wanted;         // "an integer from 1 to 100000"
  std::string default_value;  // as TOML: "10"
};
// Every key in the order ToToml writes them.
std::vector<RecipeKey> RecipeKeys();

// The recipe with every default filled in, as TOML that LoadRecipe reads back to the same recipe.
std::string ToToml(const Recipe& recipe);

}  // namespace strait
