#include "training/recipe.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace strait {
namespace {

std::string MessageOf(const std::string& toml, const std::vector<std::string>& overrides = {}) {
  const Result<Recipe> recipe = ParseRecipe(toml, "recipe.toml", overrides);
  if (recipe.ok()) return "ok";
  EXPECT_EQ(recipe.status().code(), StatusCode::kInvalidArgument);
  return recipe.status().message();
}

constexpr char kComplete[] = R"(
[data]
spec = "shapes"
[backbone]
file = "backbone.pt"
input = [3, 64, 64]
[split]
point = "layer2"
[loss]
lambdas = [1e-2, 1e-3]
)";

TEST(Recipe, EmptyTextGivesTheDefaults) {
  const Result<Recipe> recipe = ParseRecipe("", "recipe.toml", {});
  ASSERT_TRUE(recipe.ok()) << recipe.status().message();
  EXPECT_EQ(ToToml(*recipe), ToToml(Recipe()));
  EXPECT_EQ(recipe->path, "recipe.toml");
}

TEST(Recipe, ReadsEveryKindOfValue) {
  const Result<Recipe> recipe = ParseRecipe(R"(
[data]
spec = "imagefolder:a \"b\" c"
mean = [0.485, 0.456, 0]
augment = true
[unit]
family = "datta2022"
[loss]
lambdas = [1, 0.25]
[train]
seed = 9007199254740991
learning_rate = 2e-4
precision = "bfloat16"
)",
                                            "recipe.toml", {});
  ASSERT_TRUE(recipe.ok()) << recipe.status().message();
  EXPECT_EQ(recipe->data.spec, "imagefolder:a \"b\" c");
  EXPECT_EQ(recipe->data.preprocess.mean[0], 0.485f);
  EXPECT_EQ(recipe->data.preprocess.mean[2], 0.0f);
  EXPECT_TRUE(recipe->data.preprocess.augment);
  EXPECT_EQ(recipe->unit.family, UnitFamily::kDatta2022);
  EXPECT_EQ(recipe->loss.lambdas, (std::vector<double>{1, 0.25}));
  EXPECT_EQ(recipe->train.seed, 9007199254740991u);
  EXPECT_EQ(recipe->train.learning_rate, 2e-4);
  EXPECT_EQ(recipe->train.precision, PrecisionKind::kBFloat16);
}

TEST(Recipe, RoundTripsThroughToTomlWithEveryKeyChanged) {
  const std::vector<std::string> changes = {"data.spec=imagefolder:C:\\x \"y\"\t\xC3\xA9",
                                            "data.train_samples=11",
                                            "data.val_samples=12",
                                            "data.views=3",
                                            "data.cache=kept features",
                                            "data.seed=77",
                                            "data.threads=5",
                                            "data.resize=144",
                                            "data.crop=128",
                                            "data.mean=[0.485, 0.456, 0.406]",
                                            "data.std=[0.229, 0.224, 0.225]",
                                            "data.augment=true",
                                            "data.min_area=0.1",
                                            "data.flip=false",
                                            "backbone.file=x y.pt",
                                            "backbone.input=[3, 128, 128]",
                                            "split.point=layer3.0",
                                            "unit.family=datta2022",
                                            "unit.channels=7",
                                            "unit.stride=4",
                                            "unit.analysis_width=33",
                                            "unit.synthesis_width=48",
                                            "unit.synthesis_hidden=96",
                                            "unit.context=false",
                                            "unit.step=0.3",
                                            "loss.kind=feature",
                                            "loss.lambdas=[0.1, 3, 1e-7, 0.012345678901234567]",
                                            "loss.feature_weight=0.7",
                                            "loss.temperature=1e-30",
                                            "loss.level_balance=0.25",
                                            "train.epochs=99",
                                            "train.batch_size=3",
                                            "train.learning_rate=0.00031415926535897932",
                                            "train.warmup_steps=12.5",
                                            "train.grad_clip=0",
                                            "train.rounded=1",
                                            "train.rate_warmup=0.125",
                                            "train.seed=123456789012345",
                                            "train.device=cuda",
                                            "train.precision=float32",
                                            "train.threads=4",
                                            "validation.samples=0",
                                            "export.precision=14",
                                            "export.sets_per_level=2",
                                            "network.kind=vit",
                                            "network.width=8",
                                            "network.blocks=2"};
  const Result<Recipe> changed = ParseRecipe("", "a.toml", changes);
  ASSERT_TRUE(changed.ok()) << changed.status().message();
  const std::string toml = ToToml(*changed);
  // Each override must have taken: line by line, only the heads of tables equal those of the defaults.
  std::istringstream changed_lines(toml);
  std::istringstream default_lines(ToToml(Recipe()));
  for (std::string line, unchanged; std::getline(changed_lines, line) && std::getline(default_lines, unchanged);) {
    if (line.rfind("points = ", 0) == 0) {
      EXPECT_EQ(line, "points = []") << "split.point was given";
    } else if (line.find('=') != std::string::npos) {
      EXPECT_NE(line, unchanged);
    } else {
      EXPECT_EQ(line, unchanged);
    }
  }
  const Result<Recipe> again = ParseRecipe(toml, "a.toml", {});
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(ToToml(*again), toml);
  EXPECT_EQ(again->data.spec, "imagefolder:C:\\x \"y\"\t\xC3\xA9");
  EXPECT_EQ(again->data.preprocess.std[1], changed->data.preprocess.std[1]);
  EXPECT_EQ(again->loss.lambdas, changed->loss.lambdas);
  EXPECT_EQ(again->train.learning_rate, changed->train.learning_rate);
}

