// What a training step costs beside a bare forward and backward through the same unit and tail on the same batch.
#include <benchmark/benchmark.h>
#include <torch/script.h>
#include <torch/torch.h>

#include <thread>

#include "bench/benchmarks.h"
#include "training/autocast.h"
#include "training/unit_bank.h"

namespace strait {
namespace {

constexpr int64_t kBatch = 64;

// Tail of a residual network of width 32 after its second stage (64x16x16 in, about 67 M multiply-adds), random
// weights.
SplitNetwork MakeNetwork() {
  torch::manual_seed(1);
  torch::jit::Module m("Tail");
  const auto weight = [&](const char* name, int64_t out, int64_t in, int64_t kernel) {
    m.register_parameter(
        name, torch::randn({out, in, kernel, kernel}) / std::sqrt(static_cast<double>(in * kernel * kernel)),
        false);
  };
  for (const auto& [prefix, in, out] : {std::tuple{"a", 64, 128}, std::tuple{"b", 128, 256}}) {
    for (int i = 0; i < 4; ++i) weight((prefix + std::to_string(i)).c_str(), out, i == 0 ? in : out, 3);
    weight((std::string(prefix) + "down").c_str(), out, in, 1);
  }
  m.register_parameter("fc", torch::randn({10, 256}) / 16, false);
  m.define(R"(
    def stage(self, x, w0, w1, w2, w3, down):
        y = torch.conv2d(torch.relu(torch.conv2d(x, w0, None, [2, 2], [1, 1])), w1, None, [1, 1], [1, 1])
        x = torch.relu(y + torch.conv2d(x, down, None, [2, 2]))
        y = torch.conv2d(torch.relu(torch.conv2d(x, w2, None, [1, 1], [1, 1])), w3, None, [1, 1], [1, 1])
        return torch.relu(x + y)
    def forward(self, x):
        x = self.stage(x, self.a0, self.a1, self.a2, self.a3, self.adown)
        x = self.stage(x, self.b0, self.b1, self.b2, self.b3, self.bdown)
        return torch.matmul(x.mean([2, 3]), self.fc.t())
  )");
  m.eval();
  SplitNetwork network;
  network.tail = torch::jit::freeze(m);
  network.info.shape = {64, 16, 16};
  return network;
}

// The trainer's tail: it also hands out the features of its stages, which distillation compares.
Tail MakeTail() { return *Tail::Create(MakeNetwork(), /*tapped=*/true, torch::kCPU); }

Recipe BenchRecipe() {
  Recipe recipe;
  recipe.loss.lambdas = {1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6};
  recipe.loss.feature_weight = 1;
  return recipe;
}

void UseAllCores() { torch::set_num_threads(static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))); }

FeatureBatch MakeBatch() {
  torch::manual_seed(2);
  const torch::NoGradGuard no_grad;
  const torch::Tensor features = torch::relu(torch::randn({kBatch, 64, 16, 16}));
  const Tail::Output reference = MakeTail().Run(features);
  return {features, reference.logits, torch::randint(10, {kBatch}, torch::kLong), reference.stages};
}

// Everything the trainer does in a step: prior, loss, gradient clipping, Adam, reading the loss back.
void TrainStep(benchmark::State& state) {
  UseAllCores();
  const bool bfloat16 = state.range(0) != 0;
  const FeatureBatch batch = MakeBatch();
  UnitBank bank(BenchRecipe(), {64, 16, 16}, true, MakeTail(), torch::kCPU);
  bank.Initialize(batch.features);
  int64_t step = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(
        bank.Step(batch, step++ % bank.levels(), {.bfloat16 = bfloat16, .learning_rate = 1e-4}).loss);
  state.SetItemsProcessed(state.iterations() * kBatch);
}

// The peer: LibTorch alone through analysis, synthesis and tail, and back.
void BareStep(benchmark::State& state) {
  UseAllCores();
  const bool bfloat16 = state.range(0) != 0;
  const FeatureBatch batch = MakeBatch();
  const Recipe recipe = BenchRecipe();
  BottleneckUnit unit(recipe.unit, Shape{64, 16, 16}, std::ssize(recipe.loss.lambdas), true);
  torch::jit::Module tail = MakeNetwork().tail;
  for (auto _ : state) {
    for (const torch::Tensor& parameter : unit->parameters()) parameter.mutable_grad() = torch::Tensor();
    torch::Tensor loss;
    {
      const AutocastScope autocast(bfloat16, false);
      loss = tail.forward({unit->Synthesize(unit->Analyze(batch.features))}).toTensor().sum();
    }
    loss.backward();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}

}  // namespace

void RegisterTrainBenchmarks() {
  for (const auto& [name, run] :
       {std::pair{"Train/Step", &TrainStep}, std::pair{"Train/BareForwardBackward", &BareStep}}) {
    benchmark::RegisterBenchmark(name, run)
        ->ArgName("bf16")
        ->Arg(0)
        ->Arg(1)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  }
}

}  // namespace strait
