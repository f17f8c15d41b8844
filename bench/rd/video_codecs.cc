#include "bench/rd/video_codecs.h"

#include <fmt/format.h>

#include <cstdlib>
#include <sstream>

#include "bench/rd/subprocess.h"
#include "codec/file_io.h"
#include "entropy/error.h"
#include "training/interrupt.h"

namespace strait {
namespace {

std::vector<std::string> EncoderArguments(VideoCodec codec, int quality) {
  const std::string crf = std::to_string(quality);
  if (codec == VideoCodec::kAvif) {
    return {"-c:v", "libaom-av1", "-usage", "allintra", "-crf", crf, "-b:v", "0", "-cpu-used", "4"};
  }
  return {"-c:v", "libx265", "-preset", "slow", "-crf", crf, "-x265-params", "keyint=1:info=0:log-level=error"};
}

// A line a packet, some with commas behind the number.
Result<std::vector<size_t>> ReadSizes(const std::string& path) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path));
  std::istringstream lines(std::string(bytes.begin(), bytes.end()));
  std::vector<size_t> sizes;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) sizes.push_back(std::strtoul(line.c_str(), nullptr, 10));
  }
  return sizes;
}

}  // namespace

const char* VideoCodecName(VideoCodec codec) { return codec == VideoCodec::kAvif ? "avif" : "hevc"; }

std::vector<int> VideoQualities(VideoCodec codec) {
  if (codec == VideoCodec::kAvif) return {60, 55, 50, 45, 40, 34, 28};
  return {50, 46, 42, 38, 34, 30, 26};
}

Status CheckVideoCodec(VideoCodec codec) {
  if (!HasProgram("ffmpeg") || !HasProgram("ffprobe")) {
    return Error(StatusCode::kIo,
                 "ffmpeg: not found; install the package ffmpeg or leave avif and hevc out of --baselines");
  }
  constexpr int kSide = 64;
  const Image grey{kSide, kSide, std::vector<uint8_t>(size_t{kSide} * kSide * 3, 128)};
  const Status status = CodeImages(codec, {grey}, VideoQualities(codec).front()).status();
  if (status.ok()) return {};
  return Error(status.code(), VideoCodecName(codec), ": cannot be coded here (", status.message(),
               "); install an ffmpeg that can or leave it out of --baselines");
}

Status CheckVideoImages(VideoCodec codec, const std::vector<Image>& images) {
  if (images.empty()) return Error(StatusCode::kInvalidArgument, VideoCodecName(codec), ": no images");
  const Image& first = images.front();
  for (const Image& image : images) {
    if (image.width != first.width || image.height != first.height || image.width % 2 != 0 ||
        image.height % 2 != 0) {
      return Error(StatusCode::kInvalidArgument, VideoCodecName(codec),
                   ": wants images of one size, both sides even, got ", image.width, "x", image.height, " and ",
                   first.width, "x", first.height, "; give the recipe a data.crop");
    }
  }
  return Status();
}

Result<CodedImages> CodeImages(VideoCodec codec, const std::vector<Image>& images, int quality) {
  STRAIT_RETURN_IF_ERROR(CheckVideoImages(codec, images));
  const InterruptScope interrupt;  // the folder goes even when the run is ended
  const Image& first = images.front();
  std::vector<uint8_t> raw;
  for (const Image& image : images) raw.insert(raw.end(), image.pixels.begin(), image.pixels.end());
  STRAIT_ASSIGN_OR_RETURN(const std::unique_ptr<TempFolder> folder, TempFolder::Create());
  const std::string src = *folder / "src.rgb", coded = *folder / "coded.mkv", dst = *folder / "dst.rgb";
  STRAIT_RETURN_IF_ERROR(WriteFileAtomic(src, raw));

  std::vector<std::string> encode = {"ffmpeg", "-loglevel", "error",
                                     "-f",     "rawvideo",  "-pix_fmt",
                                     "rgb24",  "-s",        fmt::format("{}x{}", first.width, first.height),
                                     "-r",     "1",         "-i",
                                     src};
  for (const std::string& argument : EncoderArguments(codec, quality)) encode.push_back(argument);
  encode.insert(encode.end(), {"-pix_fmt", "yuv420p", coded});
  STRAIT_RETURN_IF_ERROR(RunProgram(encode));
  STRAIT_RETURN_IF_ERROR(RunProgram(
      {"ffprobe", "-v", "error", "-show_entries", "packet=size", "-of", "csv=p=0", coded}, *folder / "sizes"));
  STRAIT_RETURN_IF_ERROR(
      RunProgram({"ffmpeg", "-loglevel", "error", "-i", coded, "-f", "rawvideo", "-pix_fmt", "rgb24", dst}));

  CodedImages result;
  STRAIT_ASSIGN_OR_RETURN(result.bytes, ReadSizes(*folder / "sizes"));
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> restored, ReadFile(dst));
  if (result.bytes.size() != images.size() || restored.size() != raw.size()) {
    return Error(StatusCode::kIo, VideoCodecName(codec), ": ffmpeg made ", result.bytes.size(), " packets and ",
                 restored.size(), " bytes of ", images.size(), " images of ", raw.size(), " bytes");
  }
  const size_t image_bytes = first.pixels.size();
  for (size_t i = 0; i < images.size(); ++i) {
    Image image{first.height, first.width, {}};
    const auto begin = restored.begin() + static_cast<std::ptrdiff_t>(i * image_bytes);
    image.pixels.assign(begin, begin + static_cast<std::ptrdiff_t>(image_bytes));
    result.decoded.push_back(std::move(image));
  }
  return result;
}

}  // namespace strait