TEST(Recipe, NamesTheLineOfAnUnknownKeyAndSuggestsTheNearest) {
  EXPECT_EQ(MessageOf("\n[train]\nepoch = 3\n"),
            "recipe.toml:3: unknown key 'train.epoch'; did you mean 'train.epochs'?");
  EXPECT_EQ(MessageOf("[data]\nepochs = 3\n"),
            "recipe.toml:2: unknown key 'data.epochs'; did you mean 'train.epochs'?");
  EXPECT_EQ(MessageOf("epochs = 3\n"), "recipe.toml:1: unknown key 'epochs'; did you mean 'train.epochs'?");
  EXPECT_EQ(MessageOf("[trian]\nepochs = 3\n"), "recipe.toml:1: unknown table 'trian'; did you mean 'train'?");
  EXPECT_EQ(MessageOf("[train]\ncolour_of_the_bicycle_shed = 3\n"),
            "recipe.toml:2: unknown key 'train.colour_of_the_bicycle_shed'; docs/training.md lists every key");
}

TEST(Recipe, NamesLineKeyWantedAndGotOfABadValue) {
  EXPECT_EQ(MessageOf("[train]\nepochs = \"x\"\n"),
            "recipe.toml:2: train.epochs: wanted an integer from 1 to 100000, got \"x\"");
  EXPECT_EQ(MessageOf("[train]\nepochs = 0\n"),
            "recipe.toml:2: train.epochs: wanted an integer from 1 to 100000, got 0");
  EXPECT_EQ(MessageOf("[train]\nepochs = 2.5\n"),
            "recipe.toml:2: train.epochs: wanted an integer from 1 to 100000, got 2.5");
  EXPECT_EQ(MessageOf("[loss]\nkind = \"mse\"\n"),
            "recipe.toml:2: loss.kind: wanted \"task\", \"distill\" or \"feature\", got \"mse\"");
  EXPECT_EQ(MessageOf("[data]\nstd = [1, 0, 1]\n"),
            "recipe.toml:2: data.std: wanted an array of 3 numbers, each above 0 up to 1000, got [ 1, 0, 1 ]");
  EXPECT_EQ(MessageOf("[data]\naugment = 1\n"), "recipe.toml:2: data.augment: wanted true or false, got 1");
  EXPECT_EQ(MessageOf("train = 3\n"), "recipe.toml:1: train: wanted a table [train], got a value");
  EXPECT_NE(MessageOf("[train]\nlearning_rate = nan\n").find("wanted a number above 0 up to 10, got nan"),
            std::string::npos);
}

