// Any symbols by any tables: every instruction set writes the same payload, which decodes to the symbols at once
// and in steps.
#include <algorithm>
#include <cstdint>

#include "entropy/rans.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using namespace strait;

template <typename Symbol>
void RoundTrip(fuzz::Input& input) {
  const CdfTableSet tables = fuzz::SoundTables(input, 8 * sizeof(Symbol));
  const size_t count = input.Number(40000);
  const size_t step = 1 + input.Number(600);
  RansOptions options;
  options.max_lanes = std::vector<size_t>{0, 1, 4, 32, 128}[input.Number(5)];
  const std::vector<uint8_t> bytes = input.Rest();

  // The bytes repeat: stretches of tables, and symbols inside and far outside their ranges.
  std::vector<uint16_t> index;
  std::vector<Symbol> symbols;
  uint32_t hash = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint8_t byte = bytes.empty() ? 0 : bytes[i % bytes.size()];
    hash = (hash ^ byte) * 16777619u;
    if (i == 0 || byte > 250) index.push_back(static_cast<uint16_t>(byte % tables.size()));
    if (index.size() <= i) index.push_back(index.back());
    const uint32_t near = static_cast<uint32_t>(tables.table(index[i]).min_symbol) + byte % 64;
    const auto wanted = static_cast<Symbol>(byte > 248 ? hash : near);
    symbols.push_back(static_cast<Symbol>(tables.Clamp(index[i], wanted)));
  }
  const TableIndices indices{index, 0};
  std::vector<uint8_t> reference;
  options.simd = Simd::kScalar;
  fuzz::Expect(RansEncode<Symbol>(symbols, indices, tables, reference, options).ok(),
               "clamped symbols do not encode");
  for (const Simd simd : AvailableSimd()) {
    options.simd = simd;
    std::vector<uint8_t> payload;
    fuzz::Expect(RansEncode<Symbol>(symbols, indices, tables, payload, options).ok(), "a kernel does not encode");
    fuzz::Expect(payload == reference, "instruction sets write different payloads");
    std::vector<Symbol> decoded(count);
    fuzz::Expect(RansDecode<Symbol>(payload, indices, tables, decoded, simd).ok(), "a payload does not decode");
    fuzz::Expect(decoded == symbols, "decoded symbols differ");

    RansDecoder decoder;
    fuzz::Expect(decoder.Start(payload, count, tables, simd).ok(), "a payload does not open");
    std::fill(decoded.begin(), decoded.end(), Symbol{0});
    for (size_t i = 0; i < count; i += step) {
      const size_t n = std::min(step, count - i);
      const TableIndices some{std::span<const uint16_t>(index).subspan(i, n), 0};
      fuzz::Expect(decoder.Next(some, std::span(decoded).subspan(i, n)).ok(), "a step does not decode");
    }
    fuzz::Expect(decoder.Finish().ok() && decoded == symbols, "steps decode other symbols");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  switch (input.Number(3)) {
    case 0:
      RoundTrip<int8_t>(input);
      break;
    case 1:
      RoundTrip<int16_t>(input);
      break;
    default:
      RoundTrip<int32_t>(input);
  }
  return 0;
}
