#include "entropy/byte_io.h"

#include <algorithm>
#include <cassert>

#include "entropy/error.h"

namespace strait {
namespace {

template <typename T>
void AppendLittleEndian(T value, std::vector<uint8_t>& dst) {
  for (size_t i = 0; i < sizeof(T); ++i) dst.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

}  // namespace

Result<std::span<const uint8_t>> ByteReader::ReadBytes(size_t count, std::string_view what) {
  if (count > remaining()) {
    return Error(StatusCode::kTruncated, where_, ": need ", count, " bytes of ", what, " at offset ", position_,
                 ", have ", remaining());
  }
  const auto result = bytes_.subspan(position_, count);
  position_ += count;
  return result;
}

template <typename T>
Result<T> ByteReader::ReadLittleEndian(std::string_view what) {
  STRAIT_ASSIGN_OR_RETURN(const auto bytes, ReadBytes(sizeof(T), what));
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value | T{bytes[i]} << (8 * i));
  return value;
}

Result<uint8_t> ByteReader::ReadU8(std::string_view what) { return ReadLittleEndian<uint8_t>(what); }
Result<uint16_t> ByteReader::ReadU16(std::string_view what) { return ReadLittleEndian<uint16_t>(what); }
Result<uint32_t> ByteReader::ReadU32(std::string_view what) { return ReadLittleEndian<uint32_t>(what); }
Result<uint64_t> ByteReader::ReadU64(std::string_view what) { return ReadLittleEndian<uint64_t>(what); }

Result<uint64_t> ByteReader::ReadVarint(int max_bytes, std::string_view what) {
  assert(max_bytes >= 1 && max_bytes <= kMaxVarintBytes);
  const size_t most = std::min(static_cast<size_t>(max_bytes), remaining());
  uint64_t value = 0;
  for (size_t i = 0; i < most; ++i) {
    const uint8_t byte = bytes_[position_ + i];
    const uint64_t bits = byte & 0x7f;
    if (i + 1 == kMaxVarintBytes && bits > 1) {
      return Error(StatusCode::kCorrupt, where_, ": ", what, " at offset ", position_, " does not fit in 64 bits");
    }
    value |= bits << (7 * i);
    if (byte & 0x80) continue;
    if (byte == 0 && i > 0) {
      return Error(StatusCode::kCorrupt, where_, ": ", what, " at offset ", position_, " takes ", i + 1,
                   " bytes where fewer would do");
    }
    position_ += i + 1;
    return value;
  }
  if (most < static_cast<size_t>(max_bytes)) {
    return Error(StatusCode::kTruncated, where_, ": need the next byte of ", what, " at offset ", position_ + most,
                 ", have 0");
  }
  return Error(StatusCode::kCorrupt, where_, ": ", what, " at offset ", position_, " is longer than ", max_bytes,
               " bytes");
}

void ByteWriter::WriteU8(uint8_t value) { dst_.push_back(value); }
void ByteWriter::WriteU16(uint16_t value) { AppendLittleEndian(value, dst_); }
void ByteWriter::WriteU32(uint32_t value) { AppendLittleEndian(value, dst_); }
void ByteWriter::WriteU64(uint64_t value) { AppendLittleEndian(value, dst_); }
void ByteWriter::WriteBytes(std::span<const uint8_t> bytes) { dst_.insert(dst_.end(), bytes.begin(), bytes.end()); }

void ByteWriter::WriteVarint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) dst_.push_back(static_cast<uint8_t>(value | 0x80));
  dst_.push_back(static_cast<uint8_t>(value));
}

}  // namespace strait
