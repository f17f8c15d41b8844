// An extended Kalman filter over x = (log seconds per byte, log round trip), both random walks. A transfer of n
// bytes measures log t = log(exp(x1) + n exp(x0)) with a noise of constant variance, as jitter grows with the time.
#include <algorithm>
#include <cmath>

#include "strait/controller.h"

namespace strait {
namespace {

// Of the log of a transfer's time: a quarter, as jitter of a radio link in use.
constexpr double kNoiseVariance = 0.25 * 0.25;
// Knowing nothing: a factor of ten either way. No variance grows beyond.
constexpr double kMaxVariance = 2.3 * 2.3;
// In standard deviations: what an innovation is cut to, and from where on it is a surprise and counts less and
// less.
constexpr double kClip = 2, kSurprise = 3;
// Linearised anew so often: the time is far from linear where bytes and round trip take about as long.
constexpr int kIterations = 3;

// What links of today can be, and more; a filter fed with nonsense stays within.
constexpr double kMinSecondsPerByte = 1e-13, kMaxSecondsPerByte = 1e3;
constexpr double kMinRtt = 1e-7, kMaxRtt = 1e4;
constexpr double kMaxTransferBytes = 1e15, kMinTransferSeconds = 1e-9, kMaxTransferSeconds = 1e9;

double PositiveOr(double value, double fallback) { return value > 0 && std::isfinite(value) ? value : fallback; }

// How many deviations the estimate moves by for an innovation of `deviations`.
double Influence(double deviations) {
  const double size = std::abs(deviations);
  const double counted = size > kSurprise ? kClip * kSurprise / size : std::min(size, kClip);
  return std::copysign(counted, deviations);
}

bool Sound(double value) { return value > 0 && std::isfinite(value); }

// Mean of a standard normal variable that is known to exceed `a`.
double MeanBeyond(double a) {
  if (a > 6) return a + 1 / a - 2 / (a * a * a);  // the quotient below loses its digits
  const double density = std::exp(-a * a / 2) / std::sqrt(2 * M_PI);
  return density / (std::erfc(a / std::sqrt(2.0)) / 2);
}

}  // namespace

// Of a transfer: the log of its time, and how much of it is bytes; the rest is round trip. The shares are the
// derivatives of the log time.
struct LinkEstimator::Prediction {
  double log_seconds;
  double rate_share, rtt_share;

