// Tables as a file might hold them: Create refuses them or makes a set in which every slot has its entry.
#include <cmath>
#include <cstdint>

#include "entropy/cdf_table.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace strait;
  fuzz::Input input(data, size);
  const int precision = static_cast<int>(input.Number(20));
  const bool repair = input.Byte() % 4 != 0;  // most sums are wrong otherwise
  std::vector<CdfTable> tables;
  while (!input.empty() && tables.size() < 8) {
    CdfTable table;
    table.min_symbol = static_cast<int32_t>(input.Number(uint64_t{1} << 32));
    table.has_escape = input.Byte() % 2 != 0;
    const uint32_t entries = input.Number(5000);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < entries && !input.empty(); ++i) {
      table.freq.push_back(input.Number(1 << (input.Byte() % 17)));
      sum += table.freq.back();
    }
    if (repair && sum < uint64_t{1} << precision && !table.freq.empty()) {
      table.freq.back() += static_cast<uint32_t>((uint64_t{1} << precision) - sum);
    }
    tables.push_back(std::move(table));
  }
  const auto set = CdfTableSet::Create(tables, precision);
  if (!set.ok()) return 0;

  for (size_t t = 0; t < set->size(); ++t) {
    const auto cum = set->cum(t);
    for (uint32_t slot = 0; slot < 1u << precision; ++slot) {
      const uint32_t entry = set->EntryOf(t, slot);
      fuzz::Expect(cum[entry] <= slot && slot < cum[entry + 1], "a slot has another entry");
    }
    for (const int32_t symbol : {-32768, -1, 0, 1, 32767}) {
      const int32_t clamped = set->Clamp(t, symbol);
      fuzz::Expect(std::isfinite(set->CostBits(t, clamped)), "a clamped symbol cannot be coded");
    }
  }
  return 0;
}
