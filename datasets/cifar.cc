#include "datasets/cifar.h"

#include <filesystem>

#include "datasets/read_file.h"
#include "entropy/error.h"

namespace strait {
namespace {

constexpr int kSide = 32;
constexpr size_t kPlaneBytes = size_t{kSide} * kSide;

struct Layout {
  const char* scheme;
  std::vector<std::string> files;
  size_t label_bytes;  // the label is the last of them
  size_t num_classes;
  size_t record_bytes() const { return label_bytes + 3 * kPlaneBytes; }
};

class Cifar final : public Dataset {
 public:
  Cifar(Layout layout, std::vector<std::string> class_names, std::vector<uint8_t> records)
      : layout_(std::move(layout)), class_names_(std::move(class_names)), records_(std::move(records)) {}

  size_t size() const override { return records_.size() / layout_.record_bytes(); }
  const std::vector<std::string>& class_names() const override { return class_names_; }

  Result<Sample> Get(size_t index) const override {
    if (index >= size()) {
      return Error(StatusCode::kInvalidArgument, layout_.scheme, ": image ", index, " of ", size());
    }
    const uint8_t* record = records_.data() + index * layout_.record_bytes();
    const uint8_t* planes = record + layout_.label_bytes;
    Sample sample{{kSide, kSide, std::vector<uint8_t>(3 * kPlaneBytes)}, planes[-1], {}};
    for (size_t i = 0; i < kPlaneBytes; ++i) {
      for (size_t c = 0; c < 3; ++c) sample.image.pixels[i * 3 + c] = planes[c * kPlaneBytes + i];
    }
    return sample;
  }

 private:
  Layout layout_;
  std::vector<std::string> class_names_;
  std::vector<uint8_t> records_;
};

Status AppendRecords(const Layout& layout, const std::string& path, std::vector<uint8_t>* records) {
  if (!std::filesystem::exists(path)) {
    return Error(StatusCode::kIo, layout.scheme, ": ", path, " not found: expected the binary version (",
                 layout.files.front(), layout.files.size() > 1 ? ", ..." : "", ")");
  }
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadWholeFile(path));
  const size_t record_bytes = layout.record_bytes();
  if (bytes.empty() || bytes.size() % record_bytes != 0) {
    return Error(StatusCode::kCorrupt, path, ": wanted whole records of ", record_bytes, " bytes, file has ",
                 bytes.size(), " bytes");
  }
  for (size_t at = layout.label_bytes - 1; at < bytes.size(); at += record_bytes) {
    if (bytes[at] >= layout.num_classes) {
      return Error(StatusCode::kCorrupt, path, ": record ", at / record_bytes, " has label ", int{bytes[at]},
                   ", wanted below ", layout.num_classes);
    }
  }
  records->insert(records->end(), bytes.begin(), bytes.end());
  return Status();
}

Result<std::unique_ptr<Dataset>> Open(const std::string& dir, Layout layout, std::vector<std::string> class_names) {
  std::vector<uint8_t> records;
  for (const std::string& file : layout.files) {
    STRAIT_RETURN_IF_ERROR(AppendRecords(layout, (std::filesystem::path(dir) / file).string(), &records));
  }
  return std::unique_ptr<Dataset>(
      std::make_unique<Cifar>(std::move(layout), std::move(class_names), std::move(records)));
}

}  // namespace

Result<std::unique_ptr<Dataset>> OpenCifar10(const std::string& dir, Subset subset) {
  Layout layout{"cifar10", {"test_batch.bin"}, 1, 10};
  if (subset == Subset::kTrain) {
    layout.files.clear();
    for (int i = 1; i <= 5; ++i) layout.files.push_back("data_batch_" + std::to_string(i) + ".bin");
  }
  return Open(
      dir, std::move(layout),
      ReadNamesOr((std::filesystem::path(dir) / "batches.meta.txt").string(), 10,
                  {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}));
}

Result<std::unique_ptr<Dataset>> OpenCifar100(const std::string& dir, Subset subset) {
  Layout layout{"cifar100", {subset == Subset::kTrain ? "train.bin" : "test.bin"}, 2, 100};
  return Open(dir, std::move(layout),
              ReadNamesOr((std::filesystem::path(dir) / "fine_label_names.txt").string(), 100, NumberedNames(100)));
}

}  // namespace strait
