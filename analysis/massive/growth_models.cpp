// Lays the fits of several models side by side.
#include "analysis/massive/growth_models.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/core/error.h"

namespace varve {

Dataset compare_growth(const std::vector<NamedFit>& given, const std::string& array) {
  constexpr double missing = std::numeric_limits<double>::quiet_NaN();
  std::vector<NamedFit> fits = given;
  const auto size_of = [](const NamedFit& one) {
    const auto architecture = architecture_in(*one.fit);
    return architecture ? architecture->parameters : 0;
  };
  std::stable_sort(fits.begin(), fits.end(),
                   [&](const NamedFit& a, const NamedFit& b) { return size_of(a) < size_of(b); });
  int64_t layers = 0;
  for (const NamedFit& one : fits) {
    if (!one.fit->has(array) || !one.fit->has(array + "_peak") || (*one.fit)[array].axes().size() != 2)
      fail("'{}' has no fit of '{}'; is it a result of massive-activation-fit?", one.name, array);
    layers = std::max(layers, one.fit->extent("layer"));
  }
  const auto models = static_cast<int64_t>(fits.size());
  std::vector<double> parameters, in_blocks, final_ratio, final_layer;
  std::vector<std::string> names;
  const auto empty = [&] { return std::vector<double>(static_cast<size_t>(models * layers), missing); };
  std::vector<double> peak = empty(), value = empty(), r2 = empty(), last = empty();
  for (size_t m = 0; m < fits.size(); ++m) {
    const Dataset& fit = *fits[m].fit;
    const Array& curve = fit[array];
    const int64_t own = fit.extent("layer"), steps = fit.extent("step");
    const int64_t others = fit[array + "_r2"].extent("model");
    double most = missing, where = missing;
    for (int64_t layer = 0; layer < own; ++layer) {
      const auto at = static_cast<size_t>(static_cast<int64_t>(m) * layers + layer);
      peak[at] = fit[array + "_peak"].number(layer);
      value[at] = fit[array + "_peak_value"].number(layer);
      r2[at] = fit[array + "_r2"].number(layer * others);
      last[at] = curve.number((steps - 1) * own + layer);
      if (std::isfinite(last[at]) && !(last[at] <= most))
        most = last[at], where = fit.coord("layer") ? fit.coord("layer")->number(layer) : double(layer);
    }
    const int64_t size = size_of(fits[m]);
    parameters.push_back(size > 0 ? static_cast<double>(size) : missing);
    const auto a = architecture_in(fit);
    in_blocks.push_back(a && a->layers > 0 ? static_cast<double>(a->layers * a->d_model) *
                                                 static_cast<double>(4 * a->d_model + 2 * a->d_mlp)
                                           : missing);
    final_ratio.push_back(most);
    final_layer.push_back(where);
    names.push_back(fits[m].name);
  }
  Dataset out;
  out.title = "Massive activations of several models";
  const auto put = [&](const std::string& name, std::vector<double> numbers, const std::string& title,
                       const char* unit, bool by_layer) {
    Array made = by_layer ? Array({"model", "layer"}, {models, layers}, std::move(numbers))
                          : Array({"model"}, {models}, std::move(numbers));
    made.title = title;
    made.unit = unit;
    out.set(name, std::move(made));
  };
  put("parameters", std::move(parameters), "parameters of the model", "", false);
  put("block_weights", std::move(in_blocks),
      "weights of attention and MLP by their sizes, layers x (4 d^2 + 2 d d_ff)", "", false);
  put("final_" + array, std::move(final_ratio), "largest " + array + " of a layer at the last step", "",
      false);
  put("final_layer", std::move(final_layer), "layer of it", "layer", false);
  put("peak_step", std::move(peak), "step at which the fit peaks", "step", true);
  put("peak_value", std::move(value), "value of the fit at its peak", "", true);
  put("r2", std::move(r2), "R2 of the five-parameter fit", "R2", true);
  put("last", std::move(last), array + " at the last step", "", true);
  out.set_coord("model", Array({"model"}, {models}, std::move(names)));
  std::vector<int64_t> ticks(static_cast<size_t>(layers));
  std::iota(ticks.begin(), ticks.end(), 0);
  out.set_coord("layer", Array({"layer"}, {layers}, std::move(ticks)));
  return out;
}

}  // namespace varve
