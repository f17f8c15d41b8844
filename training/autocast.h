// bfloat16 autocast for the length of a scope, on the CPU or on CUDA, across LibTorch's spellings of it.
#pragma once

#include <ATen/autocast_mode.h>
#include <torch/version.h>

namespace strait {

class AutocastScope {
 public:
  AutocastScope(bool enable, bool cuda) : enable_(enable), cuda_(cuda) {
    if (enable_) Set(true);
  }
  ~AutocastScope() {
    if (!enable_) return;
    Set(false);
    at::autocast::clear_cache();
  }
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  void Set(bool on) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
    const at::DeviceType device = cuda_ ? at::kCUDA : at::kCPU;
    at::autocast::set_autocast_enabled(device, on);
    at::autocast::set_autocast_dtype(device, at::kBFloat16);
#else
    if (cuda_) {
      at::autocast::set_enabled(on);
      at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
    } else {
      at::autocast::set_cpu_enabled(on);
      at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
    }
#endif
  }

  bool enable_;
  bool cuda_;
};

// Full precision inside an AutocastScope.
class FullPrecisionScope {
 private:
  c10::impl::ExcludeDispatchKeyGuard guard_{c10::autocast_dispatch_keyset};
};

}  // namespace strait
