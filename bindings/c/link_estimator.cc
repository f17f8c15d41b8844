// The C interface: link estimators.
#include "bindings/c/handles.h"

using strait::c::Call;
using strait::c::CheckGiven;
using strait::c::ErrorText;

strait_status_t strait_link_estimator_create(const strait_link_estimator_options_t* options,
                                             strait_link_estimator_t** estimator, char* error, size_t error_bytes) {
  if (estimator != nullptr) *estimator = nullptr;
  return Call(ErrorText(error, error_bytes), [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(estimator, "estimator"));
    strait_link_estimator_options_t known = strait_link_estimator_options_default();
    const size_t first_bytes = offsetof(strait_link_estimator_options_t, half_life_seconds) + sizeof(double);
    STRAIT_RETURN_IF_ERROR(strait::c::ReadStruct(options, first_bytes, "link estimator options", known));
    *estimator = new strait_link_estimator{strait::LinkEstimator({.bytes_per_second = known.bytes_per_second,
                                                                  .rtt_seconds = known.rtt_seconds,
                                                                  .half_life_seconds = known.half_life_seconds})};
    return strait::Status();
  });
}

void strait_link_estimator_free(strait_link_estimator_t* estimator) { delete estimator; }

void strait_link_estimator_observe(strait_link_estimator_t* estimator, double now_seconds, double bytes,
                                   double seconds) {
  if (estimator != nullptr) estimator->estimator.Observe(now_seconds, bytes, seconds);
}

void strait_link_estimator_observe_timeout(strait_link_estimator_t* estimator, double now_seconds, double bytes,
                                           double seconds) {
  if (estimator != nullptr) estimator->estimator.ObserveTimeout(now_seconds, bytes, seconds);
}

strait_status_t strait_link_estimator_state(const strait_link_estimator_t* estimator, double now_seconds,
                                            strait_channel_state_t* channel) {
  return Call(ErrorText(nullptr, 0), [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(estimator, "estimator"));
    const strait::ChannelState state = estimator->estimator.State(now_seconds);
    strait_channel_state_t known = strait_channel_state_default();
    known.bytes_per_second = state.bytes_per_second;
    known.rtt_seconds = state.rtt_seconds;
    known.low_bytes_per_second = state.low_bytes_per_second;
    known.high_rtt_seconds = state.high_rtt_seconds;
    const size_t first_bytes = offsetof(strait_channel_state_t, high_rtt_seconds) + sizeof(double);
    return strait::c::WriteStruct(known, first_bytes, "channel", channel);
  });
}

int32_t strait_link_estimator_needs_probe(const strait_link_estimator_t* estimator, double now_seconds) {
  return estimator != nullptr && estimator->estimator.NeedsProbe(now_seconds) ? 1 : 0;
}
