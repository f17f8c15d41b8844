#include "head.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <set>
#include <utility>

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

// 8-bit RGB to float {1, 3, H, W}: (pixel / 255 - mean) / std.
torch::Tensor Normalize(const cv::Mat& rgb, const std::vector<double>& mean, const std::vector<double>& std) {
  const torch::Tensor pixels = torch::from_blob(rgb.data, {1, rgb.rows, rgb.cols, 3}, torch::kByte);
  const torch::Tensor planes = pixels.permute({0, 3, 1, 2}).to(torch::kFloat).div(255);
  const auto per_channel = [](const std::vector<double>& v) {
    return torch::tensor(v, torch::kFloat).view({1, 3, 1, 1});
  };
  return planes.sub(per_channel(mean)).div(per_channel(std)).contiguous();
}

bool IsImage(const std::filesystem::path& path) {
  static const std::set<std::string> kExtensions = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm"};
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  return kExtensions.contains(extension);
}

}  // namespace

Result<Head> Head::Load(const std::string& path) {
  try {
    Head head;
    head.module_ = torch::jit::load(path, torch::kCPU);
    head.module_.eval();
    head.input_shape_ = head.module_.attr("input_shape").toIntVector();
    head.resize_ = static_cast<int>(head.module_.attr("resize").toInt());
    head.crop_ = static_cast<int>(head.module_.attr("crop").toInt());
    head.mean_ = head.module_.attr("mean").toDoubleVector();
    head.std_ = head.module_.attr("std").toDoubleVector();
    if (head.input_shape_.size() != 3 || head.input_shape_[0] != 3 || head.mean_.size() != 3 ||
        head.std_.size() != 3) {
      return Status(StatusCode::kUnsupported, path + ": takes no RGB images");
    }
    return head;
  } catch (const std::exception& error) {
    return Status(StatusCode::kIo, path + ": " + FirstLine(error));
  }
}

Result<torch::Tensor> Head::Run(const std::string& image_path) {
  try {
    const cv::Mat bgr = cv::imread(image_path, cv::IMREAD_COLOR);
    if (bgr.empty()) return Status(StatusCode::kIo, image_path + ": cannot be read as an image");
    cv::Mat rgb;
    cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
    const cv::Mat prepared = ResizeAndCrop(rgb, resize_, crop_).clone();  // clone: rows without gaps
    if (prepared.rows != input_shape_[1] || prepared.cols != input_shape_[2]) {
      return Status(StatusCode::kInvalidArgument,
                    image_path + ": " + std::to_string(rgb.rows) + "x" + std::to_string(rgb.cols) +
                        " pixels do not become the network's " + std::to_string(input_shape_[1]) + "x" +
                        std::to_string(input_shape_[2]));
    }
    const c10::InferenceMode inference;
    return module_.forward({Normalize(prepared, mean_, std_)}).toTensor().to(torch::kFloat).contiguous();
  } catch (const std::exception& error) {
    return Status(StatusCode::kInternal, image_path + ": " + FirstLine(error));
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
