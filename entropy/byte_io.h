// Bounded reading and appending of little-endian bytes.
// A ByteReader borrows the bytes it reads: they must outlive it and the spans it hands out. A failed read leaves
// the position where it was. A ByteWriter borrows the vector it appends to. Neither is thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "strait/result.h"

namespace strait {

inline constexpr int kMaxVarintBytes = 10;  // of a 64-bit value

class ByteReader {
 public:
  // `where` opens every message ("frame: need ...") and must outlive the reader: give it a literal.
  explicit ByteReader(std::span<const uint8_t> bytes, std::string_view where = "bytes")
      : bytes_(bytes), where_(where) {}

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }

  // `what` names the field in the message. Errors: kTruncated.
  Result<uint8_t> ReadU8(std::string_view what);
  Result<uint16_t> ReadU16(std::string_view what);
  Result<uint32_t> ReadU32(std::string_view what);
  Result<uint64_t> ReadU64(std::string_view what);

  // Next `count` bytes, not copied. Errors: kTruncated.
  Result<std::span<const uint8_t>> ReadBytes(size_t count, std::string_view what);

  // Unsigned LEB128 of at most max_bytes bytes (1 to kMaxVarintBytes). Errors: kTruncated; kCorrupt when it is
  // longer than max_bytes, longer than its value needs, or wider than 64 bits.
  Result<uint64_t> ReadVarint(int max_bytes, std::string_view what);

 private:
  template <typename T>
  Result<T> ReadLittleEndian(std::string_view what);

  std::span<const uint8_t> bytes_;
  std::string_view where_;
  size_t position_ = 0;
};

class ByteWriter {
 public:
  explicit ByteWriter(std::vector<uint8_t>& dst) : dst_(dst) {}

  void WriteU8(uint8_t value);
  void WriteU16(uint16_t value);
  void WriteU32(uint32_t value);
  void WriteU64(uint64_t value);
  void WriteBytes(std::span<const uint8_t> bytes);
  // Unsigned LEB128 in the fewest bytes: 1 below 2^7, 2 below 2^14, up to kMaxVarintBytes.
  void WriteVarint(uint64_t value);

 private:
  std::vector<uint8_t>& dst_;
};

}  // namespace strait
