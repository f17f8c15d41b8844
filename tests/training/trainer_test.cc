// Whole runs on `shapes` with a tiny network: resume, frozen weights, outputs, bad input.
#include "training/trainer.h"

#include <gtest/gtest.h>
#include <torch/script.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "codec/file_io.h"
#include "codec/model_impl.h"
#include "codec/npy.h"
#include "strait/strait.hpp"
#include "training/backbone.h"
#include "training/builtin_backbone.h"
#include "training/checkpoint.h"
#include "training/feature_source.h"
#include "training/rd_loss.h"
#include "training/recipe.h"
#include "training/run_state.h"
#include "training/source_data.h"
#include "training/tail.h"
#include "training/unit_bank.h"

namespace strait {
namespace {

namespace fs = std::filesystem;

std::string MakeBackbone(const fs::path& dir) {
  torch::manual_seed(11);
  torch::jit::Module m("Tiny");
  m.register_parameter("w1", 0.3 * torch::randn({8, 3, 5, 5}), false);
  m.register_parameter("w2", 0.2 * torch::randn({16, 8, 3, 3}), false);
  m.register_parameter("w3", 0.3 * torch::randn({10, 16}), false);
  m.define(R"(
    def forward(self, x):
        y = torch.relu(torch.conv2d(x, self.w1, None, [4, 4], [2, 2]))
        z = torch.relu(torch.conv2d(y, self.w2, None, [2, 2], [1, 1]))
        return torch.matmul(z.mean([2, 3]), self.w3.t())
  )");
  const std::string path = (dir / "tiny.pt").string();
  m.save(path);
  return path;
}

class TrainerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() / ("strait_trainer_" + std::to_string(::getpid()));
    fs::remove_all(dir_);
    fs::create_directories(dir_);
    backbone_ = MakeBackbone(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }

  Recipe MakeRecipe(const std::string& more = "") {
    const std::string toml = R"(
[data]
spec = "shapes:seed=1,train=96,val=32"
augment = true
views = 2
crop = 64
[backbone]
file = ")" + backbone_ + R"("
input = [3, 64, 64]
[split]
point = ")" + Splits()[0] + R"("
[unit]
family = "strait"
channels = 4
analysis_width = 8
synthesis_width = 32
[loss]
kind = "distill"
feature_weight = 1.0
lambdas = [1e-3, 1e-5]
[train]
epochs = 3
batch_size = 16
precision = "float32"
device = "cpu"
[export]
precision = 14
)";
    std::vector<std::string> overrides;
    if (!more.empty()) overrides.push_back(more);
    Result<Recipe> recipe = ParseRecipe(toml, "test.toml", overrides);
    EXPECT_TRUE(recipe.ok()) << recipe.status().ToString();
    return *recipe;
  }

  // The first feature maps of the tiny network, by whatever names the reader gives them: before and after ReLU.
  std::vector<std::string> Splits() {
    Result<Backbone> backbone = Backbone::Load(backbone_, {3, 64, 64});
    EXPECT_TRUE(backbone.ok()) << backbone.status().ToString();
    std::vector<std::string> names;
    for (const SplitInfo& split : backbone->splits()) {
      if (split.shape == Shape{8, 16, 16}) names.push_back(split.name);
    }
    EXPECT_EQ(names.size(), 2u);
    names.resize(2);
    return names;
  }

  std::string Out(const char* name) { return (dir_ / name).string(); }
  static std::vector<uint8_t> Bytes(const std::string& path) {
    Result<std::vector<uint8_t>> bytes = ReadFile(path);
    EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
    return bytes.ok() ? *bytes : std::vector<uint8_t>();
  }

  fs::path dir_;
  std::string backbone_;
};

TEST_F(TrainerTest, LeavesRecipeMetricsCheckpointModelAndCurve) {
  const Status status = RunTraining(MakeRecipe(), {.out_dir = Out("run")});
  ASSERT_TRUE(status.ok()) << status.ToString();
  for (const char* name : {"recipe.toml", "metrics.jsonl", "checkpoint.pt", "model.strait", "rd.csv"}) {
    EXPECT_TRUE(fs::exists(dir_ / "run" / name)) << name;
  }
  Result<std::shared_ptr<const Model>> model = Model::Load(Out("run") + "/model.strait");
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  ASSERT_EQ((*model)->levels().size(), 2u);
  EXPECT_GT((*model)->levels()[1].bytes_per_sample, (*model)->levels()[0].bytes_per_sample);
  EXPECT_FALSE(std::isnan((*model)->levels()[0].top1));
}

