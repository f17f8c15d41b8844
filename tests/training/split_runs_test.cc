// Runs of several splits on `shapes` with a tiny network.
#include "training/split_runs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "codec/file_io.h"
#include "strait/model.h"
#include "training/backbone.h"
#include "training/builtin_network.h"
#include "training/coded_splits.h"
#include "training/run_models.h"

namespace strait {
namespace {

namespace fs = std::filesystem;

class SplitRunsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() / ("strait_split_runs_" + std::to_string(::getpid()));
    fs::remove_all(dir_);
    fs::create_directories(dir_);
    NetworkRecipe network;
    network.width = 4;
    network.blocks = 2;
    MakeBuiltinNetwork(network, 64, 10, 1)->save((dir_ / "net.pt").string());
  }
  void TearDown() override { fs::remove_all(dir_); }

  // Strides 4, 2 and 1, as the feature maps of 32x32, 16x16 and 8x8 want them.
  Recipe MakeRecipe(const std::vector<std::string>& overrides = {}) {
    const std::string toml = R"(
[data]
spec = "shapes:seed=1,train=32,val=16"
views = 1
[backbone]
file = ")" + (dir_ / "net.pt").string() +
                             R"("
input = [3, 64, 64]
[split]
points = ["layer1", "layer2.block0", "layer3"]
[unit]
channels = 4
analysis_width = 8
synthesis_width = 32
[at.layer1.unit]
stride = 4
[at.layer3.unit]
stride = 1
channels = 6
[loss]
lambdas = [1e-2, 1e-3]
[train]
epochs = 2
batch_size = 16
precision = "float32"
device = "cpu"
threads = 1
)";
    Result<Recipe> recipe = ParseRecipe(toml, "test.toml", overrides);
    EXPECT_TRUE(recipe.ok()) << recipe.status().message();
    return std::move(recipe).value();
  }

  std::string Out(const std::string& name) const { return (dir_ / name).string(); }
  std::vector<uint8_t> Bytes(const std::string& name) const { return ReadFile(Out(name)).value(); }

  fs::path dir_;
};

const std::vector<std::string> kSplits = {"layer1", "layer2.block0", "layer3"};

TEST_F(SplitRunsTest, LeavesARunDirectoryForEachSplitAndTheWholeRecipe) {
  const Recipe recipe = MakeRecipe();
  const Status status = RunSplits(recipe, {.out_dir = Out("run")});
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(ToToml(*LoadRecipe(Out("run/recipe.toml"), {})), ToToml(recipe));
  const Result<std::vector<SplitModels>> found = FindSplitModels(Out("run"));
  ASSERT_TRUE(found.ok()) << found.status().message();
  ASSERT_EQ(found->size(), 3u);
  const std::vector<Shape> latents = {{4, 8, 8}, {4, 8, 8}, {6, 8, 8}};
  for (size_t i = 0; i < kSplits.size(); ++i) {
    const std::string dir = "run/" + kSplits[i];
    for (const char* name : {"recipe.toml", "metrics.jsonl", "checkpoint.pt", "model.strait", "rd.csv"}) {
      EXPECT_TRUE(fs::exists(dir_ / dir / name)) << dir << "/" << name;
    }
    EXPECT_EQ((*found)[i].split, kSplits[i]);
    EXPECT_EQ((*found)[i].files, std::vector<std::string>{Out(dir + "/model.strait")});
    const Result<Recipe> part = LoadRecipe(Out(dir + "/recipe.toml"), {});
    ASSERT_TRUE(part.ok()) << part.status().message();
    EXPECT_EQ(ToToml(*part), ToToml(*RecipeAt(recipe, kSplits[i])));
    const Shape latent = Model::Load((*found)[i].files[0]).value()->latent_shape();
    EXPECT_EQ(Shape(latent.begin() + 1, latent.end()), Shape(latents[i].begin() + 1, latents[i].end()))
        << kSplits[i];
    // A part is a run directory like any other.
    const Result<std::vector<SplitModels>> alone = FindSplitModels(Out(dir));
    ASSERT_TRUE(alone.ok()) << alone.status().message();
    ASSERT_EQ(alone->size(), 1u);
    EXPECT_EQ((*alone)[0].split, kSplits[i]);
  }
  const Result<std::vector<std::string>> whole = FindModels(Out("run"));
  ASSERT_FALSE(whole.ok());
  EXPECT_EQ(whole.status().message(), Out("run") + ": holds a unit for each of several splits; give one of " +
                                          Out("run/layer1") + ", " + Out("run/layer2.block0") + ", " +
                                          Out("run/layer3"));
}

TEST_F(SplitRunsTest, ResumeSkipsFinishedSplitsContinuesOneAndStartsTheRest) {
  const Recipe recipe = MakeRecipe();
  ASSERT_TRUE(RunSplits(recipe, {.out_dir = Out("whole")}).ok());
  // The first split to its end, the second interrupted, the third not begun.
  ASSERT_TRUE(RunSplits(MakeRecipe({"split.points=[\"layer1\"]"}), {.out_dir = Out("parts")}).ok());
  const Status stopped = RunSplits(recipe, {.out_dir = Out("parts"), .resume = true, .stop_after_steps = 3});
  EXPECT_EQ(stopped.code(), StatusCode::kIo);
  EXPECT_EQ(stopped.message(),
            "layer2.block0: interrupted at step 3 of 4; continue with --resume --out " + Out("parts"));
  const Result<std::vector<SplitModels>> unfinished = FindSplitModels(Out("parts"));
  ASSERT_FALSE(unfinished.ok());
  EXPECT_NE(unfinished.status().message().find("layer2.block0: holds no model; continue the run"),
            std::string::npos)
      << unfinished.status().message();
  const auto before = fs::last_write_time(dir_ / "parts/layer1/model.strait");
  const Status resumed = RunSplits(recipe, {.out_dir = Out("parts"), .resume = true});
  ASSERT_TRUE(resumed.ok()) << resumed.message();
  EXPECT_EQ(fs::last_write_time(dir_ / "parts/layer1/model.strait"), before) << "trained again";
  for (const std::string& split : kSplits) {
    EXPECT_EQ(Bytes("parts/" + split + "/rd.csv"), Bytes("whole/" + split + "/rd.csv")) << split;
  }
}

