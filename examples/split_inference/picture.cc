#include "picture.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <set>

#include "torch_error.h"

namespace split_inference {
namespace {

using strait::Result;
using strait::Status;
using strait::StatusCode;

// As Strait's own loader: area averaging when shrinking, else linear; the middle is kept. Empty: the crop is too
// large.
cv::Mat ResizeAndCrop(cv::Mat image, int resize, int crop) {
  if (resize > 0) {
    const int shorter = std::min(image.rows, image.cols);
    const auto scale = [&](int side) {
      return std::max(1, static_cast<int>((int64_t{2} * side * resize + shorter) / (int64_t{2} * shorter)));
    };
    cv::Mat resized;
    cv::resize(image, resized, cv::Size(scale(image.cols), scale(image.rows)), 0, 0,
               resize <= shorter ? cv::INTER_AREA : cv::INTER_LINEAR);
    image = resized;
  }
  if (crop == 0) return image;
  if (crop > std::min(image.rows, image.cols)) return {};
  return image(cv::Rect((image.cols - crop) / 2, (image.rows - crop) / 2, crop, crop));
}

Picture ToPicture(const cv::Mat& bgr) {
  Picture picture = {bgr.rows, bgr.cols, std::vector<uint8_t>(bgr.total() * 3)};
  cv::cvtColor(bgr, cv::Mat(bgr.rows, bgr.cols, CV_8UC3, picture.rgb.data()), cv::COLOR_BGR2RGB);
  return picture;
}

std::string SizeText(int height, int width) { return std::to_string(height) + "x" + std::to_string(width); }

struct JpegSize {
  int height = 0, width = 0;
};

// From the frame header of a JPEG file (ITU T.81, B.2); nothing where there is none.
std::optional<JpegSize> ReadJpegSize(std::span<const uint8_t> file) {
  const auto u16 = [&](size_t at) { return file[at] << 8 | file[at + 1]; };
  if (file.size() < 4 || u16(0) != 0xFFD8) return std::nullopt;
  size_t at = 2;
  while (at + 9 <= file.size() && file[at] == 0xFF) {
    const int marker = file[at + 1];
    const bool is_frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (is_frame) return JpegSize{u16(at + 5), u16(at + 7)};
    if (marker < 0xC0 || (marker >= 0xD0 && marker <= 0xDA)) return std::nullopt;  // without a length, or the scan
    at += 2 + static_cast<size_t>(u16(at + 2));
  }
  return std::nullopt;
}

bool IsImage(const std::filesystem::path& path) {
  static const std::set<std::string> kExtensions = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm"};
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  return kExtensions.contains(extension);
}

}  // namespace

Result<Picture> ReadPicture(const std::string& path, const Preparation& preparation) {
  try {
    const cv::Mat bgr = cv::imread(path, cv::IMREAD_COLOR);
    if (bgr.empty()) return Status(StatusCode::kIo, path + ": cannot be read as an image");
    const cv::Mat prepared = ResizeAndCrop(bgr, preparation.resize, preparation.crop);
    if (prepared.rows != preparation.height || prepared.cols != preparation.width) {
      return Status(StatusCode::kInvalidArgument, path + ": " + SizeText(bgr.rows, bgr.cols) +
                                                      " pixels do not become the network's " +
                                                      SizeText(preparation.height, preparation.width));
    }
    return ToPicture(prepared);
  } catch (const std::exception& error) {
    return Status(StatusCode::kInternal, path + ": " + FirstLine(error));
  }
}

torch::Tensor Normalize(const Picture& picture, const Preparation& preparation) {
  const torch::Tensor pixels = torch::from_blob(const_cast<uint8_t*>(picture.rgb.data()),
                                                {1, picture.height, picture.width, 3}, torch::kByte);
  const torch::Tensor planes = pixels.permute({0, 3, 1, 2}).to(torch::kFloat).div(255);
  const auto per_channel = [](const std::vector<double>& v) {
    return torch::tensor(v, torch::kFloat).view({1, 3, 1, 1});
  };
  return planes.sub(per_channel(preparation.mean)).div(per_channel(preparation.std)).contiguous();
}

Result<std::vector<uint8_t>> CompressJpeg(const Picture& picture, int quality) {
  try {
    cv::Mat bgr;
    cv::cvtColor(cv::Mat(picture.height, picture.width, CV_8UC3, const_cast<uint8_t*>(picture.rgb.data())), bgr,
                 cv::COLOR_RGB2BGR);
    std::vector<uint8_t> file;
    cv::imencode(".jpg", bgr, file, {cv::IMWRITE_JPEG_QUALITY, quality, cv::IMWRITE_JPEG_OPTIMIZE, 1});
    return file;
  } catch (const std::exception& error) {
    return Status(StatusCode::kInternal, "jpeg: " + FirstLine(error));
  }
}

Result<Picture> DecompressJpeg(std::span<const uint8_t> file, int height, int width) {
  // Looked at first: a small file can claim a picture of gigabytes, and OpenCV would take any format there is.
  const std::optional<JpegSize> size = ReadJpegSize(file);
  if (!size || file[file.size() - 2] != 0xFF || file[file.size() - 1] != 0xD9) {
    return Status(StatusCode::kCorrupt, "jpeg: is no whole JPEG file");
  }
  if (size->height != height || size->width != width) {
    return Status(StatusCode::kInvalidArgument,
                  "jpeg: is of " + SizeText(size->height, size->width) + ", wanted " + SizeText(height, width));
  }
  try {
    const cv::Mat bytes(1, static_cast<int>(file.size()), CV_8UC1, const_cast<uint8_t*>(file.data()));
    const cv::Mat bgr = cv::imdecode(bytes, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
    if (bgr.rows == height && bgr.cols == width) return ToPicture(bgr);
    return Status(StatusCode::kCorrupt, "jpeg: does not decode");
  } catch (const std::exception& error) {
    return Status(StatusCode::kCorrupt, "jpeg: " + FirstLine(error));
  }
}

Result<std::vector<std::string>> ListImages(const std::string& path) {
  std::error_code code;
  if (!std::filesystem::is_directory(path, code)) return std::vector<std::string>{path};
  std::vector<std::string> files;
  for (std::filesystem::directory_iterator it(path, code), end; !code && it != end; it.increment(code)) {
    if (IsImage(it->path())) files.push_back(it->path().string());
  }
  if (code) return Status(StatusCode::kIo, path + ": cannot be listed: " + code.message());
  if (files.empty()) return Status(StatusCode::kIo, path + ": holds no images");
  std::ranges::sort(files);
  return files;
}

}  // namespace split_inference