TEST_F(TrainerTest, InterruptedAndResumedGivesTheModelOfAnUninterruptedRun) {
  ASSERT_TRUE(RunTraining(MakeRecipe(), {.out_dir = Out("whole")}).ok());
  const Status stopped = RunTraining(MakeRecipe(), {.out_dir = Out("parts"), .stop_after_steps = 8});
  EXPECT_EQ(stopped.code(), StatusCode::kIo);
  EXPECT_NE(stopped.message().find("--resume"), std::string::npos) << stopped.message();
  EXPECT_FALSE(fs::exists(dir_ / "parts" / "model.strait"));
  const Status resumed = RunTraining(MakeRecipe(), {.out_dir = Out("parts"), .resume = true});
  ASSERT_TRUE(resumed.ok()) << resumed.ToString();
  EXPECT_EQ(Bytes(Out("whole") + "/model.strait"), Bytes(Out("parts") + "/model.strait"));
}

TEST_F(TrainerTest, ResumesWithAnotherExportButLearnsNothingNew) {
  ASSERT_TRUE(RunTraining(MakeRecipe(), {.out_dir = Out("run")}).ok());
  const auto old_model = Bytes(Out("run") + "/model.strait"), learnt = Bytes(Out("run") + "/checkpoint.pt");
  const Status resumed = RunTraining(MakeRecipe("export.precision=10"), {.out_dir = Out("run"), .resume = true});
  ASSERT_TRUE(resumed.ok()) << resumed.ToString();
  EXPECT_EQ(Bytes(Out("run") + "/checkpoint.pt"), learnt);
  EXPECT_NE(Bytes(Out("run") + "/model.strait"), old_model);
  EXPECT_EQ(Model::Load(Out("run") + "/model.strait").value()->impl().entropy.tables().precision(), 10);
}

TEST_F(TrainerTest, IsNotFinishedUntilTheModelOfThisExportIsThere) {
  const Recipe recipe = MakeRecipe(), other = MakeRecipe("export.precision=10");
  ASSERT_TRUE(RunTraining(recipe, {.out_dir = Out("run")}).ok());
  const std::string hash = LoadCheckpoint(Out("run") + "/checkpoint.pt").value().backbone_hash;
  const auto state = [&](const Recipe& some) { return ReadRunState(Out("run"), some, hash).value(); };
  EXPECT_EQ(state(recipe), RunState::kFinished);
  EXPECT_EQ(state(other), RunState::kUnfinished);
  // A folder in the way lets the export fail after training was taken up again.
  fs::rename(dir_ / "run" / "rd.csv", dir_ / "rd.csv");
  fs::create_directory(dir_ / "run" / "rd.csv");
  EXPECT_FALSE(RunTraining(other, {.out_dir = Out("run"), .resume = true}).ok());
  fs::remove(dir_ / "run" / "rd.csv");
  fs::rename(dir_ / "rd.csv", dir_ / "run" / "rd.csv");
  EXPECT_EQ(state(other), RunState::kUnfinished);
  ASSERT_TRUE(RunTraining(other, {.out_dir = Out("run"), .resume = true}).ok());
  EXPECT_EQ(state(other), RunState::kFinished);
  EXPECT_EQ(state(recipe), RunState::kUnfinished);
}

TEST_F(TrainerTest, ResumesAStreamingRunToTheSameModel) {
  ASSERT_TRUE(RunTraining(MakeRecipe("data.views=0"), {.out_dir = Out("whole")}).ok());
  EXPECT_FALSE(RunTraining(MakeRecipe("data.views=0"), {.out_dir = Out("parts"), .stop_after_steps = 9}).ok());
  const Status resumed = RunTraining(MakeRecipe("data.views=0"), {.out_dir = Out("parts"), .resume = true});
  ASSERT_TRUE(resumed.ok()) << resumed.ToString();
  EXPECT_EQ(Bytes(Out("whole") + "/model.strait"), Bytes(Out("parts") + "/model.strait"));
}

