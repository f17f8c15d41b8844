#include "strait/controller.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "codec/plan_cost.h"
#include "codec/plan_impl.h"

namespace strait {
namespace {

constexpr size_t kNone = std::numeric_limits<size_t>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// What waiting beyond the pessimistic latency may cost before the fallback runs, as a share of the energy that the
// fallback costs; its time costs nothing, since it runs while the answer is waited for. 1 is the break-even rule of
// renting and buying, which never costs more than twice the best; half of it is faster over links that have outages
// (docs/benchmarks.md, Planning).
constexpr double kPatience = 0.5;

// A request with defaults for what makes no sense.
Request Sane(Request request) {
  if (std::isnan(request.deadline_seconds)) request.deadline_seconds = Request().deadline_seconds;
  if (std::isnan(request.min_accuracy)) request.min_accuracy = Request().min_accuracy;
  request.batch = std::max(request.batch, 1);
  return request;
}

// What a switch must earn with each request of the horizon.
double PenaltyOf(double switch_seconds, double horizon_requests) {
  return horizon_requests > 0 ? std::min(switch_seconds / horizon_requests, kHuge) : 0;
}

}  // namespace

struct Controller::Impl {
  std::shared_ptr<const Plan> plan;
  double penalty = 0;
  size_t previous = kNone;  // index of the choice before

  const PlanIndex& index() const { return plan->impl().index; }
  const PlanEntry& entry(size_t i) const { return plan->entries()[i]; }

  // The best of the group's entries that answer `query`; of the remote ones only where there is a link.
  CostBest Search(const BatchGroup& group, const CostQuery& query, bool has_link) const {
    CostBest best = Previous(group, query, has_link);
    group.local.Search(query, best);
    if (has_link) group.remote.Search(query, best);
    return best;
  }

  // The choice before where it is of the group and answers `query`: likely good, so that little is left to search.
  CostBest Previous(const BatchGroup& group, const CostQuery& query, bool has_link) const {
    if (previous == kNone) return {};
    const PlanEntry& held = entry(previous);
    const double remote = RemoteFactor(held);
    if (held.batch != group.batch || held.accuracy < query.min_accuracy || (remote != 0 && !has_link)) return {};
    const double limit_wait = WaitSeconds(query.limit_link, remote, held.bytes, held.server_seconds);
    if (!(LatencySeconds(query.limit_link, held.device_seconds, limit_wait) <= query.deadline_seconds)) return {};
    const double wait = WaitSeconds(query.cost.link, remote, held.bytes, held.server_seconds);
    return {CostSeconds(query.cost, LatencySeconds(query.cost.link, held.device_seconds, wait),
                        EnergyJoules(query.cost, held.device_joules, held.bytes, wait)),
            static_cast<uint32_t>(previous)};
  }

  size_t Pick(const BatchGroup& group, const ChannelState& channel, const Request& request, double runs) const {
    const std::optional<LinkTerms> expected = ExpectedLink(channel), pessimistic = PessimisticLink(channel);
    const bool has_link = expected.has_value();
    const double offered =
        has_link ? std::max(group.local.max_accuracy(), group.remote.max_accuracy()) : group.local.max_accuracy();
    CostQuery query;
    query.cost = {expected.value_or(LinkTerms()), plan->idle_watts(), plan->joules_per_byte(),
                  SecondsPerJoule(channel)};
    query.limit_link = pessimistic.value_or(LinkTerms());
    query.cost.link.runs = query.limit_link.runs = runs;
    query.deadline_seconds = request.deadline_seconds;
    query.min_accuracy = std::min(request.min_accuracy, offered);
    if (previous != kNone) {
      query.held_place = index().place(previous);
      query.penalty = penalty;
    }
    for (const LinkTerms& limit_link : {query.limit_link, query.cost.link}) {
      query.limit_link = limit_link;
      const CostBest best = Search(group, query, has_link);
      if (best.found()) return best.index;
    }
    // None meets the deadline: the fastest.
    query.cost = {query.cost.link, 0, 0, 0};
    query.deadline_seconds = kInfinity;
    const CostBest best = Search(group, query, has_link);
    assert(best.found());
    return best.index;
  }

  // The fastest local entry for a batch, of those accurate enough where there are any; null without one.
  const PlanEntry* FastestLocal(const Request& request) const {
    if (!index().has_local()) return nullptr;
    const BatchGroup& group = index().GroupFor(request.batch, /*local_only=*/true);
    CostQuery query;
    query.deadline_seconds = kInfinity;
    query.min_accuracy = std::min(request.min_accuracy, group.local.max_accuracy());
    CostBest best;
    group.local.Search(query, best);
    return &entry(best.index);
  }

  // Without a channel and without a local entry.
  size_t PickFewestBytes(const BatchGroup& group, double min_accuracy) const {
    const auto found =
        std::ranges::find_if(group.fewest_bytes, [&](uint32_t i) { return entry(i).accuracy >= min_accuracy; });
    return found != group.fewest_bytes.end() ? *found : group.fewest_bytes.back();
  }
};

Controller::Controller(std::shared_ptr<const Plan> plan, const ControllerOptions& options)
    : impl_(std::make_unique<Impl>()) {
  assert(plan != nullptr);
  impl_->penalty = PenaltyOf(plan->switch_seconds(), options.horizon_requests);
  impl_->plan = std::move(plan);
}
Controller::~Controller() = default;
Controller::Controller(Controller&&) noexcept = default;
Controller& Controller::operator=(Controller&&) noexcept = default;

Choice Controller::Choose(const ChannelState& channel, const Request& request) {
  const Request wanted = Sane(request);
  const std::optional<LinkTerms> limit_link = PessimisticLink(channel);
  const bool local_only = !limit_link && impl_->index().has_local();
  const BatchGroup& group = impl_->index().GroupFor(wanted.batch, local_only);
  const double runs = (wanted.batch - 1) / group.batch + 1;

  Choice choice;
  choice.index = limit_link || local_only ? impl_->Pick(group, channel, wanted, runs)
                                          : impl_->PickFewestBytes(group, wanted.min_accuracy);
  const PlanEntry& entry = impl_->entry(choice.index);
  choice.entry = &entry;
  const size_t previous = impl_->previous;
  choice.switched = previous != kNone && impl_->index().place(previous) != impl_->index().place(choice.index);
  impl_->previous = choice.index;
  const double switch_seconds = choice.switched ? plan().switch_seconds() : 0;
  choice.latency_seconds = Latency(plan(), entry, channel, wanted.batch) + switch_seconds;
  choice.energy_joules = Energy(plan(), entry, channel, wanted.batch);
  LinkTerms link = limit_link.value_or(LinkTerms());
  link.runs = runs;
  const double remote = RemoteFactor(entry);
  const double wait = WaitSeconds(link, remote, entry.bytes, entry.server_seconds);
  const double limit = LatencySeconds(link, entry.device_seconds, wait) + switch_seconds;
  choice.meets_deadline = (limit_link || remote == 0) && limit <= wanted.deadline_seconds;
  if (remote != 0) choice.fallback = impl_->FastestLocal(wanted);
  if (choice.fallback != nullptr) {
    const double joule = SecondsPerJoule(channel);
    const double cost = joule * Energy(plan(), *choice.fallback, channel, wanted.batch);
    choice.give_up_seconds = limit + kPatience * cost / (1 + joule * plan().idle_watts());
  }
  choice.meets_accuracy = entry.accuracy >= wanted.min_accuracy;
  return choice;
}

void Controller::Reset() { impl_->previous = kNone; }

const Plan& Controller::plan() const { return *impl_->plan; }

}  // namespace strait
