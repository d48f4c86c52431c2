// Writes a picture's recipe as words of the command line, and draws it.
#include "app/session/plot_recipe.h"

#include <cmath>

#include "analysis/core/error.h"
#include "app/session/command_line.h"
#include "viz/pick.h"

namespace varve {
namespace {

// Only what differs from the defaults: a line that says everything hides what was chosen.
SettingValues chosen_options(const View& view, const PlotRecipe& recipe) {
  const SettingValues all = normalise(view.options, recipe.options, "view " + view.name);
  SettingValues chosen;
  for (const SettingInfo& info : view.options)
    if (all.at(info.name) != info.default_text) chosen[info.name] = all.at(info.name);
  return chosen;
}

struct Place {
  std::string axis, number;
};

// A step is written as its number, every other axis as a place.
std::vector<Place> chosen_places(const Selection& selection, const Dataset& data) {
  std::vector<Place> places;
  for (const auto& [axis, index] : selection.at) {
    if (index < 0 || index >= places_along(data, axis)) continue;
    const Array* ticks = axis == "step" ? data.coord(axis) : nullptr;
    const bool is_tick = ticks && ticks->dtype() == Dtype::i64 && index < ticks->size();
    places.push_back({axis, is_tick ? ticks->text(index) : std::to_string(index)});
  }
  return places;
}

Selection selection_in(const Selection& selection, const Dataset& data) {
  Selection kept;
  for (const auto& [axis, index] : selection.at)
    if (index >= 0 && index < places_along(data, axis)) kept.at[axis] = index;
  return kept;
}

}  // namespace

std::string picture_of(const PlotRecipe& recipe, const Dataset& data) {
  const View& view = views().get(recipe.view);
  const Theme& theme = recipe.theme == "dark" ? Theme::dark() : Theme::light();
  const Selection selection = selection_in(recipe.selection, data);
  const SettingValues options = normalise(view.options, recipe.options, "view " + view.name);
  const double width = recipe.width > 0 ? std::round(recipe.width) : view.width;
  const double height =
      recipe.height > 0 ? std::round(recipe.height) : picture_height(view, data, options, selection, width);
  return picture_of(view, data, options, selection, picture_kind(recipe.output), theme, width, height,
                    recipe.scale);
}

std::vector<std::string> plot_words(const PlotRecipe& recipe, const Dataset& data) {
  const View& view = views().get(recipe.view);
  std::vector<std::string> words = {"varve", "plot", recipe.result, "--view", recipe.view};
  const auto add = [&words](const std::string& option, const std::string& value) {
    words.push_back(option);
    words.push_back(value);
  };
  if (!recipe.against.empty()) add("--against", recipe.against);
  if (!recipe.against.empty() && recipe.against.rfind("step=", 0) != 0)
    add("--steps", fmt::format("{},{}", recipe.step, recipe.against_step));
  for (const auto& [name, value] : chosen_options(view, recipe)) add("--set", name + "=" + value);
  for (const Place& place : chosen_places(recipe.selection, data))
    add("--select", place.axis + "=" + place.number);
  if (recipe.theme != "light") add("--theme", recipe.theme);
  if (recipe.width > 0 && recipe.height > 0)
    add("--size", fmt::format("{:.0f}x{:.0f}", std::round(recipe.width), std::round(recipe.height)));
  if (recipe.scale != 1) add("--scale", fmt::format("{}", recipe.scale));
  add("-o", recipe.output);
  return words;
}

std::string plot_line(const PlotRecipe& recipe, const Dataset& data) {
  std::string line;
  for (const std::string& word : plot_words(recipe, data))
    line += (line.empty() ? "" : " ") + shell_quoted(word);
  return line;
}

}  // namespace varve
