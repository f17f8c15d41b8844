#include "entropy/byte_io.h"

#include <gtest/gtest.h>

#include <limits>

namespace strait {
namespace {

using Bytes = std::vector<uint8_t>;

TEST(ByteIo, ReadsBackWhatItWroteInLittleEndian) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.WriteU8(0x01);
  writer.WriteU16(0x0302);
  writer.WriteU32(0x07060504);
  writer.WriteU64(0x0f0e0d0c0b0a0908);
  writer.WriteBytes(Bytes{0x10, 0x11});
  ASSERT_EQ(bytes.size(), 17u);
  for (size_t i = 0; i < bytes.size(); ++i) EXPECT_EQ(bytes[i], i + 1);

  ByteReader reader(bytes);
  EXPECT_EQ(reader.ReadU8("a").value(), 0x01);
  EXPECT_EQ(reader.ReadU16("b").value(), 0x0302);
  EXPECT_EQ(reader.ReadU32("c").value(), 0x07060504u);
  EXPECT_EQ(reader.ReadU64("d").value(), 0x0f0e0d0c0b0a0908u);
  EXPECT_EQ(reader.position(), 15u);
  EXPECT_EQ(reader.ReadBytes(2, "e").value()[1], 0x11);
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(ByteIo, NamesWhatWasWantedAndHadWhenTruncatedAndStaysPut) {
  const Bytes bytes = {1, 2, 3};
  ByteReader reader(bytes, "frame");
  ASSERT_TRUE(reader.ReadU8("flags").ok());
  const auto result = reader.ReadU32("checksum");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().ToString(), "truncated: frame: need 4 bytes of checksum at offset 1, have 2");
  EXPECT_EQ(reader.position(), 1u);
  EXPECT_EQ(reader.ReadBytes(std::numeric_limits<size_t>::max(), "all").status().code(), StatusCode::kTruncated);
  EXPECT_EQ(reader.ReadU16("rest").value(), 0x0302);
}

TEST(ByteIo, VarintsOfEveryLengthRoundTrip) {
  for (int shift = 0; shift < 64; ++shift) {
    for (const uint64_t value : {(uint64_t{1} << shift) - 1, uint64_t{1} << shift, ~uint64_t{0} >> shift}) {
      Bytes bytes;
      ByteWriter(bytes).WriteVarint(value);
      ByteReader reader(bytes);
      const auto read = reader.ReadVarint(kMaxVarintBytes, "v");
      ASSERT_TRUE(read.ok()) << value;
      EXPECT_EQ(read.value(), value);
      EXPECT_EQ(reader.remaining(), 0u);
      const int size = static_cast<int>(bytes.size());
      if (size == 1) continue;
      ByteReader narrow(bytes);
      EXPECT_EQ(narrow.ReadVarint(size - 1, "v").status().code(), StatusCode::kCorrupt);
      ByteReader cut(std::span<const uint8_t>(bytes).first(bytes.size() - 1));
      EXPECT_EQ(cut.ReadVarint(kMaxVarintBytes, "v").status().code(), StatusCode::kTruncated);
      EXPECT_EQ(cut.position(), 0u);
    }
  }
}

TEST(ByteIo, RejectsVarintsLongerThanNeededAndWiderThan64Bits) {
  for (const Bytes& bytes : {Bytes{0x80, 0x00}, Bytes{0xff, 0x80, 0x00}}) {
    ByteReader reader(bytes);
    EXPECT_EQ(reader.ReadVarint(5, "v").status().code(), StatusCode::kCorrupt);
    EXPECT_EQ(reader.position(), 0u);
  }
  const Bytes wide(9, 0xff);
  for (const uint8_t last : {0x02, 0x7f, 0x81}) {
    Bytes bytes = wide;
    bytes.push_back(last);
    ByteReader reader(bytes);
    EXPECT_EQ(reader.ReadVarint(kMaxVarintBytes, "v").status().code(), StatusCode::kCorrupt) << int{last};
  }
  const Bytes zero = {0x00};
  EXPECT_EQ(ByteReader(zero).ReadVarint(1, "v").value(), 0u);
}

}  // namespace
}  // namespace strait
