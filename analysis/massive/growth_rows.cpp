// Collects rows from fits, and the transforms of their targets.
#include "analysis/massive/growth_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/core/error.h"
#include "analysis/fit/growth_curve.h"

namespace varve {

std::vector<NamedFit> named_fits(const Inputs& inputs) {
  std::vector<NamedFit> fits;
  for (const auto& [name, data] : inputs)
    if (name == "fit" || name.starts_with("fit."))
      fits.push_back({name == "fit" ? "model" : name.substr(4), &data});
  return fits;
}

// Yeo and Johnson 2000. Power 0 is log(1 + v) where v is not negative.
double yeo_johnson(double v, double power) {
  if (v >= 0) return std::abs(power) < 1e-9 ? std::log1p(v) : (std::pow(v + 1, power) - 1) / power;
  const double other = 2 - power;
  return std::abs(other) < 1e-9 ? -std::log1p(-v) : -(std::pow(1 - v, other) - 1) / other;
}

double yeo_johnson_back(double v, double power) {
  const double nothing = std::numeric_limits<double>::quiet_NaN();
  if (v >= 0) {
    if (std::abs(power) < 1e-9) return std::expm1(v);
    const double inner = power * v + 1;
    return inner > 0 ? std::pow(inner, 1 / power) - 1 : nothing;
  }
  const double other = 2 - power;
  if (std::abs(other) < 1e-9) return -std::expm1(-v);
  const double inner = 1 - other * v;
  return inner > 0 ? 1 - std::pow(inner, 1 / other) : nothing;
}

// Profile likelihood of a normal distribution of the transformed values, on a grid of a hundredth.
double likeliest_power(const std::vector<double>& values) {
  double jacobian = 0;
  for (const double v : values) jacobian += (v < 0 ? -1 : 1) * std::log1p(std::abs(v));
  const auto n = static_cast<double>(values.size());
  double best = 1, most = -std::numeric_limits<double>::infinity();
  for (int i = -200; i <= 400; ++i) {
    const double power = i / 100.0;
    double mean = 0, squares = 0;
    for (const double v : values) mean += yeo_johnson(v, power) / n;
    for (const double v : values) squares += std::pow(yeo_johnson(v, power) - mean, 2);
    const double likelihood = -n / 2 * std::log(squares / n + 1e-300) + (power - 1) * jacobian;
    if (std::isfinite(likelihood) && likelihood > most) most = likelihood, best = power;
  }
  return best;
}

double power_of(const GrowthRows& rows, size_t parameter) {
  return growth_names[parameter] == "K" ? rows.k_power : 0;
}

GrowthRows growth_rows(const std::vector<NamedFit>& fits, const std::string& array) {
  GrowthRows rows;
  for (const NamedFit& one : fits) {
    const Dataset& fit = *one.fit;
    const std::optional<Architecture> architecture = architecture_in(fit);
    if (!architecture)
      fail(
          "the fit '{}' does not say layers, width and heads of its model, so nothing can be learned from it",
          one.name);
    for (const std::string_view name : growth_names)
      if (!fit.has(array + "_" + std::string(name)))
        fail(
            "the fit '{}' has no array '{}_{}'; is it a result of massive-activation-fit, and was {} fitted?",
            one.name, array, name, array);
    const size_t model = rows.models.size();
    rows.models.push_back(one.name);
    const int64_t layers = fit.extent("layer");
    for (int64_t layer = 0; layer < layers; ++layer) {
      std::array<double, 5> row{};
      for (size_t k = 0; k < 5; ++k) row[k] = fit[array + "_" + std::string(growth_names[k])].number(layer);
      const bool is_whole = std::all_of(row.begin(), row.end(), [](double v) { return std::isfinite(v); });
      if (!is_whole || fit[array + "_at_bound"].number(layer) != 0) {
        ++rows.left_out;
        continue;
      }
      rows.features.push_back(architecture_features(*architecture, layer));
      for (size_t k = 0; k < 5; ++k) rows.parameters[k].push_back(row[k]);
      rows.model.push_back(model);
      rows.layer.push_back(layer);
    }
  }
  constexpr size_t fewest = 10;
  if (rows.count() < fewest)
    fail(
        "{} layers of {} models are fitted and identified ({} more are not); {} or more are needed to learn "
        "from",
        rows.count(), rows.models.size(), rows.left_out, fewest);
  rows.k_power = likeliest_power(rows.parameters[4]);
  for (size_t k = 0; k < 5; ++k)
    for (const double v : rows.parameters[k]) rows.targets[k].push_back(yeo_johnson(v, power_of(rows, k)));
  return rows;
}

}  // namespace varve
