// Reading profiles over layers out of lens cells and joining them along training.
#include "app/session/lens_by_step.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/draw/glyphs.h"

namespace varve {

namespace {

bool fits(const Dataset& data, const std::string& quantity) {
  if (!data.has(quantity) || !data.has("token_text")) return false;
  return data[quantity].axes() == std::vector<std::string>{"layer", "prompt", "pos"};
}

// The best token's probability is the first of a ranked list; everything else is an array of its own.
Array values_of(const Dataset& data, const std::string& quantity) {
  if (quantity != "prob_top") return data[quantity];
  Array best = data["top_prob"].at("rank", 0);
  best.title = "probability of the best token";
  best.unit = "probability";
  return best;
}

bool shows(const Dataset& data, const std::string& quantity) {
  if (quantity == "prob_top")
    return data.has("token_text") && data.has("top_prob") &&
           data["top_prob"].axes() == std::vector<std::string>{"layer", "prompt", "pos", "rank"} &&
           data["top_prob"].extent("rank") > 0;
  return fits(data, quantity);
}

struct Mean {
  double value = std::numeric_limits<double>::quiet_NaN();
  int64_t n = 0;
};

Mean mean_over(const Array& values, int64_t layer, int64_t prompt, int64_t from, int64_t to) {
  double sum = 0;
  int64_t n = 0;
  for (int64_t pos = from; pos < to; ++pos) {
    const int64_t at[] = {layer, prompt, pos};
    const double value = values.number(values.flat(at));
    if (!std::isfinite(value)) continue;
    sum += value;
    ++n;
  }
  return n == 0 ? Mean{} : Mean{sum / static_cast<double>(n), n};
}

Dataset profile_of(const Dataset& cell, const std::string& quantity, int64_t prompt, int64_t pos) {
  const Array values = values_of(cell, quantity);
  const int64_t layers = values.extent("layer"), positions = values.extent("pos");
  std::vector<double> numbers;
  std::vector<int64_t> counts;
  for (int64_t layer = 0; layer < layers; ++layer) {
    const Mean mean = pos < 0 ? mean_over(values, layer, prompt, 0, positions)
                              : mean_over(values, layer, prompt, pos, pos + 1);
    numbers.push_back(mean.value);
    counts.push_back(mean.n);
  }
  const std::string title = values.title.empty() ? quantity : values.title;
  Dataset profile;
  Array array({"layer"}, {layers}, std::move(numbers));
  array.unit = values.unit;
  if (pos < 0) {
    const int64_t n = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
    array.title = fmt::format("{}, mean over {} position{}", title, n, n == 1 ? "" : "s");
    Array n_of({"layer"}, {layers}, std::move(counts));
    n_of.title = "positions behind the mean";
    profile.set(quantity + "_n", std::move(n_of));
  } else {
    const int64_t here[] = {prompt, pos};
    const Array& words = cell["token_text"];
    array.title =
        fmt::format("{}, position {}, after {}", title, pos, token_label(words.text(words.flat(here))));
  }
  profile.set(quantity, std::move(array));
  if (const Array* ticks = cell.coord("layer")) profile.set_coord("layer", *ticks);
  profile.checks = cell.checks;
  return profile;
}

}  // namespace

std::shared_ptr<const Dataset> LensByStep::of(const Session& session, const std::string& quantity) {
  const Run* run = session.run_of("logit-lens");
  if (!run || run->cells.empty() || !shows(*run->cells.begin()->second.data, quantity)) return nullptr;
  const Dataset& first = *run->cells.begin()->second.data;
  const Array values = values_of(first, quantity);
  const Selection& selection = session.choice().selection;
  Wanted wanted{quantity, selection.index("prompt").value_or(0), selection.index("pos").value_or(-1)};
  if (wanted.prompt < 0 || wanted.prompt >= values.extent("prompt")) wanted.prompt = 0;
  // All cells are of the same prompts: what one lacks at a position, all lack.
  if (wanted.pos >= values.extent("pos") ||
      (wanted.pos >= 0 && mean_over(values, 0, wanted.prompt, wanted.pos, wanted.pos + 1).n == 0))
    wanted.pos = -1;
  if (!(wanted == wanted_)) parts_.clear();
  wanted_ = wanted;

  bool is_same = joined_ != nullptr && parts_.size() == run->cells.size();
  for (const auto& [step, cell] : run->cells) {
    Part& part = parts_[step];
    if (part.cell == cell.data) continue;
    part = {cell.data,
            std::make_shared<const Dataset>(profile_of(*cell.data, quantity, wanted.prompt, wanted.pos))};
    is_same = false;
  }
  std::erase_if(parts_, [run](const auto& part) { return !run->cells.contains(part.first); });
  if (is_same && joined_->extent("step") == static_cast<int64_t>(parts_.size())) return joined_;
  std::vector<int64_t> steps;
  std::vector<const Dataset*> profiles;
  for (const auto& [step, part] : parts_) {
    steps.push_back(step);
    profiles.push_back(part.profile.get());
  }
  Dataset joined = join_steps(steps, profiles);
  joined.title = "Logit lens over training";
  for (const char* fact : {"analysis", "compute"})
    if (const auto known = first.provenance.find(fact); known != first.provenance.end())
      joined.provenance[fact] = known->second;
  joined_ = std::make_shared<const Dataset>(std::move(joined));
  return joined_;
}

}  // namespace varve
