// Drawing a view in a test, and results made up for the views: heads over training, pairs, patterns, fits.
#pragma once

#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/support/lens_data.h"
#include "viz/view.h"

namespace varve::testing_support {

struct ViewPicture {
  std::unique_ptr<PictureCanvas> canvas;
  Drawn drawn;
};

inline ViewPicture draw_view(const std::string& view, const Dataset& data, const SettingValues& options = {},
                             const Selection& selection = {}, Box area = {0, 0, 900, 560}, double zoom = 1,
                             Point pan = {}) {
  ViewPicture picture{make_picture(PictureKind::png, area.right(), area.bottom(), 1, Theme::light().canvas),
                      {}};
  Look look;
  look.theme = &Theme::light();
  look.area = area;
  look.zoom = zoom;
  look.pan = pan;
  picture.drawn = views().get(view).draw(data, options, selection, look, *picture.canvas);
  return picture;
}

inline Dataset drawn_numbers(const std::string& view, const Dataset& data, const SettingValues& options = {},
                             const Selection& selection = {}) {
  return views().get(view).drawn_data(data, options, selection);
}

// A score of each head at each step, as detectors give it: [step, layer, head], with interval and floor.
inline Dataset heads_data(int64_t layers = 6, int64_t heads = 8, uint64_t seed = 3) {
  const std::vector<int64_t> steps = series_steps(8000);
  const auto count = static_cast<int64_t>(steps.size());
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> unit(0, 1);
  std::vector<double> best, from;
  for (int64_t i = 0; i < layers * heads; ++i) {
    best.push_back(unit(random) < 0.25 ? 0.3 + 0.6 * unit(random) : 0.04 * unit(random));
    from.push_back(2.3 + unit(random));
  }
  std::vector<float> score, copying;
  for (const int64_t step : steps)
    for (size_t h = 0; h < best.size(); ++h) {
      const double grown = 1 / (1 + std::exp(-6 * (std::log10(1.0 + static_cast<double>(step)) - from[h])));
      score.push_back(static_cast<float>(best[h] * grown + 0.005 * unit(random)));
      copying.push_back(static_cast<float>(0.7 * best[h] * grown + 0.1 * unit(random)));
    }
  Dataset data;
  data.title = "Head detectors";
  data.provenance = {{"analysis", "head-detectors"}, {"key", "90ab12cd"}, {"compute", "f32"}};
  data.checks.push_back({"rows sum to 1", 2e-7, 1e-5, 64, true, ""});
  const auto set = [&](const std::string& name, const std::vector<float>& values, const char* title) {
    Array array({"step", "layer", "head"}, {count, layers, heads}, values);
    array.title = title;
    array.unit = "score";
    data.set(name, std::move(array));
  };
  set("induction", score, "induction score");
  set("copying", copying, "copying score");
  std::vector<float> low = score, high = score;
  for (float& v : low) v -= 0.02F;
  for (float& v : high) v += 0.02F;
  set("induction_low", low, "induction score, lower end of the 95 % interval");
  set("induction_high", high, "induction score, upper end of the 95 % interval");
  data.set("induction_floor", Array::scalar(0.06));
  data.set_coord("step", Array({"step"}, {count}, steps));
  return data;
}

// Points with a fitted curve, its band and its peak: [step, layer].
inline Dataset fit_data(int64_t layers = 3) {
  std::vector<int64_t> steps;
  for (int64_t s = 1000; s <= 143000; s += 1000) steps.push_back(s);
  const auto count = static_cast<int64_t>(steps.size());
  std::mt19937_64 random(8);
  std::normal_distribution<double> noise(0, 15);
  std::vector<double> ratio, fit, low, high, peak, peak_low, peak_high;
  const auto curve = [](double t, int64_t layer) {
    const double x = 2e-4 * t + 1;
    return (640 - 150.0 * static_cast<double>(layer)) * std::exp(-0.05 * x) * std::log(x) + 30;
  };
  for (const int64_t step : steps)
    for (int64_t l = 0; l < layers; ++l) {
      fit.push_back(curve(static_cast<double>(step), l));
      low.push_back(fit.back() - 18);
      high.push_back(fit.back() + 18);
      ratio.push_back(fit.back() + noise(random));
    }
  for (int64_t l = 0; l < layers; ++l) {
    int64_t best = 1000;
    for (const int64_t step : steps)
      if (curve(static_cast<double>(step), l) > curve(static_cast<double>(best), l)) best = step;
    peak.push_back(static_cast<double>(best));
    peak_low.push_back(static_cast<double>(best) - 2500);
    peak_high.push_back(static_cast<double>(best) + 2500);
  }
  Dataset data;
  data.title = "Massive activation fit";
  const auto set = [&](const std::string& name, std::vector<double> values) {
    const bool is_curve = values.size() > static_cast<size_t>(layers);
    Array array(is_curve ? std::vector<std::string>{"step", "layer"} : std::vector<std::string>{"layer"},
                is_curve ? std::vector<int64_t>{count, layers} : std::vector<int64_t>{layers},
                std::move(values));
    array.title = "ratio of top-1 to median";
    data.set(name, std::move(array));
  };
  set("ratio", ratio);
  set("ratio_fit", fit);
  set("ratio_fit_low", low);
  set("ratio_fit_high", high);
  set("ratio_peak_step", peak);
  set("ratio_peak_step_low", peak_low);
  set("ratio_peak_step_high", peak_high);
  std::vector<int64_t> used(static_cast<size_t>(count), 1), bad(used.size(), 0);
  used[57] = 0;
  bad[57] = 1;
  data.set("ratio_used", Array({"step"}, {count}, used));
  data.set("audited_bad", Array({"step"}, {count}, bad));
  data.set_coord("step", Array({"step"}, {count}, steps));
  return data;
}

// Attention of one prompt, whole rows: [layer, head, query, key], later keys unseen.
inline Dataset attention_weights(int64_t layers = 2, int64_t heads = 2, int64_t tokens = 12) {
  std::mt19937_64 random(6);
  std::exponential_distribution<double> exponential(1);
  std::vector<float> values;
  std::vector<std::string> text;
  for (int64_t l = 0; l < layers; ++l)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t q = 0; q < tokens; ++q) {
        std::vector<double> row(static_cast<size_t>(tokens), 0);
        double sum = 0;
        for (int64_t k = 0; k <= q; ++k)
          sum += row[static_cast<size_t>(k)] = std::pow(exponential(random), 3.0 + static_cast<double>(h));
        for (const double v : row) values.push_back(static_cast<float>(v / sum));
      }
  for (int64_t i = 0; i < tokens; ++i)
    text.push_back(lens_words()[static_cast<size_t>(i) % lens_words().size()]);
  Dataset data;
  data.title = "Attention patterns";
  Array pattern({"layer", "head", "query", "key"}, {layers, heads, tokens, tokens}, std::move(values));
  pattern.title = "attention";
  pattern.unit = "probability";
  data.set("pattern", std::move(pattern));
  data.set("token_text", Array({"pos"}, {tokens}, std::move(text)));
  return data;
}

}  // namespace varve::testing_support