  double Variance(const Covariance& c) const {
    return rate_share * rate_share * c.rate + 2 * rate_share * rtt_share * c.both + rtt_share * rtt_share * c.rtt;
  }
  // Covariance of both logs with the log time.
  Logs WithState(const Covariance& c) const {
    return {rate_share * c.rate + rtt_share * c.both, rate_share * c.both + rtt_share * c.rtt};
  }
};

LinkEstimator::LinkEstimator(const LinkEstimatorOptions& options) {
  const LinkEstimatorOptions defaults;
  const double half_life = options.half_life_seconds > 0 ? options.half_life_seconds : defaults.half_life_seconds;
  // A perfect estimate is then as uncertain as one transfer.
  noise_per_second_ = kNoiseVariance / half_life;
  probe_seconds_ = half_life / 2;
  const double rate = PositiveOr(options.bytes_per_second, defaults.bytes_per_second);
  const double rtt = PositiveOr(options.rtt_seconds, defaults.rtt_seconds);
  logs_.seconds_per_byte = std::log(std::clamp(1 / rate, kMinSecondsPerByte, kMaxSecondsPerByte));
  logs_.rtt = std::log(std::clamp(rtt, kMinRtt, kMaxRtt));
  covariance_ = {kMaxVariance, 0, kMaxVariance};
}

LinkEstimator::Covariance LinkEstimator::CovarianceAt(double now_seconds) const {
  Covariance c = covariance_;
  if (!seen_ || !(now_seconds > updated_)) return c;
  const double elapsed = std::min(now_seconds - updated_, kMaxTransferSeconds);
  const double growth = std::min(elapsed * noise_per_second_, kMaxVariance);
  const auto held = [&](double variance) { return std::min(variance + growth, kMaxVariance); };
  // The correlation shrinks as it would without the bound, so that this stays a covariance.
  c.both *= std::sqrt(held(c.rate) / (c.rate + growth) * (held(c.rtt) / (c.rtt + growth)));
  c.rate = held(c.rate);
  c.rtt = held(c.rtt);
  return c;
}

LinkEstimator::Prediction LinkEstimator::Predict(const Logs& logs, double log_bytes) const {
  const double transfer = logs.seconds_per_byte + log_bytes;
  const double larger = std::max(transfer, logs.rtt);
  const double log_seconds = larger + std::log1p(std::exp(std::min(transfer, logs.rtt) - larger));
  return {log_seconds, std::exp(transfer - log_seconds), std::exp(logs.rtt - log_seconds)};
}

// Brings the filter to now; false for what is to be ignored.
bool LinkEstimator::Advance(double now_seconds, double bytes, double seconds) {
  if (!std::isfinite(now_seconds) || !Sound(bytes) || !Sound(seconds)) return false;
  covariance_ = CovarianceAt(now_seconds);
  updated_ = seen_ ? std::max(updated_, now_seconds) : now_seconds;
  const double log_bytes = std::log(std::clamp(bytes, 1.0, kMaxTransferBytes));
  usual_log_bytes_ = seen_ ? usual_log_bytes_ + (log_bytes - usual_log_bytes_) / 4 : log_bytes;
  seen_ = true;
  return true;
}

// Whether this is the second surprise on one side. What lies between the two forgets the first only if it shows
// that neither rate nor round trip has changed: a tiny message says nothing of the rate, and the other way round.
bool LinkEstimator::IsChange(const Prediction& prediction, double innovation, double deviation) {
  if (std::abs(innovation) > kSurprise * deviation) {
    const bool again = surprise_.innovation * innovation > 0;
    surprise_ = {innovation, prediction.rate_share};
    return again;
  }
  const double rate_share = std::max(surprise_.rate_share, 1e-9), rtt_share = std::max(1 - rate_share, 1e-9);
  const double seen = std::min(prediction.rate_share / rate_share, prediction.rtt_share / rtt_share);
  if (seen * std::abs(surprise_.innovation) > kSurprise * deviation) surprise_ = {};
  return false;
}

// Moves the estimate for a log time that was `innovation` more than predicted; `trust`, 0 to 1, is how much of what
// a whole measurement would teach narrows the covariance.
void LinkEstimator::Update(double log_bytes, double innovation, double trust) {
  const Logs before = logs_;
  const double measured = Predict(before, log_bytes).log_seconds + innovation;
  Prediction prediction{};
  Logs cross;
  double variance = 1;
  for (int i = 0; i < kIterations; ++i) {
    prediction = Predict(logs_, log_bytes);
    cross = prediction.WithState(covariance_);
    variance = prediction.Variance(covariance_) + kNoiseVariance;
    const double moved = prediction.rate_share * (logs_.seconds_per_byte - before.seconds_per_byte) +
                         prediction.rtt_share * (logs_.rtt - before.rtt);
    const double gain = (measured - prediction.log_seconds + moved) / variance;
    logs_.seconds_per_byte = std::clamp(before.seconds_per_byte + cross.seconds_per_byte * gain,
                                        std::log(kMinSecondsPerByte), std::log(kMaxSecondsPerByte));
    logs_.rtt = std::clamp(before.rtt + cross.rtt * gain, std::log(kMinRtt), std::log(kMaxRtt));
  }
  // Rounding must not make a variance negative.
  const double factor = trust / variance;
  covariance_.rate = std::max(covariance_.rate - cross.seconds_per_byte * cross.seconds_per_byte * factor, 1e-9);
  covariance_.rtt = std::max(covariance_.rtt - cross.rtt * cross.rtt * factor, 1e-9);
  const double bound = std::sqrt(covariance_.rate * covariance_.rtt);
  covariance_.both = std::clamp(covariance_.both - cross.seconds_per_byte * cross.rtt * factor, -bound, bound);
}

void LinkEstimator::Observe(double now_seconds, double bytes, double seconds) {
  if (!Advance(now_seconds, bytes, seconds)) return;
  const double log_bytes = std::log(std::clamp(bytes, 1.0, kMaxTransferBytes));
  const double log_seconds = std::log(std::clamp(seconds, kMinTransferSeconds, kMaxTransferSeconds));
  const Prediction prediction = Predict(logs_, log_bytes);
  const double deviation = std::sqrt(prediction.Variance(covariance_) + kNoiseVariance);
  const double innovation = log_seconds - prediction.log_seconds;
  if (IsChange(prediction, innovation, deviation)) {
    covariance_ = {kMaxVariance, 0, kMaxVariance};
    surprise_ = {};
    Update(log_bytes, innovation, 1);
    return;
  }
  // One that had to be cut is no measurement to be sure of.
  const double deviations = innovation / deviation;
  Update(log_bytes, Influence(deviations) * deviation, std::abs(deviations) > kClip ? 0 : 1);
}

void LinkEstimator::ObserveTimeout(double now_seconds, double bytes, double seconds) {
  if (!Advance(now_seconds, bytes, seconds)) return;
  const double log_bytes = std::log(std::clamp(bytes, 1.0, kMaxTransferBytes));
  const double log_seconds = std::log(std::clamp(seconds, kMinTransferSeconds, kMaxTransferSeconds));
  const Prediction prediction = Predict(logs_, log_bytes);
  double deviation = std::sqrt(prediction.Variance(covariance_) + kNoiseVariance);
  const double shortfall = log_seconds - prediction.log_seconds;
  // A timeout below the expected time surprises nobody, and contradicts no earlier surprise.
  const bool change = shortfall > kSurprise * deviation && IsChange(prediction, shortfall, deviation);
  if (change) {
    covariance_ = {kMaxVariance, 0, kMaxVariance};
    deviation = std::sqrt(prediction.Variance(covariance_) + kNoiseVariance);
  }
  // The time is known to be longer: its mean then, and how much narrower that makes it.
  const double least = shortfall / deviation;
  const double mean = MeanBeyond(std::max(least, -30.0));
  const double trust = std::clamp(mean * (mean - least), 0.0, 1.0);
  const bool whole = change || mean <= kClip;
  Update(log_bytes, deviation * (whole ? mean : Influence(mean)), whole ? trust : 0);
}

ChannelState LinkEstimator::State(double now_seconds) const {
  ChannelState state;
  state.bytes_per_second = std::exp(-logs_.seconds_per_byte);
  state.rtt_seconds = std::exp(logs_.rtt);
  // Rate and round trip can each be uncertain while the time of the usual message is well known, if all messages
  // had one size. So both are taken where that time is one standard deviation longer, and most likely so.
  const Covariance covariance = CovarianceAt(now_seconds);
  const double rtt_bytes = logs_.rtt - logs_.seconds_per_byte;  // takes as long as a round trip
  const Prediction usual = Predict(logs_, seen_ ? usual_log_bytes_ : rtt_bytes);
  const Logs cross = usual.WithState(covariance);
  const double variance = usual.Variance(covariance);
  const double step = std::sqrt(variance + kNoiseVariance) / std::max(variance, 1e-12);
  const double widest = 2 * std::sqrt(kMaxVariance);
  const auto longer = [&](double cross_term) { return std::exp(std::clamp(cross_term * step, 0.0, widest)); };
  state.low_bytes_per_second = state.bytes_per_second / longer(cross.seconds_per_byte);
  state.high_rtt_seconds = state.rtt_seconds * longer(cross.rtt);
  return state;
}

bool LinkEstimator::NeedsProbe(double now_seconds) const {
  return !seen_ || now_seconds - updated_ > probe_seconds_;
}

}  // namespace strait
