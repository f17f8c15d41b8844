#include "datasets/idx.h"

#include <algorithm>
#include <filesystem>

#include "datasets/read_file.h"
#include "entropy/error.h"

namespace strait {
namespace {

constexpr uint32_t kImageMagic = 0x0803;  // unsigned bytes, three dimensions
constexpr uint32_t kLabelMagic = 0x0801;  // unsigned bytes, one dimension
constexpr uint32_t kMaxSide = 1 << 14;

struct IdxArray {
  std::vector<uint32_t> dims;
  std::vector<uint8_t> file;  // header included
  size_t header_bytes = 0;
  const uint8_t* data() const { return file.data() + header_bytes; }
};

class Idx final : public Dataset {
 public:
  Idx(IdxArray images, IdxArray labels, size_t num_classes)
      : images_(std::move(images)), labels_(std::move(labels)), class_names_(NumberedNames(num_classes)) {}

  size_t size() const override { return images_.dims[0]; }
  const std::vector<std::string>& class_names() const override { return class_names_; }

  Result<Sample> Get(size_t index) const override {
    if (index >= size()) return Error(StatusCode::kInvalidArgument, "idx: image ", index, " of ", size());
    const size_t plane_bytes = size_t{images_.dims[1]} * images_.dims[2];
    const uint8_t* grey = images_.data() + index * plane_bytes;
    Sample sample;
    sample.image.height = static_cast<int>(images_.dims[1]);
    sample.image.width = static_cast<int>(images_.dims[2]);
    sample.image.pixels.resize(plane_bytes * 3);
    for (size_t i = 0; i < plane_bytes; ++i) std::fill_n(&sample.image.pixels[i * 3], 3, grey[i]);
    sample.label = labels_.data()[index];
    return sample;
  }

 private:
  IdxArray images_;
  IdxArray labels_;
  std::vector<std::string> class_names_;
};

uint32_t ReadBigEndian(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

Result<IdxArray> ReadIdx(const std::string& path, uint32_t magic) {
  if (!std::filesystem::exists(path)) {
    if (std::filesystem::exists(path + ".gz")) {
      return Error(StatusCode::kIo, "idx: ", path, " not found, but ", path, ".gz is there: gunzip it first");
    }
    return Error(StatusCode::kIo, "idx: ", path, " not found: expected the IDX files of the MNIST family");
  }
  IdxArray array;
  STRAIT_ASSIGN_OR_RETURN(array.file, ReadWholeFile(path));
  const size_t num_dims = magic & 0xFF;
  array.header_bytes = 4 + 4 * num_dims;
  if (array.file.size() < array.header_bytes) {
    return Error(StatusCode::kCorrupt, path, ": wanted a header of ", array.header_bytes, " bytes, file has ",
                 array.file.size());
  }
  if (const uint32_t got = ReadBigEndian(array.file.data()); got != magic) {
    return Error(StatusCode::kCorrupt, path, ": wanted magic number ", magic, ", got ", got);
  }
  uint64_t wanted_bytes = 1;
  for (size_t d = 0; d < num_dims; ++d) {
    array.dims.push_back(ReadBigEndian(array.file.data() + 4 + 4 * d));
    if (array.dims[d] == 0 || (d > 0 && array.dims[d] > kMaxSide)) {
      return Error(StatusCode::kCorrupt, path, ": dimension ", d, " is ", array.dims[d]);
    }
    wanted_bytes *= array.dims[d];  // below 2^32 * 2^14 * 2^14
  }
  if (array.file.size() - array.header_bytes != wanted_bytes) {
    return Error(StatusCode::kCorrupt, path, ": header wants ", wanted_bytes, " bytes of data, file has ",
                 array.file.size() - array.header_bytes);
  }
  return array;
}

}  // namespace

Result<std::unique_ptr<Dataset>> OpenIdx(const std::string& dir, Subset subset) {
  const std::string prefix = (std::filesystem::path(dir) / (subset == Subset::kTrain ? "train" : "t10k")).string();
  STRAIT_ASSIGN_OR_RETURN(IdxArray images, ReadIdx(prefix + "-images-idx3-ubyte", kImageMagic));
  STRAIT_ASSIGN_OR_RETURN(IdxArray labels, ReadIdx(prefix + "-labels-idx1-ubyte", kLabelMagic));
  if (images.dims[0] != labels.dims[0]) {
    return Error(StatusCode::kCorrupt, prefix, "-images-idx3-ubyte: has ", images.dims[0],
                 " images, the label file ", labels.dims[0], " labels");
  }
  // The family has ten classes; a subset that happens to lack the last ones still has ten.
  const size_t max_label = *std::max_element(labels.data(), labels.data() + labels.dims[0]);
  const size_t num_classes = std::max<size_t>(10, max_label + 1);
  return std::unique_ptr<Dataset>(std::make_unique<Idx>(std::move(images), std::move(labels), num_classes));
}

}  // namespace strait