TEST_F(TrainerTest, LearnsTheSameFromFeaturesThatAnotherRunKept) {
  const auto run = [&](const char* name, Recipe recipe) {
    if (std::string(name) != "alone") recipe.data.cache = Out("cache");
    const Status status = RunTraining(recipe, {.out_dir = Out(name)});
    EXPECT_TRUE(status.ok()) << status.ToString();
    return Model::Load(Out(name) + "/model.strait").value()->levels();
  };
  const auto alone = run("alone", MakeRecipe()), keeps = run("keeps", MakeRecipe());
  ASSERT_EQ(std::distance(fs::directory_iterator(Out("cache")), {}), 1);
  const auto written = fs::last_write_time(fs::directory_iterator(Out("cache"))->path());
  const auto finds = run("finds", MakeRecipe());
  EXPECT_EQ(fs::last_write_time(fs::directory_iterator(Out("cache"))->path()), written);
  for (size_t level = 0; level < alone.size(); ++level) {
    EXPECT_EQ(keeps[level].bytes_per_sample, alone[level].bytes_per_sample);
    EXPECT_EQ(finds[level].bytes_per_sample, alone[level].bytes_per_sample);
    EXPECT_EQ(finds[level].top1, alone[level].top1);
  }
  run("other crops", MakeRecipe("data.seed=2"));
  EXPECT_EQ(std::distance(fs::directory_iterator(Out("cache")), {}), 2);
  // Before and after an activation both halves have the same weights and the split the same shape.
  ASSERT_NE(Splits()[0], Splits()[1]);
  run("other split", MakeRecipe("split.point=" + Splits()[1]));
  EXPECT_EQ(std::distance(fs::directory_iterator(Out("cache")), {}), 3);
}

