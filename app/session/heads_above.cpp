// Heads against the floor that their result carries.
#include "app/session/heads_above.h"

#include <cmath>

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "viz/choice.h"

namespace varve {

namespace {

bool is_by_head(const Array& array) { return is_numeric(array) && array.axis("layer") && array.axis("head"); }

struct Floor {
  const Array* array = nullptr;
  bool is_size = false;  // noise: of either sign
  std::string word;
};

Floor floor_of(const Dataset& data, const std::string& name) {
  for (const char* word : {"chance", "floor", "noise"})
    if (const Array* floor = companion(data, name, word))
      return {.array = floor, .is_size = std::string(word) == "noise", .word = word};
  return {};
}

}  // namespace

NamedSet heads_above_floor(const Dataset& data, const std::string& array, const Places& given,
                           const Selection& selection) {
  std::string name = array;
  for (const auto& [one, numbers] : data.arrays())
    if (name.empty() && is_by_head(numbers) && floor_of(data, one).array) name = one;
  if (name.empty() || !data.has(name) || !is_by_head(data[name]))
    fail(
        "The view shows no scores by layer and head. Open head-detectors or circuit-trajectory, then ask "
        "again.");
  const Floor floor = floor_of(data, name);
  if (!floor.array)
    fail("Nothing in this result says how much chance or noise gives for '{}'.", title_of(data, name));
  const Array* low = companion(data, name, "low");
  const auto number = [&](const Array& of, const Places& places) {
    Places ignored;
    return arranged(of, {}, data, places, selection, ignored).number(0);
  };
  NamedSet set{.name = name + " above " + floor.word, .axis = "head", .members = {}};
  int64_t heads = 0;
  for (int64_t layer = 0; layer < data.extent("layer"); ++layer)
    for (int64_t head = 0; head < data.extent("head"); ++head) {
      Places places = given;
      places["layer"] = layer;
      places["head"] = head;
      const double score = number(data[name], places), least = number(*floor.array, places);
      if (std::isnan(score) || std::isnan(least)) continue;
      ++heads;
      const double lowest = low && !floor.is_size ? number(*low, places) : score;
      if ((floor.is_size ? std::abs(score) : std::isnan(lowest) ? score : lowest) > least)
        set.members.push_back({{"layer", layer}, {"head", head}});
    }
  if (set.members.empty())
    fail("None of {} heads lies above {} for '{}' here.", heads, floor.word, title_of(data, name));
  return set;
}

}  // namespace varve
