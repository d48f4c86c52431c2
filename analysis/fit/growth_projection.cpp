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
  place.log_tau = std::clamp(place.log_tau, low_.log_tau, high_.log_tau);
  return place.log_beta == asked.log_beta && place.log_tau == asked.log_tau;
}

// The basis 1, E, E ln(t + tau) with E = exp(-beta t), made orthonormal column by column (modified
// Gram-Schmidt); returns the sum of squares that is left.
double GrowthProjection::solve(const Place& place, bool with_gradient) {
  const size_t n = steps_.size();
  const double beta = std::exp(place.log_beta), tau = std::exp(place.log_tau);
  double* const q[3] = {columns_.data(), columns_.data() + n, columns_.data() + 2 * n};
  for (size_t i = 0; i < n; ++i) {
    decay_[i] = std::exp(-beta * steps_[i]);
    logs_[i] = std::log(steps_[i] + tau);
    q[0][i] = 1;
    q[1][i] = decay_[i];
    q[2][i] = decay_[i] * logs_[i];
  }
  double r[3][3] = {}, b[3] = {};
  residual_ = values_;
  for (size_t k = 0; k < 3; ++k) {
    const double before = std::sqrt(dot(q[k], q[k], n));
    for (size_t j = 0; j < k; ++j) {
      // Twice is enough (Kahan): the columns may be close to parallel.
      for (int pass = 0; pass < 2; ++pass) {
        const double along = dot(q[j], q[k], n);
        r[j][k] += along;
        subtract(q[k], q[j], along, n);
      }
    }
    const double length = std::sqrt(dot(q[k], q[k], n));
    constexpr double parallel = 1e-11;  // of its own length: nothing new in this column
    if (!(length > parallel * before)) {
      r[k][k] = 0;
      std::fill(q[k], q[k] + n, 0.0);
      continue;
    }
    r[k][k] = length;
    for (size_t i = 0; i < n; ++i) q[k][i] /= length;
    b[k] = dot(q[k], residual_.data(), n);
    subtract(residual_.data(), q[k], b[k], n);
  }
  double c[3] = {};
  for (size_t k = 3; k-- > 0;) {
    double left = b[k];
    for (size_t j = k + 1; j < 3; ++j) left -= r[k][j] * c[j];
    c[k] = r[k][k] > 0 ? left / r[k][k] : 0;
  }
  form_ = {beta, tau, c[2], c[1], c[0]};
  if (with_gradient) {
    // Kaufman 1975: -P (dPhi c), P projecting on what the basis cannot say.
    for (size_t i = 0; i < n; ++i) {
      by_beta_[i] = beta * steps_[i] * decay_[i] * (c[2] * logs_[i] + c[1]);
      by_tau_[i] = -tau * decay_[i] * c[2] / (steps_[i] + tau);
    }
    for (std::vector<double>* each : {&by_beta_, &by_tau_})
      for (const double* column : q) subtract(each->data(), column, dot(column, each->data(), n), n);
  }
  return dot(residual_.data(), residual_.data(), n);
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
  found.at_bound = place.log_beta < low_.log_beta + edge || place.log_beta > high_.log_beta - edge ||
                   place.log_tau < low_.log_tau + edge || place.log_tau > high_.log_tau - edge;
  return found;
}

std::vector<GrowthProjection::Found> GrowthProjection::grid(int64_t best) {
  constexpr int places = 12;
  std::vector<Found> all;
  const auto between = [](double low, double high, int i) {
    return low + (high - low) * (i + 0.5) / static_cast<double>(places);
  };
  for (int i = 0; i < places; ++i)
    for (int k = 0; k < places; ++k)
      all.push_back(at({between(low_.log_beta, high_.log_beta, i), between(low_.log_tau, high_.log_tau, k)}));
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