TEST_F(TrainerTest, TrainsOnFeatureArraysWithoutImages) {
  for (const char* part : {"train", "val"}) {
    const fs::path folder = dir_ / "features" / part;
    fs::create_directories(folder);
    const torch::Tensor features = torch::relu(torch::randn({48, 8, 16, 16}));
    const auto bytes = SerializeNpy({features.data_ptr<float>(), features.sizes().vec()});
    ASSERT_TRUE(WriteFileAtomic((folder / "features.npy").string(), bytes).ok());
  }
  const std::string spec = "data.spec=npy:" + Out("features");
  const Status status = RunTraining(MakeRecipe(spec), {.out_dir = Out("run")});
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_TRUE(Model::Load(Out("run") + "/model.strait").ok());

  Recipe task = MakeRecipe(spec);
  task.loss.kind = LossKind::kTask;
  EXPECT_NE(RunTraining(task, {.out_dir = Out("task")}).message().find("labels.npy"), std::string::npos);
  const std::vector<float> few = {0, 1, 2};
  ASSERT_TRUE(WriteFileAtomic(Out("features") + "/train/labels.npy", SerializeNpy({few.data(), {3}})).ok());
  EXPECT_EQ(RunTraining(task, {.out_dir = Out("task")}).code(), StatusCode::kInvalidArgument);
  ASSERT_TRUE(WriteFileAtomic(Out("features") + "/train/features.npy", SerializeNpy({few.data(), {3, 1}})).ok());
  const Status shape = RunTraining(task, {.out_dir = Out("task")});
  EXPECT_EQ(shape.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(shape.message().find("8x16x16"), std::string::npos) << shape.message();
}

// Networks of other tasks and shapes, by the same commands.
Result<double> MakeBuiltin(const std::string& kind, const std::string& path) {
  STRAIT_ASSIGN_OR_RETURN(const Recipe recipe,
                          ParseRecipe("[data]\nspec = \"shapes:seed=1,train=64,val=32\"\n", "network.toml",
                                      {"network.kind=" + kind, "network.width=4", "train.epochs=2",
                                       "train.batch_size=16", "train.device=cpu", "train.threads=1"}));
  return TrainBuiltinBackbone(recipe, path);
}

TEST_F(TrainerTest, TrainsUnitsInsideANetworkThatAnswersForEveryPixel) {
  const std::string network = (dir_ / "pixels.pt").string();
  ASSERT_TRUE(MakeBuiltin("encoder-decoder", network).ok());
  for (const char* kind : {"distill", "task"}) {
    Recipe recipe = MakeRecipe(std::string("loss.kind=") + kind);
    recipe.backbone.file = network;
    recipe.split.point = "layer2";
    recipe.train.threads = 1;
    const Status status = RunTraining(recipe, {.out_dir = Out(kind)});
    ASSERT_TRUE(status.ok()) << status.ToString();
    const Result<std::shared_ptr<const Model>> model = Model::Load(Out(kind) + "/model.strait");
    ASSERT_TRUE(model.ok());
    EXPECT_EQ((*model)->feature_shape(), (Shape{8, 16, 16}));
    // Of eleven classes a network that has hardly learnt finds next to nothing.
    EXPECT_GT((*model)->levels()[1].top1, 0);
    EXPECT_LT((*model)->levels()[1].top1, 30);
  }
}

TEST_F(TrainerTest, TrainsUnitsBetweenTokens) {
  const std::string network = (dir_ / "tokens.pt").string();
  ASSERT_TRUE(MakeBuiltin("vit", network).ok());
  Recipe recipe = MakeRecipe("unit.stride=1");
  recipe.backbone.file = network;
  recipe.split.point = "block2";
  recipe.train.threads = 1;
  const Status status = RunTraining(recipe, {.out_dir = Out("tokens")});
  ASSERT_TRUE(status.ok()) << status.ToString();
  const Result<std::shared_ptr<const Model>> model = Model::Load(Out("tokens") + "/model.strait");
  ASSERT_TRUE(model.ok());
  EXPECT_EQ((*model)->feature_shape(), (Shape{64, 16}));
}

TEST_F(TrainerTest, NamesWhatANetworkOfPixelsOrTokensLacks) {
  const Result<Recipe> odd = ParseRecipe("[data]\nspec = \"shapes:seed=1,train=8,val=8\"\nresize = 64\ncrop = 60\n",
                                         "network.toml", {"network.kind=vit", "train.epochs=1"});
  ASSERT_TRUE(odd.ok());
  const Status side = TrainBuiltinBackbone(*odd, Out("odd.pt")).status();
  EXPECT_EQ(side.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(side.message().find("multiple of 8"), std::string::npos) << side.message();
}

TEST_F(TrainerTest, TrainsOneUnitForEachLambdaInTheFamilyDatta2022) {
  const Status status = RunTraining(MakeRecipe("unit.family=datta2022"), {.out_dir = Out("run")});
  ASSERT_TRUE(status.ok()) << status.ToString();
  for (const char* name : {"model-0.strait", "model-1.strait"}) {
    Result<std::shared_ptr<const Model>> model = Model::Load(Out("run") + "/" + name);
    ASSERT_TRUE(model.ok()) << model.status().ToString();
    EXPECT_EQ((*model)->levels().size(), 1u);
  }
}

TEST_F(TrainerTest, RefusesToOverwriteARunOrResumeAnotherRecipe) {
  ASSERT_FALSE(RunTraining(MakeRecipe(), {.out_dir = Out("run"), .stop_after_steps = 2}).ok());
  const Status again = RunTraining(MakeRecipe(), {.out_dir = Out("run")});
  EXPECT_EQ(again.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(again.message().find("--resume"), std::string::npos);
  const Status other = RunTraining(MakeRecipe("train.learning_rate=0.5"), {.out_dir = Out("run"), .resume = true});
  EXPECT_EQ(other.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(other.message().find("recipe"), std::string::npos);
}

TEST_F(TrainerTest, NamesWhatIsWrongInOneLine) {
  const struct {
    const char* set;
    const char* want;
  } cases[] = {
      {"backbone.file=/nowhere/net.pt", "/nowhere/net.pt"},
      {"split.point=layer9", "layer9"},
      {"data.spec=imagefolder:/nowhere", "/nowhere"},
      {"data.spec=npy:/nowhere", "/nowhere/train/features.npy"},
  };
  for (const auto& c : cases) {
    const Status status = RunTraining(MakeRecipe(c.set), {.out_dir = Out("bad")});
    EXPECT_FALSE(status.ok()) << c.set;
    EXPECT_NE(status.message().find(c.want), std::string::npos) << status.message();
    EXPECT_EQ(status.message().find('\n'), std::string::npos) << status.message();
  }
}

TEST_F(TrainerTest, NamesARunDirectoryThatCannotBeMade) {
  std::ofstream(dir_ / "file") << "x";
  const Status status = RunTraining(MakeRecipe(), {.out_dir = Out("file") + "/run"});
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_NE(status.message().find("run directory"), std::string::npos) << status.message();
}

TEST_F(TrainerTest, ResumesNothingWhereNothingIs) {
  const Status status = RunTraining(MakeRecipe(), {.out_dir = Out("none"), .resume = true});
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_NE(status.message().find("nothing to resume"), std::string::npos) << status.message();
  EXPECT_FALSE(fs::exists(dir_ / "none"));
}

TEST_F(TrainerTest, RefusesToResumeWithAnotherNetworkOrOtherData) {
  ASSERT_FALSE(RunTraining(MakeRecipe(), {.out_dir = Out("run"), .stop_after_steps = 2}).ok());
  torch::jit::Module network = torch::jit::load(backbone_);
  {
    const torch::NoGradGuard no_grad;
    network.attr("w3").toTensor().mul_(2);
  }
  network.save(backbone_);
  const Status status = RunTraining(MakeRecipe(), {.out_dir = Out("run"), .resume = true});
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("backbone"), std::string::npos) << status.message();
}

TEST_F(TrainerTest, NeverChangesTheNetwork) {
  const std::vector<uint8_t> before = Bytes(backbone_);
  Result<Backbone> network = Backbone::Load(backbone_, {3, 64, 64});
  ASSERT_TRUE(RunTraining(MakeRecipe("loss.kind=task"), {.out_dir = Out("run")}).ok());
  EXPECT_EQ(Bytes(backbone_), before);
  // The halves share their weights with what was loaded; steps through them must leave those as they were.
  Result<SplitNetwork> split = network->Cut(Splits()[0]);
  const std::string hash = HashConstants(split->head) + HashConstants(split->tail);
  const Recipe recipe = MakeRecipe("loss.kind=task");
  const Result<Tail> tail = Tail::Create(*split, false, torch::kCPU);
  ASSERT_TRUE(tail.ok());
  UnitBank bank(recipe, split->info.shape, true, *tail, torch::kCPU);
  FeatureBatch batch{torch::rand({4, 8, 16, 16}), torch::randn({4, 10}), torch::randint(10, {4}, torch::kLong)};
  bank.Initialize(batch.features);
  for (int step = 0; step < 3; ++step) bank.Step(batch, step % 2, {.rounded = true, .learning_rate = 1e-2});
  EXPECT_EQ(HashConstants(split->head) + HashConstants(split->tail), hash);
}

TEST_F(TrainerTest, WeighsEverySampleByItsLevelAndTheRateByItsLambda) {
  Result<Backbone> network = Backbone::Load(backbone_, {3, 64, 64});
  Result<SplitNetwork> split = network->Cut(Splits()[0]);
  Recipe recipe = MakeRecipe("loss.lambdas=[1e-1,1e-3,1e-5]");
  recipe.loss.level_balance = 0.5;
  const Result<Tail> tail = Tail::Create(*split, false, torch::kCPU);
  ASSERT_TRUE(tail.ok());
  UnitBank bank(recipe, split->info.shape, true, *tail, torch::kCPU);
  FeatureBatch batch{torch::rand({7, 8, 16, 16}), torch::randn({7, 10}), torch::randint(10, {7}, torch::kLong)};
  bank.Initialize(batch.features);
  BottleneckUnit unit = bank.Snapshot().front();
  unit->train();
  torch::manual_seed(9);
  const auto out = unit->Forward(batch.features, 1, true);
  // Roots of 1 / lambda are as 1 to 10 to 100; of seven samples the first is at level 1.
  const double lambdas[] = {1e-1, 1e-3, 1e-5}, weights[] = {3 / 111.0, 30 / 111.0, 300 / 111.0};
  double weighted = 0, rate = 0;
  for (const auto& part : out.rates) {
    weighted += 0.5 * weights[part.level] * lambdas[part.level] * part.share * part.rate.item<double>();
    rate += part.share * part.rate.item<double>();
  }
  std::vector<float> of_samples;
  for (const int level : {1, 2, 0, 1, 2, 0, 1}) of_samples.push_back(static_cast<float>(weights[level]));
  const double distortion = Distortion(recipe.loss, {out.restored,
                                                     batch.features,
                                                     tail->Run(out.restored).logits,
                                                     batch.logits,
                                                     batch.labels,
                                                     {},
                                                     {},
                                                     torch::tensor(of_samples)})
                                .item<double>();
  torch::manual_seed(9);
  const StepResult result = bank.Step(batch, 1, {.rounded = true, .learning_rate = 1e-3, .rate_weight = 0.5});
  EXPECT_NEAR(result.rate / rate, 1, 1e-4);
  EXPECT_NEAR((result.loss - result.distortion) / weighted, 1, 1e-3);
  EXPECT_NEAR(result.distortion / distortion, 1, 1e-4);
}

TEST_F(TrainerTest, CalibratesOnAsManySamplesAsAskedForHoweverFewWereAskedBefore) {
  Result<Backbone> network = Backbone::Load(backbone_, {3, 64, 64});
  Result<SplitNetwork> split = network->Cut(Splits()[0]);
  for (const char* views : {"data.views=0", "data.views=1"}) {
    const Recipe recipe = MakeRecipe(views);
    const Result<SourceData> data = OpenSourceData(recipe, Subset::kTrain, split->info.shape);
    const Result<Tail> tail = Tail::Create(*split, false, torch::kCPU);
    const auto source = MakeFeatureSource(recipe, *data, *split, *tail, torch::kCPU);
    ASSERT_TRUE(source.ok());
    for (const int64_t samples : {16, 80, 32, 96}) {
      EXPECT_EQ((*source)->Calibration(samples)->size(0), samples) << views;
    }
    EXPECT_EQ((*source)->Calibration(1000)->size(0), 96) << views;
  }
}

}  // namespace
}  // namespace strait