TEST(Recipe, RefusesTextThatIsNotTomlWithItsLine) {
  const std::string message = MessageOf("[train]\nepochs = = 3\n");
  EXPECT_EQ(message.rfind("recipe.toml:2: not valid TOML: ", 0), 0u) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST(Recipe, ChecksKeysAgainstEachOtherAtTheLineThatIsWrong) {
  EXPECT_EQ(MessageOf("[unit]\nstride = 3\n"), "recipe.toml:2: unit.stride: wanted 1, 2 or 4, got 3");
  EXPECT_EQ(MessageOf("[unit]\nsynthesis_width = 130\n"),
            "recipe.toml:2: unit.synthesis_width: wanted a multiple of unit.stride squared (4), got 130");
  EXPECT_EQ(MessageOf("[data]\nresize = 96\n", {"data.crop=128"}),
            "--set data.crop=128: data.crop: wanted at most data.resize (96), got 128");
  EXPECT_EQ(MessageOf("[loss]\nlambdas = [0.1, 0.5, 0.1]\n"),
            "recipe.toml:2: loss.lambdas: wanted no value twice, got 0.1 twice");
}

TEST(Recipe, OverridesWinOverTheFile) {
  const Result<Recipe> recipe =
      ParseRecipe("[train]\nepochs = 3\nseed = 4\n", "recipe.toml",
                  {"train.epochs=7", "train.epochs = 8", "data.spec=imagefolder:some dir", "split.point=12",
                   "loss.lambdas=[0.5]", "unit.family=\"datta2022\"", "train.device=cpu"});
  ASSERT_TRUE(recipe.ok()) << recipe.status().message();
  EXPECT_EQ(recipe->train.epochs, 8);
  EXPECT_EQ(recipe->train.seed, 4u);
  EXPECT_EQ(recipe->data.spec, "imagefolder:some dir");
  EXPECT_EQ(recipe->split.point, "12");
  EXPECT_EQ(recipe->loss.lambdas, std::vector<double>{0.5});
  EXPECT_EQ(recipe->unit.family, UnitFamily::kDatta2022);
}

TEST(Recipe, ErrorsOfAnOverrideNameTheSetting) {
  EXPECT_EQ(MessageOf("", {"train.epochs=x"}),
            "--set train.epochs=x: train.epochs: wanted an integer from 1 to 100000, got \"x\"");
  EXPECT_EQ(MessageOf("", {"train.epoch=3"}),
            "--set train.epoch=3: unknown key 'train.epoch'; did you mean 'train.epochs'?");
  EXPECT_EQ(MessageOf("", {"train.epochs"}),
            "--set train.epochs: wanted table.key=value, for example train.epochs=3");
}

TEST(Recipe, AnOverrideSetsOneKeyOnly) {
  const std::string message = MessageOf("", {"train.epochs=3\nother=4"});
  EXPECT_NE(message.find("wanted an integer"), std::string::npos) << message;
}

TEST(Recipe, RequireForRunNamesEachMissingKey) {
  const Result<Recipe> complete = ParseRecipe(kComplete, "recipe.toml", {});
  ASSERT_TRUE(complete.ok()) << complete.status().message();
  EXPECT_TRUE(RequireForRun(*complete).ok());
  const auto message = [&](auto remove) {
    Recipe recipe = *complete;
    remove(recipe);
    return RequireForRun(recipe).message();
  };
  EXPECT_EQ(message([](Recipe& r) { r.backbone.file.clear(); }),
            "recipe.toml: missing key 'backbone.file'; add it or give --set backbone.file=BACKBONE.pt");
  EXPECT_NE(message([](Recipe& r) { r.data.spec.clear(); }).find("'data.spec'"), std::string::npos);
  EXPECT_NE(message([](Recipe& r) { r.backbone.input.clear(); }).find("'backbone.input'"), std::string::npos);
  EXPECT_NE(message([](Recipe& r) { r.split.point.clear(); }).find("'split.point'"), std::string::npos);
  EXPECT_NE(message([](Recipe& r) { r.loss.lambdas.clear(); }).find("'loss.lambdas'"), std::string::npos);
}

TEST(Recipe, RequireForRunChecksTheInputAgainstTheCrop) {
  const auto message = [](const std::vector<std::string>& overrides) {
    const Result<Recipe> recipe = ParseRecipe(kComplete, "recipe.toml", overrides);
    return recipe.ok() ? RequireForRun(*recipe).message() : recipe.status().message();
  };
  EXPECT_EQ(message({"data.crop=64"}), "");
  EXPECT_EQ(message({"data.crop=60"}), "recipe.toml: data.crop: wanted 64, the side of backbone.input, got 60");
  EXPECT_EQ(message({"backbone.input=[3,64,32]"}),
            "recipe.toml: backbone.input: wanted [3, SIDE, SIDE] for images, got [3, 64, 32]");
}

constexpr char kPoints[] = R"(
[split]
points = ["layer1", "layer3.0"]
[unit]
channels = 16
[at.layer1.unit]
stride = 4
channels = 8
[at."layer3.0".unit]
stride = 1
[at."layer3.0".train]
epochs = 3
)";

