// Any bytes as a payload, and payloads that were changed: every instruction set says the same of them and writes
// the same symbols, at once and in steps.
#include <algorithm>
#include <cstdint>

#include "entropy/rans.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using namespace strait;

// Symbols that the tables expect, and a table for each.
struct Message {
  std::vector<uint16_t> index;
  std::vector<int16_t> symbols;
};

Message MakeMessage(fuzz::Input& input, const CdfTableSet& tables) {
  Message message;
  const size_t count = input.Number(40000), stretch = 1 + input.Number(3000);
  uint32_t random = 1 + input.Byte();
  for (size_t i = 0; i < count; ++i) {
    random = random * 1664525 + 1013904223;
    message.index.push_back(static_cast<uint16_t>(i / stretch % tables.size()));
    const uint32_t slot = random >> (32 - tables.precision());
    const size_t t = message.index.back();
    const int64_t symbol = int64_t{tables.table(t).min_symbol} + tables.EntryOf(t, slot);
    message.symbols.push_back(static_cast<int16_t>(tables.Clamp(t, static_cast<int32_t>(symbol))));
  }
  return message;
}

// The status of decoding in steps.
Status DecodeInSteps(const std::vector<uint8_t>& payload, const std::vector<uint16_t>& index,
                     const CdfTableSet& tables, Simd simd, size_t step, std::vector<int16_t>& symbols) {
  RansDecoder decoder;
  if (Status status = decoder.Start(payload, symbols.size(), tables, simd); !status.ok()) return status;
  for (size_t i = 0; i < symbols.size(); i += step) {
    const size_t n = std::min(step, symbols.size() - i);
    const TableIndices some{std::span<const uint16_t>(index).subspan(i, n), 0};
    if (Status status = decoder.Next(some, std::span(symbols).subspan(i, n)); !status.ok()) return status;
  }
  return decoder.Finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const CdfTableSet tables = fuzz::SoundTables(input, 16);
  const Message message = MakeMessage(input, tables);
  const size_t step = 1 + input.Number(600);
  std::vector<uint8_t> payload;
  if (input.Byte() % 4 == 0) {
    payload = input.Rest();
  } else {
    fuzz::Expect(RansEncode<int16_t>(message.symbols, TableIndices{message.index, 0}, tables, payload).ok(),
                 "clamped symbols do not encode");
    while (!input.empty() && !payload.empty()) {
      const size_t where = input.Number(payload.size());
      const uint8_t change = input.Byte();
      payload[where] ^= change;
      if (change == 0) payload.resize(where);
    }
    payload.shrink_to_fit();
  }

  const TableIndices indices{message.index, 0};
  std::vector<int16_t> reference(message.symbols.size());
  const Status status = RansDecode<int16_t>(payload, indices, tables, reference, Simd::kScalar);
  for (const Simd simd : AvailableSimd()) {
    std::vector<int16_t> symbols(reference.size());
    const Status same = RansDecode<int16_t>(payload, indices, tables, symbols, simd);
    fuzz::Expect(same.code() == status.code(), "instruction sets disagree on a payload");
    fuzz::Expect(!status.ok() || symbols == reference, "instruction sets decode different symbols");
    const Status stepwise = DecodeInSteps(payload, message.index, tables, simd, step, symbols);
    fuzz::Expect(stepwise.code() == status.code(), "steps disagree on a payload");
    fuzz::Expect(!status.ok() || symbols == reference, "steps decode different symbols");
  }
  return 0;
}
