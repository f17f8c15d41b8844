#include "entropy/zstd_block.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "entropy/error.h"

namespace strait {
namespace {

struct FreeStream {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

constexpr int kMinWindowLog = 10;  // smallest and, by zstd's default, largest window a decoder takes
constexpr int kMaxWindowLog = 27;

Status LimitError(size_t max_bytes) {
  return Error(StatusCode::kLimitExceeded, "zstd: content is larger than the limit of ", max_bytes, " bytes");
}

Status DecompressError(size_t code, size_t max_bytes) {
  if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge) return LimitError(max_bytes);
  return Error(StatusCode::kCorrupt, "zstd: ", ZSTD_getErrorName(code));
}

}  // namespace

Result<std::vector<uint8_t>> ZstdCompress(std::span<const uint8_t> src, int level) {
  if (level < ZSTD_minCLevel() || level > ZSTD_maxCLevel()) {
    return Error(StatusCode::kInvalidArgument, "zstd: level ", level, " is outside [", ZSTD_minCLevel(), ", ",
                 ZSTD_maxCLevel(), "]");
  }
  std::vector<uint8_t> dst(ZSTD_compressBound(src.size()));
  const size_t size = ZSTD_compress(dst.data(), dst.size(), src.data(), src.size(), level);
  if (ZSTD_isError(size)) return Error(StatusCode::kInternal, "zstd: ", ZSTD_getErrorName(size));
  dst.resize(size);
  return dst;
}

Result<std::vector<uint8_t>> ZstdDecompress(std::span<const uint8_t> src, size_t max_bytes) {
  const std::unique_ptr<ZSTD_DStream, FreeStream> stream(ZSTD_createDStream());
  if (!stream) return Error(StatusCode::kInternal, "zstd: no memory for a decoder");
  // A frame's window is at most its content when made by ZstdCompress, so a larger one cannot be within the limit.
  const int window_log = std::clamp(static_cast<int>(std::bit_width(max_bytes)), kMinWindowLog, kMaxWindowLog);
  ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, window_log);

  // Grown as content appears, one byte past the limit at most, so that a lying header allocates nothing.
  std::vector<uint8_t> dst;
  ZSTD_inBuffer in{src.data(), src.size(), 0};
  size_t size = 0;
  while (true) {
    if (size == dst.size()) {
      if (size > max_bytes) return LimitError(max_bytes);
      const size_t step = std::max<size_t>(size, ZSTD_DStreamOutSize());
      dst.resize(step > max_bytes - size ? max_bytes + 1 : size + step);
    }
    ZSTD_outBuffer out{dst.data(), dst.size(), size};
    const size_t hint = ZSTD_decompressStream(stream.get(), &out, &in);
    if (ZSTD_isError(hint)) return DecompressError(hint, max_bytes);
    size = out.pos;
    if (hint == 0) break;
    if (in.pos == in.size && size < dst.size()) {
      return Error(StatusCode::kTruncated, "zstd: frame goes on after its ", src.size(), " bytes");
    }
  }
  if (size > max_bytes) return LimitError(max_bytes);
  if (in.pos != in.size) {
    return Error(StatusCode::kCorrupt, "zstd: ", in.size - in.pos, " bytes after the end of the frame");
  }
  dst.resize(size);
  return dst;
}

}  // namespace strait
