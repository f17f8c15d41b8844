#include "training/labelled_batch.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <string>

namespace strait {
namespace {

// Two images of 2x3 with or without masks.
Batch MakeBatch(bool has_masks) {
  Batch batch;
  batch.size = 2;
  batch.height = 2;
  batch.width = 3;
  for (int i = 0; i < 36; ++i) batch.pixels.push_back(static_cast<float>(i));
  batch.labels = {4, 1};
  if (has_masks) batch.masks = {0, 1, 2, 0, 0, 3, 1, 1, 1, 0, 2, 2};
  return batch;
}

TEST(LabelledBatch, PixelsKeepTheirOrder) {
  const torch::Tensor pixels = PixelsOf(MakeBatch(false));
  EXPECT_EQ(pixels.sizes(), (std::vector<int64_t>{2, 3, 2, 3}));
  EXPECT_EQ((pixels[1][2][1][0].item<float>()), 33);
}

TEST(LabelledBatch, LabelsAreClassesOfImagesOrOfPixelsByWhatTheNetworkAnswers) {
  const torch::Tensor of_images = LabelsOf(MakeBatch(true), torch::zeros({2, 10})).value();
  EXPECT_TRUE(torch::equal(of_images, torch::tensor({4, 1}, torch::kLong)));
  const torch::Tensor of_pixels = LabelsOf(MakeBatch(true), torch::zeros({2, 4, 2, 3})).value();
  EXPECT_EQ(of_pixels.sizes(), (std::vector<int64_t>{2, 2, 3}));
  EXPECT_EQ((of_pixels[0][1][2].item<int64_t>()), 3);
  EXPECT_FALSE(LabelsOf(MakeBatch(false), torch::zeros({2, 4, 2, 3})).value().defined());
}

TEST(LabelledBatch, AnswersOfAnotherShapeAndClassesThatTheyLackAreErrors) {
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{2, 4, 1, 1}, {2, 4, 3, 2}, {2, 6, 4}, {2}}) {
    for (const bool has_masks : {false, true}) {
      const Status status = LabelsOf(MakeBatch(has_masks), torch::zeros(shape)).status();
      EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
      EXPECT_NE(status.message().find("2x3"), std::string::npos) << status.message();
    }
  }
  const Status lacking_label = LabelsOf(MakeBatch(true), torch::zeros({2, 1})).status();
  EXPECT_EQ(lacking_label.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(lacking_label.message().find("the network answers for 1 classes"), std::string::npos)
      << lacking_label.message();
  const Status lacking = LabelsOf(MakeBatch(true), torch::zeros({2, 3, 2, 3})).status();
  EXPECT_EQ(lacking.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(lacking.message().find("class 3"), std::string::npos) << lacking.message();
}

}  // namespace
}  // namespace strait
