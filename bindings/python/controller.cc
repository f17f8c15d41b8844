#include "strait/controller.h"

#include <pybind11/stl.h>

#include <limits>
#include <optional>

#include "bindings/python/guarded.h"
#include "bindings/python/module.h"

namespace strait::python {
namespace {

constexpr char kChannelDoc[] = R"(What is known of the channel and the server when a request arrives.

bytes_per_second: not a positive number: no channel, only what runs on the device
rtt_seconds: round trip; negative or not a number: no channel
server_load: share of the server that others keep busy, [0, 1)
seconds_per_joule: what a joule is worth; 0: only latency counts, 1e6 and more: energy alone
low_bytes_per_second, high_rtt_seconds: pessimistic values that deadlines are held against; 0: the ones above

LinkEstimator.state gives one.)";

constexpr char kChooseDoc[] = R"(Pick an entry of the plan: a Choice.

channel: a ChannelState
deadline_seconds: that the pessimistic latency must meet
min_accuracy: percent
batch: samples; entries of the smallest batch that holds them are considered, or else of the largest, repeated

Of the entries that meet accuracy and deadline, the one of the smallest latency + seconds_per_joule * energy. When none
meets the deadline by the pessimistic values, the expected ones count; when none does by those either, the fastest of those accurate enough; when none is accurate enough, the same among the most accurate.
Without a channel an entry of route "local", where there is one. Whatever the numbers, it returns an entry.)";

constexpr char kEstimatorDoc[] = R"(Rate and round trip of a link from the transfers seen over it.

bytes_per_second, rtt_seconds: what is believed before the first transfer
half_life_seconds: after so many an old estimate counts half against a new transfer

A single outlier moves the estimate little; a second one on the same side is taken for a change of the link.)";

// An entry lives in its plan, which this keeps.
struct PyChoice {
  Choice choice;
  std::shared_ptr<const Plan> plan;
};

class PyController {
 public:
  PyController(const PyPlan& plan, double horizon_requests)
      : plan_(plan), controller_(Controller(plan.plan, {.horizon_requests = horizon_requests})) {}

  const PyPlan& plan() const { return plan_; }

  PyChoice Choose(const ChannelState& channel, double deadline_seconds, double min_accuracy, int batch) {
    const Request request = {deadline_seconds, min_accuracy, batch};
    const ChannelState state = channel;  // another thread may change it once the GIL is given up
    return {controller_.Run([&](Controller& controller) { return controller.Choose(state, request); }), plan_.plan};
  }

  void Reset() {
    controller_.Run([](Controller& controller) { controller.Reset(); });
  }

 private:
  PyPlan plan_;
  Guarded<Controller> controller_;
};

class PyLinkEstimator {
 public:
  PyLinkEstimator(double bytes_per_second, double rtt_seconds, double half_life_seconds)
      : estimator_(LinkEstimator({bytes_per_second, rtt_seconds, half_life_seconds})) {}

  void Observe(double now_seconds, double bytes, double seconds) {
    estimator_.Run([&](LinkEstimator& estimator) { estimator.Observe(now_seconds, bytes, seconds); });
  }
  void ObserveTimeout(double now_seconds, double bytes, double seconds) {
    estimator_.Run([&](LinkEstimator& estimator) { estimator.ObserveTimeout(now_seconds, bytes, seconds); });
  }
  ChannelState State(double now_seconds) {
    return estimator_.Run([&](LinkEstimator& estimator) { return estimator.State(now_seconds); });
  }
  bool NeedsProbe(double now_seconds) {
    return estimator_.Run([&](LinkEstimator& estimator) { return estimator.NeedsProbe(now_seconds); });
  }

 private:
  Guarded<LinkEstimator> estimator_;
};

void BindChannelState(py::module_& module) {
  py::class_<ChannelState>(module, "ChannelState", kChannelDoc)
      .def(py::init([](double bytes_per_second, double rtt_seconds, double server_load, double seconds_per_joule,
                       double low_bytes_per_second, double high_rtt_seconds) {
             return ChannelState{bytes_per_second,  rtt_seconds,          server_load,
                                 seconds_per_joule, low_bytes_per_second, high_rtt_seconds};
           }),
           py::arg("bytes_per_second") = 0.0, py::arg("rtt_seconds") = 0.0, py::kw_only(),
           py::arg("server_load") = 0.0, py::arg("seconds_per_joule") = 0.0, py::arg("low_bytes_per_second") = 0.0,
           py::arg("high_rtt_seconds") = 0.0)
      .def_readwrite("bytes_per_second", &ChannelState::bytes_per_second)
      .def_readwrite("rtt_seconds", &ChannelState::rtt_seconds)
      .def_readwrite("server_load", &ChannelState::server_load)
      .def_readwrite("seconds_per_joule", &ChannelState::seconds_per_joule)
      .def_readwrite("low_bytes_per_second", &ChannelState::low_bytes_per_second)
      .def_readwrite("high_rtt_seconds", &ChannelState::high_rtt_seconds)
      .def("__repr__", [](const ChannelState& self) {
        return py::str("<strait.ChannelState {:.4g} bytes/s, round trip {:.4g} s>")
            .format(self.bytes_per_second, self.rtt_seconds);
      });
}