TEST(Recipe, ASplitOfSeveralHasTheRecipeWithItsOwnSettings) {
  const Result<Recipe> recipe =
      ParseRecipe(kPoints, "recipe.toml", {"unit.channels=12", "at.layer3.0.loss.kind=task"});
  ASSERT_TRUE(recipe.ok()) << recipe.status().message();
  EXPECT_EQ(recipe->split.points, (std::vector<std::string>{"layer1", "layer3.0"}));
  EXPECT_EQ(recipe->unit.stride, 2);
  const Recipe first = RecipeAt(*recipe, "layer1").value();
  EXPECT_EQ(first.split.point, "layer1");
  EXPECT_TRUE(first.split.points.empty());
  EXPECT_TRUE(first.at.empty());
  EXPECT_EQ(first.unit.stride, 4);
  EXPECT_EQ(first.unit.channels, 8);
  EXPECT_EQ(first.train.epochs, 10);
  EXPECT_EQ(first.loss.kind, LossKind::kDistill);
  const Recipe second = RecipeAt(*recipe, "layer3.0").value();
  EXPECT_EQ(second.unit.stride, 1);
  EXPECT_EQ(second.unit.channels, 12);
  EXPECT_EQ(second.train.epochs, 3);
  EXPECT_EQ(second.loss.kind, LossKind::kTask);
}

TEST(Recipe, SeveralSplitsAndTheirSettingsRoundTripThroughToToml) {
  const Result<Recipe> recipe = ParseRecipe(kPoints, "recipe.toml", {"at.\"layer3.0\".loss.lambdas=[0.5, 1e-7]"});
  ASSERT_TRUE(recipe.ok()) << recipe.status().message();
  const std::string toml = ToToml(*recipe);
  EXPECT_NE(toml.find("points = [\"layer1\", \"layer3.0\"]\n"), std::string::npos) << toml;
  EXPECT_NE(toml.find("\n[at.layer1.unit]\nchannels = 8\nstride = 4\n"), std::string::npos) << toml;
  EXPECT_NE(toml.find("\n[at.\"layer3.0\".loss]\nlambdas = [0.5, 1e-07]\n"), std::string::npos) << toml;
  const Result<Recipe> again = ParseRecipe(toml, "recipe.toml", {});
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(ToToml(*again), toml);
  EXPECT_EQ(ToToml(*RecipeAt(*again, "layer3.0")), ToToml(*RecipeAt(*recipe, "layer3.0")));
}

TEST(Recipe, AnOverrideChoosesAmongTheSplitsOfTheFile) {
  const Result<Recipe> one = ParseRecipe(kPoints, "recipe.toml", {"split.point=layer1"});
  ASSERT_TRUE(one.ok()) << one.status().message();
  EXPECT_EQ(ToToml(*one), ToToml(*RecipeAt(*ParseRecipe(kPoints, "recipe.toml", {}), "layer1")));
  const Result<Recipe> some = ParseRecipe(kPoints, "recipe.toml", {"split.points=[\"layer1\"]"});
  ASSERT_TRUE(some.ok()) << some.status().message();
  EXPECT_EQ(some->at.size(), 2u);
}

