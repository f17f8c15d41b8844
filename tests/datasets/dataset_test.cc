#include "datasets/dataset.h"

#include "test_files.h"

namespace strait {
namespace {

TEST(OpenDataset, NamesTheValidKindsWhenGivenAnother) {
  for (const char* kind : {"imagefolder:DIR", "cifar10:DIR", "cifar100:DIR", "idx:DIR", "shapes"}) {
    ExpectError(OpenDataset("imagenet:/x", Subset::kTrain), StatusCode::kInvalidArgument, kind);
  }
  ExpectError(OpenDataset("", Subset::kTrain), StatusCode::kInvalidArgument, "imagefolder:DIR");
}

TEST(OpenDataset, WantsAFolderWhereTheKindNeedsOne) {
  for (const std::string kind : {"imagefolder", "cifar10", "cifar100", "idx"}) {
    ExpectError(OpenDataset(kind, Subset::kTrain), StatusCode::kInvalidArgument, kind + ":DIR");
    ExpectError(OpenDataset(kind + ":", Subset::kTrain), StatusCode::kInvalidArgument, kind + ":DIR");
  }
}

TEST(OpenDataset, NamesWhatIsMissingInAnEmptyFolder) {
  const ScratchDir dir;
  ExpectError(OpenDataset("imagefolder:" + dir.path(), Subset::kTrain), StatusCode::kIo,
              dir.path("train") + " not found: expected one folder a class in it");
  ExpectError(OpenDataset("imagefolder:" + dir.path(), Subset::kValidation), StatusCode::kIo, dir.path("val"));
  ExpectError(OpenDataset("cifar10:" + dir.path(), Subset::kTrain), StatusCode::kIo, "data_batch_1.bin");
  ExpectError(OpenDataset("cifar100:" + dir.path(), Subset::kValidation), StatusCode::kIo, "test.bin");
  ExpectError(OpenDataset("idx:" + dir.path(), Subset::kValidation), StatusCode::kIo, "t10k-images-idx3-ubyte");
}

TEST(OpenDataset, TakesTheSettingsOfShapesInAnyOrder) {
  const auto train = OpenDataset("shapes:val=7,seed=3,train=30", Subset::kTrain);
  const auto validation = OpenDataset("shapes:val=7,seed=3,train=30", Subset::kValidation);
  ASSERT_TRUE(train.ok() && validation.ok());
  EXPECT_EQ((*train)->size(), 30u);
  EXPECT_EQ((*validation)->size(), 7u);
  const auto standard = OpenDataset("shapes", Subset::kTrain);
  ASSERT_TRUE(standard.ok());
  EXPECT_EQ((*standard)->size(), 8000u);
}

TEST(OpenDataset, RefusesBadSettingsOfShapes) {
  for (const char* setting :
       {"size=5", "seed", "seed=", "seed=-1", "train=0", "val=1e3", "train=99999999999", "seed=1;"}) {
    ExpectError(OpenDataset(std::string("shapes:") + setting, Subset::kTrain), StatusCode::kInvalidArgument,
                setting);
  }
}

}  // namespace
}  // namespace strait
