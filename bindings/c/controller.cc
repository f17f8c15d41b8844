// The C interface: controllers.
#include "bindings/c/handles.h"

using strait::c::Call;
using strait::c::CheckGiven;
using strait::c::ErrorText;

namespace {

strait::Result<strait::ControllerOptions> ToControllerOptions(const strait_controller_options_t* options) {
  strait_controller_options_t known = strait_controller_options_default();
  const size_t first_bytes = offsetof(strait_controller_options_t, horizon_requests) + sizeof(double);
  STRAIT_RETURN_IF_ERROR(strait::c::ReadStruct(options, first_bytes, "controller options", known));
  return strait::ControllerOptions{.horizon_requests = known.horizon_requests};
}

strait::Result<strait::ChannelState> ToChannelState(const strait_channel_state_t* channel) {
  STRAIT_RETURN_IF_ERROR(CheckGiven(channel, "channel"));
  strait_channel_state_t known = strait_channel_state_default();
  const size_t first_bytes = offsetof(strait_channel_state_t, high_rtt_seconds) + sizeof(double);
  STRAIT_RETURN_IF_ERROR(strait::c::ReadStruct(channel, first_bytes, "channel", known));
  return strait::ChannelState{.bytes_per_second = known.bytes_per_second,
                              .rtt_seconds = known.rtt_seconds,
                              .server_load = known.server_load,
                              .seconds_per_joule = known.seconds_per_joule,
                              .low_bytes_per_second = known.low_bytes_per_second,
                              .high_rtt_seconds = known.high_rtt_seconds};
}

strait::Result<strait::Request> ToRequest(const strait_request_t* request) {
  strait_request_t known = strait_request_default();
  const size_t first_bytes = offsetof(strait_request_t, reserved) + sizeof(int32_t);
  STRAIT_RETURN_IF_ERROR(strait::c::ReadStruct(request, first_bytes, "request", known));
  if (known.reserved != 0) return strait::c::InvalidArgument({"request: reserved must be zero"});
  strait::Request result;
  if (known.deadline_seconds != 0) result.deadline_seconds = known.deadline_seconds;
  result.min_accuracy = known.min_accuracy;
  result.batch = known.batch;
  return result;
}

}  // namespace

strait_status_t strait_controller_create(const strait_plan_t* plan, const strait_controller_options_t* options,
                                         strait_controller_t** controller, char* error, size_t error_bytes) {
  if (controller != nullptr) *controller = nullptr;
  return Call(ErrorText(error, error_bytes), [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(plan, "plan"));
    STRAIT_RETURN_IF_ERROR(CheckGiven(controller, "controller"));
    STRAIT_ASSIGN_OR_RETURN(const strait::ControllerOptions known, ToControllerOptions(options));
    *controller = new strait_controller{strait::Controller(plan->plan, known)};
    return strait::Status();
  });
}

void strait_controller_free(strait_controller_t* controller) { delete controller; }

strait_status_t strait_controller_choose(strait_controller_t* controller, const strait_channel_state_t* channel,
                                         const strait_request_t* request, strait_choice_t* choice, char* error,
                                         size_t error_bytes) {
  return Call(ErrorText(error, error_bytes), [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(controller, "controller"));
    STRAIT_RETURN_IF_ERROR(CheckGiven(choice, "choice"));
    // Before the call, which a failure must not have changed anything by.
    const size_t first_bytes = offsetof(strait_choice_t, give_up_seconds) + sizeof(double);
    STRAIT_RETURN_IF_ERROR(strait::c::CheckStructSize(choice->struct_size, first_bytes, "choice"));
    STRAIT_ASSIGN_OR_RETURN(const strait::ChannelState state, ToChannelState(channel));
    STRAIT_ASSIGN_OR_RETURN(const strait::Request wanted, ToRequest(request));
    const strait::Choice chosen = controller->controller.Choose(state, wanted);
    strait_choice_t known = strait_choice_default();
    known.index = chosen.index;
    known.latency_seconds = chosen.latency_seconds;
    known.energy_joules = chosen.energy_joules;
    known.meets_deadline = chosen.meets_deadline ? 1 : 0;
    known.meets_accuracy = chosen.meets_accuracy ? 1 : 0;
    known.switched = chosen.switched ? 1 : 0;
    known.has_fallback = chosen.fallback != nullptr ? 1 : 0;
    if (chosen.fallback != nullptr) {
      known.fallback = static_cast<size_t>(chosen.fallback - controller->controller.plan().entries().data());
    }
    known.give_up_seconds = chosen.give_up_seconds;
    return strait::c::WriteStruct(known, first_bytes, "choice", choice);
  });
}

void strait_controller_reset(strait_controller_t* controller) {
  if (controller != nullptr) controller->controller.Reset();
}