TEST(Recipe, ErrorsOfSplitsNameTheLineTheSplitAndTheKey) {
  const std::string split = "[split]\npoints = [\"layer1\"]\n";
  EXPECT_EQ(MessageOf("[split]\npoint = \"a\"\npoints = [\"b\"]\n"),
            "recipe.toml:3: split.points: wanted either split.point or split.points, got both");
  EXPECT_EQ(MessageOf("[split]\npoints = [\"a\", \"b\", \"a\"]\n"),
            "recipe.toml:2: split.points: wanted no name twice, got \"a\" twice");
  EXPECT_EQ(MessageOf("[split]\npoints = [\"a/b\"]\n"),
            "recipe.toml:2: split.points: wanted names of splits, which hold no '/', got \"a/b\"");
  EXPECT_EQ(MessageOf("[split]\npoints = [1]\n"),
            "recipe.toml:2: split.points: wanted an array of names of splits, got [ 1 ]");
  EXPECT_EQ(MessageOf(split + "[at.layer1.unit]\nstrid = 4\n"),
            "recipe.toml:4: at.layer1: unknown key 'unit.strid'; did you mean 'unit.stride'?");
  EXPECT_EQ(MessageOf(split + "[at.layer1.unti]\nstride = 4\n"),
            "recipe.toml:3: unknown table 'unti'; did you mean 'unit'?");
  EXPECT_EQ(MessageOf(split + "[at.layer1]\nstride = 4\n"),
            "recipe.toml:4: unknown key 'stride'; did you mean 'unit.stride'?");
  EXPECT_EQ(MessageOf(split + "[at.layer1.unit]\nstride = 7\n"),
            "recipe.toml:4: at.layer1: unit.stride: wanted an integer from 1 to 4, got 7");
  EXPECT_EQ(MessageOf(split + "[at.layer1.unit]\nstride = 3\n"),
            "recipe.toml:4: at.layer1: unit.stride: wanted 1, 2 or 4, got 3");
  EXPECT_EQ(MessageOf(split + "[unit]\nsynthesis_width = 36\n[at.layer1.unit]\nstride = 4\n"),
            "recipe.toml: at.layer1: unit.synthesis_width: wanted a multiple of unit.stride squared (16), got 36");
  EXPECT_EQ(MessageOf(split + "[at.layer2.unit]\nstride = 4\n"),
            "recipe.toml:3: at.layer2: not one of split.points (a name that holds a dot stands in quotes: "
            "[at.\"layer3.0\".unit])");
  EXPECT_EQ(MessageOf(split + "[at.layer1.backbone]\nfile = \"x.pt\"\n"),
            "recipe.toml:4: at.layer1: backbone.file is the same for all splits; set it in [backbone]");
  EXPECT_EQ(MessageOf(split, {"at.layer1.unit.stride=7"}),
            "--set at.layer1.unit.stride=7: unit.stride: wanted an integer from 1 to 4, got 7");
  EXPECT_EQ(MessageOf(split, {"at.layer1=7"}), "--set at.layer1=7: wanted at.SPLIT.table.key=value");
}

TEST(Recipe, LoadNamesAMissingFile) {
  const Result<Recipe> recipe = LoadRecipe("/nonexistent/recipe.toml", {});
  ASSERT_FALSE(recipe.ok());
  EXPECT_EQ(recipe.status().code(), StatusCode::kIo);
  EXPECT_NE(recipe.status().message().find("/nonexistent/recipe.toml"), std::string::npos);
}

TEST(Recipe, EveryCheckedInRecipeIsReadyToRun) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(STRAIT_SOURCE_DIR "/training/recipes")) {
    if (entry.path().extension() != ".toml") continue;
    const Result<Recipe> recipe = LoadRecipe(entry.path(), {});
    ASSERT_TRUE(recipe.ok()) << recipe.status().message();
    EXPECT_TRUE(RequireForRun(*recipe).ok()) << RequireForRun(*recipe).message();
    ++count;
  }
  EXPECT_GE(count, 4);
}

TEST(Recipe, TheDocumentationListsEveryKeyWithRangeAndDefault) {
  std::ifstream file(STRAIT_SOURCE_DIR "/docs/training.md");
  std::ostringstream text;
  text << file.rdbuf();
  for (const RecipeKey& key : RecipeKeys()) {
    const std::string row = "| `" + key.name + "` | " + key.wanted + " | `" + key.default_value + "` | ";
    EXPECT_NE(text.str().find(row), std::string::npos) << "docs/training.md needs a row: " << row;
  }
}

}  // namespace
}  // namespace strait
