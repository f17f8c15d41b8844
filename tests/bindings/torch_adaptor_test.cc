#include <gtest/gtest.h>
#include <torch/torch.h>

#include "strait/torch.h"
#include "tests/codec/test_models.h"

namespace strait {
namespace {

using ::strait::testing::ConvSpec;
using ::strait::testing::IntegerTensor;
using ::strait::testing::ModelOf;
using ::strait::testing::TokenSpec;

// Multiples of 1/64 in [-1, 1]: exact in every floating type.
torch::Tensor Features(int64_t batch = 2) {
  Tensor values = IntegerTensor({batch, 4, 6, 6}, 3);
  return torch::from_blob(values.data.data(), {batch, 4, 6, 6}).clone();
}

std::vector<uint8_t> ReferenceFrame(const std::shared_ptr<const Model>& model, const torch::Tensor& src) {
  const torch::Tensor plain = src.to(torch::kFloat).contiguous();
  std::vector<uint8_t> frame;
  const Status status =
      Encoder(model).Encode({plain.data_ptr<float>(), Shape(plain.sizes().vec())}, {.quality = 1.5}, frame);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return frame;
}

torch::Tensor ReferenceTensor(const std::shared_ptr<const Model>& model, FrameView frame) {
  Tensor restored;
  EXPECT_TRUE(Decoder(model).Decode(frame, restored).ok());
  return torch::from_blob(restored.data.data(), {restored.shape.data(), restored.shape.size()}).clone();
}

struct Case {
  torch::Dtype dtype;
  torch::MemoryFormat format;
};

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = {
      {torch::kFloat, torch::MemoryFormat::Contiguous},    {torch::kFloat, torch::MemoryFormat::ChannelsLast},
      {torch::kHalf, torch::MemoryFormat::Contiguous},     {torch::kHalf, torch::MemoryFormat::ChannelsLast},
      {torch::kBFloat16, torch::MemoryFormat::Contiguous}, {torch::kBFloat16, torch::MemoryFormat::ChannelsLast}};
  return cases;
}

TEST(TorchAdaptor, ViewsShareMemoryAndPassTypeAndStridesThrough) {
  for (const Case& c : Cases()) {
    const torch::Tensor tensor = Features().to(c.dtype).contiguous(c.format);
    const Result<TensorView> view = torch_view(tensor);
    const Result<MutableTensorView> mutable_view = torch_mutable_view(tensor);
    ASSERT_TRUE(view.ok() && mutable_view.ok());
    EXPECT_EQ(view->data, tensor.data_ptr());
    EXPECT_EQ(mutable_view->data, tensor.data_ptr());
    EXPECT_EQ(view->shape, Shape(tensor.sizes().vec()));
    EXPECT_EQ(view->strides, Shape(tensor.strides().vec()));
    EXPECT_EQ(ElementBytes(view->dtype), tensor.element_size());
  }
}

TEST(TorchAdaptor, EncodesEveryTypeAndLayoutToTheFrameOfTheSameValues) {
  const auto model = ModelOf(ConvSpec());
  const std::vector<uint8_t> want = ReferenceFrame(model, Features());
  Encoder encoder(model);
  for (const Case& c : Cases()) {
    const auto frame = torch_encode(encoder, Features().to(c.dtype).contiguous(c.format), {.quality = 1.5});
    ASSERT_TRUE(frame.ok()) << frame.status().ToString();
    EXPECT_EQ(*frame, want);
  }
}

TEST(TorchAdaptor, DecodesIntoEveryTypeAndLayout) {
  const auto model = ModelOf(ConvSpec());
  const std::vector<uint8_t> frame = ReferenceFrame(model, Features());
  const torch::Tensor want = ReferenceTensor(model, frame);
  Decoder decoder(model);
  for (const Case& c : Cases()) {
    const auto restored = torch_decode(decoder, frame, c.dtype, c.format);
    ASSERT_TRUE(restored.ok()) << restored.status().ToString();
    EXPECT_EQ(restored->scalar_type(), c.dtype);
    EXPECT_TRUE(restored->is_contiguous(c.format));
    EXPECT_TRUE(torch::equal(*restored, want.to(c.dtype)));

    torch::Tensor dst = torch::zeros({2, 4, 6, 6}, torch::dtype(c.dtype)).contiguous(c.format);
    const void* data = dst.data_ptr();
    ASSERT_TRUE(torch_decode_into(decoder, frame, dst).ok());
    EXPECT_EQ(dst.data_ptr(), data);
    EXPECT_TRUE(torch::equal(dst, want.to(c.dtype)));
  }
}

TEST(TorchAdaptor, DecodesABatchIntoOneTensorAndReportsTheUnsoundFrame) {
  const auto model = ModelOf(ConvSpec());
  const std::vector<uint8_t> frame = ReferenceFrame(model, Features(1));
  const torch::Tensor want = ReferenceTensor(model, frame);
  Decoder decoder(model);
  const std::vector<FrameView> frames = {frame, FrameView(), frame};
  std::vector<Status> statuses(3);
  torch::Tensor dst =
      torch::ones({3, 4, 6, 6}, torch::dtype(torch::kHalf)).contiguous(torch::MemoryFormat::ChannelsLast);
  const Status status = torch_decode_batch(decoder, frames, dst, statuses);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_TRUE(statuses[0].ok() && statuses[2].ok());
  EXPECT_EQ(statuses[1].code(), StatusCode::kTruncated);
  EXPECT_TRUE(torch::equal(dst[0], want[0].to(torch::kHalf)));
  EXPECT_TRUE(torch::equal(dst[1], torch::zeros_like(dst[1])));
  EXPECT_TRUE(torch::equal(dst[2], want[0].to(torch::kHalf)));
}

TEST(TorchAdaptor, TakesTokens) {
  const auto model = ModelOf(TokenSpec());
  Tensor values = IntegerTensor({3, 5, 6}, 4);
  const torch::Tensor src = torch::from_blob(values.data.data(), {3, 5, 6}).to(torch::kBFloat16);
  Encoder encoder(model);
  Decoder decoder(model);
  const auto frame = torch_encode(encoder, src);
  ASSERT_TRUE(frame.ok()) << frame.status().ToString();
  const auto restored = torch_decode(decoder, *frame);
  ASSERT_TRUE(restored.ok()) << restored.status().ToString();
  EXPECT_TRUE(torch::equal(*restored, ReferenceTensor(model, *frame)));
}

TEST(TorchAdaptor, TakesQuantisedTensorsOfOneScale) {
  const auto model = ModelOf(ConvSpec());
  Encoder encoder(model);
  const torch::Tensor quantised = torch::quantize_per_tensor(Features(), 1.0 / 64, 0, torch::kQInt8);
  const auto frame = torch_encode(encoder, quantised, {.quality = 1.5});
  ASSERT_TRUE(frame.ok()) << frame.status().ToString();
  EXPECT_EQ(*frame, ReferenceFrame(model, quantised.dequantize()));
  const torch::Tensor shifted = torch::quantize_per_tensor(Features(), 1.0 / 64, 5, torch::kQInt8);
  EXPECT_EQ(torch_encode(encoder, shifted).status().code(), StatusCode::kUnsupported);
}

TEST(TorchAdaptor, GivesSymbolsInTheShapeOfTheLatent) {
  const auto model = ModelOf(ConvSpec());
  const std::vector<uint8_t> frame = ReferenceFrame(model, Features());
  Decoder decoder(model);
  const auto symbols = torch_symbols(decoder, frame);
  ASSERT_TRUE(symbols.ok()) << symbols.status().ToString();
  EXPECT_EQ(symbols->sizes().vec(), (std::vector<int64_t>{2, 3, 3, 3}));
  std::vector<int16_t> want;
  Shape shape;
  ASSERT_TRUE(decoder.DecodeSymbols(frame, want, shape).ok());
  const torch::Tensor flat = symbols->flatten();
  EXPECT_EQ(std::vector<int16_t>(flat.data_ptr<int16_t>(), flat.data_ptr<int16_t>() + flat.numel()), want);
}

TEST(TorchAdaptor, RefusesWhatTheCodecCannotReadInPlace) {
  const auto model = ModelOf(ConvSpec());
  Encoder encoder(model);
  const auto code = [&](const torch::Tensor& tensor) { return torch_encode(encoder, tensor).status().code(); };
  EXPECT_EQ(code(Features().transpose(2, 3)), StatusCode::kUnsupported);
  EXPECT_EQ(code(torch::zeros({2, 4, 6, 12}).slice(3, 0, 12, 2)), StatusCode::kUnsupported);
  EXPECT_EQ(code(Features().to(torch::kDouble)), StatusCode::kUnsupported);
  EXPECT_EQ(code(Features().to_sparse()), StatusCode::kUnsupported);
  EXPECT_EQ(code(torch::Tensor()), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(torch::zeros({1, 1, 1, 1, 1, 1, 1, 1, 1})), StatusCode::kInvalidArgument);

  const Status status = torch_encode(encoder, torch::empty({1, 4, 6, 6}, torch::device(torch::kMeta))).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_NE(status.message().find("meta"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find(".cpu()"), std::string::npos) << status.message();
}

TEST(TorchAdaptor, LeavesTheTensorAloneWhenAFrameIsUnsound) {
  const auto model = ModelOf(ConvSpec());
  std::vector<uint8_t> frame = ReferenceFrame(model, Features());
  frame.resize(frame.size() / 2);
  Decoder decoder(model);
  torch::Tensor dst = torch::full({2, 4, 6, 6}, 7.0f);
  EXPECT_FALSE(torch_decode_into(decoder, frame, dst).ok());
  EXPECT_TRUE(torch::equal(dst, torch::full({2, 4, 6, 6}, 7.0f)));
  EXPECT_FALSE(torch_decode(decoder, frame).ok());
}

}  // namespace
}  // namespace strait
