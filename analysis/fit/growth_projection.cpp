// Variable projection for the five-parameter curve.
#include "analysis/fit/growth_projection.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace varve {
namespace {

double dot(const double* a, const double* b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

void subtract(double* from, const double* what, double times, size_t n) {
  for (size_t i = 0; i < n; ++i) from[i] -= times * what[i];
}

}  // namespace

GrowthProjection::GrowthProjection(std::vector<double> steps, std::vector<double> values)
    : steps_(std::move(steps)), values_(std::move(values)) {
  const size_t n = steps_.size();
  columns_.resize(3 * n);
  for (std::vector<double>* each : {&residual_, &by_beta_, &by_tau_, &decay_, &logs_}) each->resize(n);
  double closest = 1;
  for (const double step : steps_)
    if (step > 0) closest = std::min(closest, step);
  // Slower than a thousandth over the whole series, or faster than between the first two steps, nothing can
  // be told from a constant.
  low_ = {std::log(1e-3), std::log(std::min(1e-3, 0.1 * closest))};
  high_ = {std::log(std::min(1e3, 10 / closest)), std::log(100.0)};
}

void GrowthProjection::set_values(std::span<const double> values) {
  std::copy(values.begin(), values.end(), values_.begin());
}

bool GrowthProjection::inside(Place& place) const {
  const Place asked = place;
  place.log_beta = std::clamp(place.log_beta, low_.log_beta, high_.log_beta);
  // lambda t0 = beta tau: beyond this A = A1 exp(lambda t0) would be a number without meaning.
  const double highest = std::min(high_.log_tau, most_log_product - place.log_beta);
  place.log_tau = std::clamp(place.log_tau, low_.log_tau, std::max(low_.log_tau, highest));
  return place.log_beta == asked.log_beta && place.log_tau == asked.log_tau;
}

// Least squares on the columns that are there, made orthonormal one after the other (modified Gram-Schmidt).
// Leaves the orthonormal columns and the residual; gives the sum of squares that is left and the
// coefficients.
double GrowthProjection::project(size_t count, double* c) {
  const size_t n = steps_.size();
  double r[3][3] = {}, b[3] = {};
  residual_ = values_;
  for (size_t k = 0; k < count; ++k) {
    double* const mine = columns_.data() + k * n;
    const double before = std::sqrt(dot(mine, mine, n));
    for (size_t j = 0; j < k; ++j) {
      // Twice is enough (Kahan): the columns may be close to parallel.
      for (int pass = 0; pass < 2; ++pass) {
        const double along = dot(columns_.data() + j * n, mine, n);
        r[j][k] += along;
        subtract(mine, columns_.data() + j * n, along, n);
      }
    }
    const double length = std::sqrt(dot(mine, mine, n));
    constexpr double parallel = 1e-11;  // of its own length: nothing new in this column
    if (!(length > parallel * before)) {
      std::fill(mine, mine + n, 0.0);
      continue;
    }
    r[k][k] = length;
    for (size_t i = 0; i < n; ++i) mine[i] /= length;
    b[k] = dot(mine, residual_.data(), n);
    subtract(residual_.data(), mine, b[k], n);
  }
  for (size_t k = count; k-- > 0;) {
    double left = b[k];
    for (size_t j = k + 1; j < count; ++j) left -= r[k][j] * c[j];
    c[k] = r[k][k] > 0 ? left / r[k][k] : 0;
  }
  return dot(residual_.data(), residual_.data(), n);
}

// E (ln(t + tau) + ln gamma) and 1 alone: the ratio of A2 to A1 is given.
double GrowthProjection::project_with(double log_gamma, double* c) {
  const size_t n = steps_.size();
  for (size_t i = 0; i < n; ++i) {
    columns_[i] = 1;
    columns_[n + i] = decay_[i] * (logs_[i] + log_gamma);
  }
  double two[2] = {};
  const double sse = project(2, two);
  c[0] = two[0];
  c[1] = two[1] * log_gamma;
  c[2] = two[1];
  return sse;
}

// The basis 1, E, E ln(t + tau) with E = exp(-beta t). Where the best A2 / A1 = ln gamma would run away, as
// it does where the values follow a plain exponential, it stays at the limit.
double GrowthProjection::solve(const Place& place, bool with_gradient) {
  const size_t n = steps_.size();
  const double beta = std::exp(place.log_beta), tau = std::exp(place.log_tau);
  for (size_t i = 0; i < n; ++i) {
    decay_[i] = std::exp(-beta * steps_[i]);
    logs_[i] = std::log(steps_[i] + tau);
    columns_[i] = 1;
    columns_[n + i] = decay_[i];
    columns_[2 * n + i] = decay_[i] * logs_[i];
  }
  double c[3] = {};
  size_t count = 3;
  double sse = project(count, c);
  is_limited_ = !(std::abs(c[1]) <= most_log_gamma * std::abs(c[2]));
  if (is_limited_) {
    count = 2;
    double other[3] = {};
    const double up = project_with(most_log_gamma, c), down = project_with(-most_log_gamma, other);
    sse = up < down ? project_with(most_log_gamma, c) : down;
    if (!(up < down)) std::copy(other, other + 3, c);
  }
  form_ = {beta, tau, c[2], c[1], c[0]};
  if (with_gradient) {
    // Kaufman 1975: -P (dPhi c), P projecting on what the basis cannot say.
    for (size_t i = 0; i < n; ++i) {
      by_beta_[i] = beta * steps_[i] * decay_[i] * (c[2] * logs_[i] + c[1]);
      by_tau_[i] = -tau * decay_[i] * c[2] / (steps_[i] + tau);
    }
    for (std::vector<double>* each : {&by_beta_, &by_tau_})
      for (size_t k = 0; k < count; ++k) {
        const double* const column = columns_.data() + k * n;
        subtract(each->data(), column, dot(column, each->data(), n), n);
      }
  }
  return sse;
}

GrowthProjection::Found GrowthProjection::at(const Place& place) {
  Found found;
  found.place = place;
  found.sse = solve(place, false);
  found.form = form_;
  return found;
}

// Marquardt 1963 with his scaling; two unknowns, so the equations are solved by hand.
GrowthProjection::Found GrowthProjection::polished(const Place& start, int64_t most_steps) {
  const size_t n = steps_.size();
  Place place = start;
  inside(place);
  double sse = solve(place, true), damping = 1e-3;
  LinearGrowth form = form_;
  bool is_limited = is_limited_;
  for (int64_t step = 0; step < most_steps; ++step) {
    const double bb = dot(by_beta_.data(), by_beta_.data(), n), tt = dot(by_tau_.data(), by_tau_.data(), n);
    const double bt = dot(by_beta_.data(), by_tau_.data(), n);
    const double gb = dot(by_beta_.data(), residual_.data(), n),
                 gt = dot(by_tau_.data(), residual_.data(), n);
    bool is_better = false;
    double moved = 0, gained = 0;
    for (int attempt = 0; attempt < 12 && !is_better; ++attempt) {
      const double a = bb * (1 + damping) + 1e-300, d = tt * (1 + damping) + 1e-300, det = a * d - bt * bt;
      if (!(det > 0)) {
        damping = std::max(damping * 10, 1e-12);
        continue;
      }
      constexpr double longest = 2;  // of one move: e squared
      const double move_beta = std::clamp((-gb * d + gt * bt) / det, -longest, longest);
      const double move_tau = std::clamp((-gt * a + gb * bt) / det, -longest, longest);
      Place next{place.log_beta + move_beta, place.log_tau + move_tau};
      inside(next);
      const double next_sse = solve(next, true);
      if (next_sse < sse) {
        moved = std::max(std::abs(next.log_beta - place.log_beta), std::abs(next.log_tau - place.log_tau));
        gained = sse - next_sse;
        place = next;
        sse = next_sse;
        form = form_;
        is_limited = is_limited_;
        damping = std::max(damping * 0.1, 1e-15);
        is_better = true;
      } else {
        damping = std::max(damping * 10, 1e-9);
      }
    }
    if (!is_better) break;
    if (moved < 1e-10 && gained <= 1e-14 * sse) break;
  }
  Found found;
  found.place = place;
  found.form = form;
  found.sse = sse;
  constexpr double edge = 1e-6;
  found.at_bound = is_limited || place.log_beta < low_.log_beta + edge ||
                   place.log_beta > high_.log_beta - edge || place.log_tau < low_.log_tau + edge ||
                   place.log_tau > high_.log_tau - edge;
  return found;
}

std::vector<GrowthProjection::Found> GrowthProjection::grid(int64_t best) {
  constexpr int places = 12;
  std::vector<Found> all;
  const auto between = [](double low, double high, int i) {
    return low + (high - low) * (i + 0.5) / static_cast<double>(places);
  };
  for (int i = 0; i < places; ++i)
    for (int k = 0; k < places; ++k) {
      Place place{between(low_.log_beta, high_.log_beta, i), between(low_.log_tau, high_.log_tau, k)};
      if (inside(place)) all.push_back(at(place));
    }
  std::stable_sort(all.begin(), all.end(), [](const Found& a, const Found& b) { return a.sse < b.sse; });
  // Neighbours lead to the same valley: starts stay apart.
  std::vector<Found> chosen;
  const double apart = (high_.log_beta - low_.log_beta) / places * 1.5;
  for (const Found& each : all) {
    const bool is_near = std::any_of(chosen.begin(), chosen.end(), [&](const Found& other) {
      return std::abs(other.place.log_beta - each.place.log_beta) < apart &&
             std::abs(other.place.log_tau - each.place.log_tau) < apart;
    });
    if (!is_near) chosen.push_back(each);
    if (static_cast<int64_t>(chosen.size()) == best) break;
  }
  return chosen;
}

}  // namespace varve