TEST_F(SplitRunsTest, ChecksEverySplitBeforeTheFirstIsTrained) {
  const auto message = [this](const std::vector<std::string>& overrides) {
    const Status status = RunSplits(MakeRecipe(overrides), {.out_dir = Out("run")});
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_FALSE(fs::exists(dir_ / "run"));
    return status.message();
  };
  EXPECT_NE(message({"split.points=[\"layer1\", \"layr3\"]"}).find("no split \"layr3\"; it has layer3"),
            std::string::npos);
  const std::string fits = message({"backbone.input=[3,40,40]", "at.layer3.unit.stride=2"});
  EXPECT_EQ(fits,
            "test.toml: layer3: unit.stride: 2 does not divide the feature map 16x5x5; use a stride that does");
  EXPECT_NE(message({"at.layer3.data.crop=32"}).find("data.crop: wanted 64"), std::string::npos);
}

TEST_F(SplitRunsTest, CodedSplitsAreTheMeasuredLevelsOfThisNetworksUnits) {
  ASSERT_TRUE(RunSplits(MakeRecipe({"train.epochs=1"}), {.out_dir = Out("run")}).ok());
  const Backbone backbone = Backbone::Load(Out("net.pt"), {3, 64, 64}).value();
  const Result<std::vector<CodedSplit>> coded = ReadCodedSplits(Out("run"), backbone, Out("net.pt"));
  ASSERT_TRUE(coded.ok()) << coded.status().message();
  ASSERT_EQ(coded->size(), 3u);
  EXPECT_EQ((*coded)[1].split, "layer2.block0");
  EXPECT_EQ((*coded)[1].run, Out("run/layer2.block0"));
  ASSERT_EQ((*coded)[1].levels.size(), 2u);
  EXPECT_GT((*coded)[1].levels[0].bytes_per_sample, 0);

  NetworkRecipe network;
  network.width = 4;
  network.blocks = 2;
  MakeBuiltinNetwork(network, 64, 10, 2)->save(Out("other.pt"));
  const Backbone other = Backbone::Load(Out("other.pt"), {3, 64, 64}).value();
  const Status mismatch = ReadCodedSplits(Out("run"), other, "other.pt").status();
  EXPECT_EQ(mismatch.code(), StatusCode::kModelMismatch);
  EXPECT_EQ(mismatch.message(), Out("run/layer1/model.strait") + ": trained with backbone " + backbone.hash() +
                                    ", but other.pt is " + other.hash() + "; give runs of this network");
  const Backbone larger = Backbone::Load(Out("net.pt"), {3, 96, 96}).value();
  EXPECT_NE(ReadCodedSplits(Out("run"), larger, "net.pt")
                .status()
                .message()
                .find("restores 4x32x32 at layer1, but an input of 3x96x96 gives 4x48x48"),
            std::string::npos);
}

TEST_F(SplitRunsTest, DoesNotTouchARunThatIsThere) {
  const Recipe recipe = MakeRecipe({"split.points=[\"layer3\"]", "train.epochs=1"});
  const Status nothing = RunSplits(recipe, {.out_dir = Out("run"), .resume = true});
  EXPECT_EQ(nothing.code(), StatusCode::kIo);
  EXPECT_NE(nothing.message().find("nothing to resume"), std::string::npos) << nothing.message();
  ASSERT_TRUE(RunSplits(recipe, {.out_dir = Out("run")}).ok());
  const Status again = RunSplits(recipe, {.out_dir = Out("run")});
  EXPECT_EQ(again.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(again.message().find("run/recipe.toml: a run is here already"), std::string::npos) << again.message();
  const Status other = RunSplits(MakeRecipe(), {.out_dir = Out("run"), .resume = true});
  EXPECT_NE(other.message().find("run/layer3/checkpoint.pt: made with another recipe"), std::string::npos)
      << other.message();
  EXPECT_FALSE(fs::exists(dir_ / "run/layer1"));
  const Status over = RunTraining(RecipeAt(recipe, "layer3").value(), {.out_dir = Out("run")});
  EXPECT_NE(over.message().find("run/recipe.toml: a run of several splits is here"), std::string::npos)
      << over.message();
  const Status single = RunSplits(recipe, {.out_dir = Out("run/layer3")});
  EXPECT_NE(single.message().find("a run of a single split is here"), std::string::npos) << single.message();
}

TEST_F(SplitRunsTest, ARunThatCannotBeginLeavesNothingBehind) {
  const Status status = RunSplits(MakeRecipe({"data.spec=imagefolder:nowhere"}), {.out_dir = Out("run")});
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("nowhere"), std::string::npos) << status.message();
  EXPECT_FALSE(fs::exists(dir_ / "run"));
}

}  // namespace
}  // namespace strait
