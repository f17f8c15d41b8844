// What the unsplit network makes of augmented views of the training set: in memory, or in a file that is mapped,
// kept for later runs and shared by those that run at once.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "strait/result.h"

namespace strait {

// Row v * stride + i of every tensor belongs to view v of sample i < samples.
struct FeatureTable {
  int64_t views = 1;
  int64_t stride = 0;
  int64_t samples = 0;                // of a view: images that cannot be read are left out
  torch::Tensor features;             // [rows, ...] float16, of the split
  torch::Tensor logits;               // [rows, ...] float32
  torch::Tensor labels;               // [rows, ...] int64
  std::vector<torch::Tensor> stages;  // [rows, ...] float16, of the tail where the loss compares them
};

// The file of one table. Not thread-safe.
class FeatureCache {
 public:
  // `description` says all that the table depends on; files of others have other names. No folder: memory alone.
  FeatureCache(std::string folder, std::string description);
  ~FeatureCache();  // drops a file that was not committed
  FeatureCache(const FeatureCache&) = delete;
  FeatureCache& operator=(const FeatureCache&) = delete;

  const std::string& path() const { return path_; }  // empty without a folder

  // Whether there is a file, then mapped into `table`, read-only. kCorrupt, with what to do, when it is damaged.
  Result<bool> Load(FeatureTable& table);

  // Makes room for the rows of `table`, whose views and stride are set, with samples shaped like rows of the
  // others. kIo when the folder cannot be written or has no room.
  Status Allocate(const torch::Tensor& features, const torch::Tensor& logits, const torch::Tensor& labels,
                  const std::vector<torch::Tensor>& stages, FeatureTable& table);

  // Makes what was allocated and filled in the file that later runs load.
  Status Commit(const FeatureTable& table);

 private:
  Status Map(int fd, size_t bytes, bool writable);

  std::string path_, description_, unfinished_;
  uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace strait
