// Plan files: refused with a reason, or a controller of them answers whatever it is asked.
#include <cmath>
#include <cstdint>
#include <cstring>

#include "strait/controller.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace strait;
  const auto plan = Plan::FromBytes({data, size});
  if (!plan.ok()) {
    fuzz::Expect(!plan.status().message().empty(), "refused without a reason");
    return 0;
  }
  Controller controller(*plan);
  // The file's own bytes, as doubles of any kind.
  double odd[8] = {};
  std::memcpy(odd, data, size < sizeof odd ? size : sizeof odd);
  const ChannelState kChannels[] = {{}, {1e6, 0.01}, {odd[0], odd[1], odd[2], odd[3], odd[4], odd[5]}};
  for (const ChannelState& channel : kChannels) {
    for (const int batch : {1, 5, 1 << 30}) {
      const Choice choice = controller.Choose(channel, {odd[6], odd[7], batch});
      fuzz::Expect(choice.index < (*plan)->entries().size(), "no entry of the plan");
      fuzz::Expect(choice.entry == &(*plan)->entries()[choice.index], "another entry than the index says");
      fuzz::Expect(!std::isnan(choice.latency_seconds) && !std::isnan(choice.energy_joules), "not a number");
    }
  }
  return 0;
}