void BindChoice(py::module_& module) {
  py::class_<PyChoice>(module, "Choice", "What a controller picked for a request.")
      .def_property_readonly(
          "index", [](const PyChoice& self) { return self.choice.index; }, "Into Plan.entries.")
      .def_property_readonly(
          "entry", [](const PyChoice& self) { return *self.choice.entry; }, "The PlanEntry.")
      .def_property_readonly(
          "latency_seconds", [](const PyChoice& self) { return self.choice.latency_seconds; },
          "Expected, a switch included; infinite where it needs a channel and there is none.")
      .def_property_readonly(
          "energy_joules", [](const PyChoice& self) { return self.choice.energy_joules; }, "Expected.")
      .def_property_readonly("meets_deadline", [](const PyChoice& self) { return self.choice.meets_deadline; })
      .def_property_readonly("meets_accuracy", [](const PyChoice& self) { return self.choice.meets_accuracy; })
      .def_property_readonly(
          "switched", [](const PyChoice& self) { return self.choice.switched; },
          "Whether it is of another split or route than the choice before.")
      .def_property_readonly(
          "give_up_seconds", [](const PyChoice& self) { return self.choice.give_up_seconds; },
          "When no answer has come by then, counted from the start of the request, running `fallback` pays.")
      .def_property_readonly(
          "fallback",
          [](const PyChoice& self) {
            const PlanEntry* entry = self.choice.fallback;
            return entry == nullptr ? std::nullopt : std::optional(*entry);
          },
          "The fastest local PlanEntry; None where there is none or the choice is local.")
      .def("__repr__", [](const PyChoice& self) {
        return py::str("<strait.Choice {}: {} {!r}, {:.4g} s, {:.4g} J>")
            .format(self.choice.index, RouteName(self.choice.entry->route), self.choice.entry->split,
                    self.choice.latency_seconds, self.choice.energy_joules);
      });
}

void BindLinkEstimator(py::module_& module) {
  const LinkEstimatorOptions defaults;
  py::class_<PyLinkEstimator>(module, "LinkEstimator", kEstimatorDoc)
      .def(py::init<double, double, double>(), py::kw_only(),
           py::arg("bytes_per_second") = defaults.bytes_per_second, py::arg("rtt_seconds") = defaults.rtt_seconds,
           py::arg("half_life_seconds") = defaults.half_life_seconds)
      .def(
          "observe", &PyLinkEstimator::Observe, py::arg("now_seconds"), py::arg("bytes"), py::arg("seconds"),
          R"(A message of so many bytes was sent and answered within so many seconds, the server's own time taken off.

now_seconds: of any clock that does not run backwards, as time.monotonic(). What is not positive and finite is ignored.)")
      .def("observe_timeout", &PyLinkEstimator::ObserveTimeout, py::arg("now_seconds"), py::arg("bytes"),
           py::arg("seconds"), "A message was not answered within so many seconds.")
      .def("state", &PyLinkEstimator::State, py::arg("now_seconds"),
           "The estimate as a ChannelState, with pessimistic values about one standard deviation off.")
      .def("needs_probe", &PyLinkEstimator::NeedsProbe, py::arg("now_seconds"),
           "Whether a small message should be sent to see the link: none was for half a half-life.");
}

}  // namespace

void BindController(py::module_& module) {
  BindChannelState(module);
  BindChoice(module);
  py::class_<PyController>(module, "Controller", R"(Picks a configuration of a plan for each request.

plan: a Plan, shared, not copied
horizon_requests: a switch of split or route must earn Plan.switch_seconds back within so many requests; 0: never holds on

One controller may be called from several threads, but remembers one choice before.)")
      .def(py::init<const PyPlan&, double>(), py::arg("plan"), py::kw_only(),
           py::arg("horizon_requests") = ControllerOptions().horizon_requests)
      .def_property_readonly("plan", &PyController::plan, "The plan it was made with.")
      .def("choose", &PyController::Choose, py::arg("channel"), py::kw_only(),
           py::arg("deadline_seconds") = std::numeric_limits<double>::infinity(), py::arg("min_accuracy") = 0.0,
           py::arg("batch") = 1, kChooseDoc)
      .def("reset", &PyController::Reset, "Forget the choice before.");
  BindLinkEstimator(module);
}

}  // namespace strait::python
