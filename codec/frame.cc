#include "codec/frame.h"

#include "codec/model_impl.h"
#include "entropy/byte_io.h"
#include "entropy/checksum.h"
#include "entropy/error.h"

namespace strait {
namespace {

constexpr int kMaxQualityBytes = 2;
constexpr int kMaxDimBytes = 5;

uint32_t ChecksumAround(std::span<const uint8_t> before, std::span<const uint8_t> after, uint64_t model_id) {
  std::vector<uint8_t> covered(before.begin(), before.end());
  covered.insert(covered.end(), after.begin(), after.end());
  return FrameChecksum(covered, model_id);
}

Result<Shape> ReadShape(ByteReader& in) {
  STRAIT_ASSIGN_OR_RETURN(const uint8_t rank, in.ReadU8("shape rank"));
  if (rank < 1 || rank > kMaxFrameRank)
    return Error(StatusCode::kCorrupt, "frame: shape rank ", int{rank}, " not in 1..", kMaxFrameRank);
  Shape shape;
  for (int i = 0; i < rank; ++i) {
    STRAIT_ASSIGN_OR_RETURN(const uint64_t dim, in.ReadVarint(kMaxDimBytes, "shape dimension"));
    if (dim == 0) return Error(StatusCode::kCorrupt, "frame: shape dimension ", i, " is 0");
    shape.push_back(static_cast<int64_t>(dim));
  }
  if (NumElements(shape) < 0) return Error(StatusCode::kCorrupt, "frame: shape ", ToString(shape), " overflows");
  return shape;
}

}  // namespace

std::vector<uint8_t> WriteFrame(const FrameHeader& header, uint64_t model_id, std::span<const uint8_t> payload) {
  std::vector<uint8_t> frame;
  ByteWriter out(frame);
  out.WriteU8(static_cast<uint8_t>(kFrameVersion | (header.has_checksum ? kFrameChecksumFlag : 0) |
                                   (header.shape.empty() ? 0 : kFrameShapeFlag)));
  out.WriteVarint(static_cast<uint64_t>(header.quality_code));
  if (!header.shape.empty()) {
    out.WriteU8(static_cast<uint8_t>(header.shape.size()));
    for (const int64_t dim : header.shape) out.WriteVarint(static_cast<uint64_t>(dim));
  }
  if (header.has_checksum) out.WriteU32(ChecksumAround(frame, payload, model_id));
  out.WriteBytes(payload);
  return frame;
}

Result<ParsedFrame> ParseFrame(std::span<const uint8_t> frame) {
  ByteReader in(frame, "frame");
  STRAIT_ASSIGN_OR_RETURN(const uint8_t first, in.ReadU8("version and flags"));
  if ((first & kFrameVersionMask) != kFrameVersion) {
    return Error(StatusCode::kUnsupported, "frame: version ", first & kFrameVersionMask, ", this build reads ",
                 kFrameVersion, " (or this is no frame)");
  }
  if ((first & ~(kFrameVersionMask | kFrameChecksumFlag | kFrameShapeFlag)) != 0) {
    return Error(StatusCode::kUnsupported, "frame: flags ", int{first}, " hold a bit that version ", kFrameVersion,
                 " does not define");
  }
  ParsedFrame parsed;
  STRAIT_ASSIGN_OR_RETURN(const uint64_t quality, in.ReadVarint(kMaxQualityBytes, "quality"));
  parsed.header.quality_code = static_cast<int>(quality);
  if ((first & kFrameShapeFlag) != 0) {
    STRAIT_ASSIGN_OR_RETURN(parsed.header.shape, ReadShape(in));
  }
  if ((first & kFrameChecksumFlag) != 0) {
    parsed.header.has_checksum = true;
    STRAIT_ASSIGN_OR_RETURN(parsed.checksum, in.ReadU32("checksum"));
  }
  parsed.header_bytes = in.position();
  parsed.payload = frame.subspan(in.position());
  return parsed;
}

Status VerifyFrameChecksum(std::span<const uint8_t> frame, const ParsedFrame& parsed, uint64_t model_id) {
  if (!parsed.header.has_checksum) return Status();
  const auto before = frame.first(parsed.header_bytes - kFrameChecksumBytes);
  if (ChecksumAround(before, parsed.payload, model_id) == parsed.checksum) return Status();
  return Error(StatusCode::kCorrupt,
               "frame: checksum differs: the frame is corrupt or was made with another model than ",
               ModelIdText(model_id));
}

Result<FrameInfo> ReadFrameInfo(std::span<const uint8_t> frame) {
  STRAIT_ASSIGN_OR_RETURN(const ParsedFrame parsed, ParseFrame(frame));
  FrameInfo info;
  info.version = kFrameVersion;
  info.quality = static_cast<double>(parsed.header.quality_code) / kQualitySteps;
  info.has_checksum = parsed.header.has_checksum;
  info.has_shape = !parsed.header.shape.empty();
  info.shape = parsed.header.shape;
  info.header_bytes = parsed.header_bytes;
  info.payload_bytes = parsed.payload.size();
  return info;
}

}  // namespace strait
