#include "codec/frame.h"

#include <algorithm>

#include "codec/model_impl.h"
#include "entropy/byte_io.h"
#include "entropy/checksum.h"
#include "entropy/error.h"

namespace strait {
namespace {

constexpr int kMaxQualityBytes = 2;
constexpr int kMaxDimBytes = 5;

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

size_t WriteFrameHeader(const FrameHeader& header, uint8_t* dst) {
  uint8_t* next = dst;
  const auto write_varint = [&](uint64_t value) {
    for (; value >= 0x80; value >>= 7) *next++ = static_cast<uint8_t>(value | 0x80);
    *next++ = static_cast<uint8_t>(value);
  };
  *next++ = static_cast<uint8_t>(kFrameVersion | (header.has_checksum ? kFrameChecksumFlag : 0) |
                                 (header.shape.empty() ? 0 : kFrameShapeFlag));
  write_varint(static_cast<uint64_t>(header.quality_code));
  if (!header.shape.empty()) {
    *next++ = static_cast<uint8_t>(header.shape.size());
    for (const int64_t dim : header.shape) write_varint(static_cast<uint64_t>(dim));
  }
  if (header.has_checksum) next = std::fill_n(next, kFrameChecksumBytes, uint8_t{0});
  return static_cast<size_t>(next - dst);
}

size_t FrameHeaderBytes(const FrameHeader& header) {
  uint8_t bytes[kMaxFrameHeaderBytes];
  return WriteFrameHeader(header, bytes);
}

void SealFrame(size_t header_bytes, uint64_t model_id, std::span<uint8_t> frame) {
  const uint32_t checksum =
      FrameChecksum(frame.first(header_bytes - kFrameChecksumBytes), frame.subspan(header_bytes), model_id);
  for (size_t i = 0; i < kFrameChecksumBytes; ++i)
    frame[header_bytes - kFrameChecksumBytes + i] = static_cast<uint8_t>(checksum >> (8 * i));
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
  if (FrameChecksum(before, parsed.payload, model_id) == parsed.checksum) return Status();
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
