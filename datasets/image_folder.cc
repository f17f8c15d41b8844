#include "datasets/image_folder.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "datasets/read_file.h"
#include "entropy/error.h"

namespace strait {
namespace {

namespace fs = std::filesystem;

struct Entry {
  std::string path;
  int64_t label;
};

bool HasImageExtension(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  static constexpr const char* kExtensions[] = {".jpg", ".jpeg", ".png", ".bmp", ".webp"};
  return std::any_of(std::begin(kExtensions), std::end(kExtensions), [&](const char* e) { return extension == e; });
}

// Names of the sub-folders (or of the image files) of `dir`, sorted; those that start with a dot are left out.
Result<std::vector<std::string>> List(const fs::path& dir, bool folders) {
  std::vector<std::string> names;
  std::error_code code;
  for (fs::directory_iterator it(dir, code), end; !code && it != end; it.increment(code)) {
    const std::string name = it->path().filename().string();
    std::error_code type_code;
    const bool wanted =
        folders ? it->is_directory(type_code) : HasImageExtension(it->path()) && it->is_regular_file(type_code);
    if (wanted && name[0] != '.') names.push_back(name);
  }
  if (code) return Error(StatusCode::kIo, "imagefolder: ", dir.string(), ": cannot list: ", code.message());
  std::sort(names.begin(), names.end());
  return names;
}

// libjpeg fills the missing rest of a truncated file with grey and only warns, so the end marker is looked for
// here: true unless `bytes` are a JPEG stream without an end-of-image marker after its first scan header.
bool IsCompleteIfJpeg(const std::vector<uint8_t>& bytes) {
  if (bytes.size() < 2 || bytes[0] != 0xFF || bytes[1] != 0xD8) return true;
  size_t at = 2;
  while (at + 4 <= bytes.size() && bytes[at] == 0xFF) {
    const uint8_t marker = bytes[at + 1];
    if (marker == 0xFF) {  // fill byte
      ++at;
      continue;
    }
    at += 2 + (size_t{bytes[at + 2]} << 8) + bytes[at + 3];
    if (marker == 0xDA) break;
  }
  for (size_t i = bytes.size(); i >= 2 && i - 2 >= at; --i) {
    if (bytes[i - 2] == 0xFF && bytes[i - 1] == 0xD9) return true;
  }
  return false;
}

Result<Image> Decode(const std::vector<uint8_t>& bytes, const std::string& path) {
  if (bytes.empty()) return Error(StatusCode::kCorrupt, path, ": empty file, expected an image");
  if (!IsCompleteIfJpeg(bytes)) return Error(StatusCode::kCorrupt, path, ": JPEG without an end marker, truncated");
  try {
    const cv::Mat bgr = cv::imdecode(bytes, cv::IMREAD_COLOR);
    if (bgr.empty()) return Error(StatusCode::kCorrupt, path, ": cannot be decoded as an image");
    Image image{bgr.rows, bgr.cols, std::vector<uint8_t>(bgr.total() * 3)};
    cv::Mat rgb(bgr.rows, bgr.cols, CV_8UC3, image.pixels.data());
    cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
    return image;
  } catch (const cv::Exception& e) {
    return Error(StatusCode::kCorrupt, path, ": cannot be decoded as an image: ", e.err);
  }
}

class ImageFolder final : public Dataset {
 public:
  ImageFolder(std::vector<std::string> class_names, std::vector<Entry> entries)
      : class_names_(std::move(class_names)), entries_(std::move(entries)) {}

  size_t size() const override { return entries_.size(); }
  const std::vector<std::string>& class_names() const override { return class_names_; }

  Result<Sample> Get(size_t index) const override {
    if (index >= entries_.size()) {
      return Error(StatusCode::kInvalidArgument, "imagefolder: image ", index, " of ", entries_.size());
    }
    const Entry& entry = entries_[index];
    STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadWholeFile(entry.path));
    Sample sample;
    STRAIT_ASSIGN_OR_RETURN(sample.image, Decode(bytes, entry.path));
    sample.label = entry.label;
    return sample;
  }

 private:
  std::vector<std::string> class_names_;
  std::vector<Entry> entries_;
};

}  // namespace

Result<std::unique_ptr<Dataset>> OpenImageFolder(const std::string& dir, Subset subset) {
  const fs::path train = fs::path(dir) / "train";
  const fs::path root = subset == Subset::kTrain ? train : fs::path(dir) / "val";
  std::error_code code;
  if (!fs::is_directory(root, code)) {
    return Error(StatusCode::kIo, "imagefolder: ", root.string(),
                 " not found: expected one folder a class in it (the subsets are DIR/train and DIR/val)");
  }
  STRAIT_ASSIGN_OR_RETURN(std::vector<std::string> classes,
                          List(fs::is_directory(train, code) ? train : root, true));
  STRAIT_ASSIGN_OR_RETURN(const std::vector<std::string> folders, List(root, true));
  std::vector<Entry> entries;
  for (const std::string& folder : folders) {
    const auto found = std::lower_bound(classes.begin(), classes.end(), folder);
    if (found == classes.end() || *found != folder) {
      return Error(StatusCode::kCorrupt, "imagefolder: class ", (root / folder).string(), " has no folder in ",
                   train.string());
    }
    STRAIT_ASSIGN_OR_RETURN(const std::vector<std::string> files, List(root / folder, false));
    for (const std::string& file : files) {
      entries.push_back({(root / folder / file).string(), found - classes.begin()});
    }
  }
  if (entries.empty()) {
    return Error(StatusCode::kIo, "imagefolder: ", root.string(),
                 ": no images: expected JPEG, PNG, BMP or WebP files in one folder a class");
  }
  return std::unique_ptr<Dataset>(std::make_unique<ImageFolder>(std::move(classes), std::move(entries)));
}

}  // namespace strait
