// The GPU server's recipe of docs/two-processes.md, on the CPU.
#include "gpu_server_example.inc"

#include <gtest/gtest.h>

#include "codec/model_impl.h"
#include "tests/codec/test_models.h"
#include "training/torchscript_export.h"

namespace strait {
namespace {

TEST(GpuServerExample, GivesWhatDecoderAndTailGive) {
  const auto model = testing::ModelOf(testing::ConvSpec());
  Result<TorchScriptUnit> unit = BuildTorchScript(model->impl().spec);
  ASSERT_TRUE(unit.ok()) << unit.status().ToString();
  torch::jit::Module tail("Tail");
  tail.define("def forward(self, x: Tensor) -> Tensor:\n  return x.flatten(1)\n");

  Encoder encoder(model);
  Decoder decoder(model);
  std::vector<std::vector<uint8_t>> frames;
  std::vector<torch::Tensor> want;
  for (const double quality : {0.0, 1.25, 2.0}) {
    const auto seed = static_cast<uint32_t>(7 + 4 * quality);
    frames.emplace_back();
    const Status status =
        encoder.Encode(testing::IntegerTensor({1, 4, 6, 6}, seed).view(), {.quality = quality}, frames.back());
    ASSERT_TRUE(status.ok()) << status.ToString();
    const auto restored = torch_decode(decoder, frames.back());
    ASSERT_TRUE(restored.ok());
    want.push_back(restored->flatten(1));
  }
  const std::vector<FrameView> views(frames.begin(), frames.end());
  const auto got = Classify(decoder, views, unit->synthesis, tail, torch::kCPU);
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  EXPECT_TRUE(torch::allclose(*got, torch::cat(want), 1e-4, 1e-5));
  EXPECT_FALSE(torch::equal((*got)[0], (*got)[2]));

  const std::vector<FrameView> broken = {views[0], FrameView()};
  EXPECT_EQ(Classify(decoder, broken, unit->synthesis, tail, torch::kCPU).status().code(), StatusCode::kTruncated);
}

}  // namespace
}  // namespace strait
