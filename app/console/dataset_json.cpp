// A Dataset as JSON: {title, arrays: {name: {axes, shape, unit, title, values}}, coords, checks, notes ...}.
#include "app/console/dataset_json.h"

#include <cmath>

#include "app/console/describe.h"

namespace varve {
namespace {

Json values_json(const Array& array) {
  if (array.dtype() == Dtype::text)
    return Json(std::vector<std::string>(array.as<std::string>().begin(), array.as<std::string>().end()));
  if (array.dtype() == Dtype::i64)
    return Json(std::vector<int64_t>(array.as<int64_t>().begin(), array.as<int64_t>().end()));
  Json out = Json::array();
  for (int64_t i = 0; i < array.size(); ++i) {
    const double value = array.number(i);
    if (!std::isfinite(value))
      out.push_back(nullptr);
    else if (array.dtype() == Dtype::f32)
      out.push_back(static_cast<float>(value));
    else
      out.push_back(value);
  }
  return out;
}

Json array_json(const Array& array) {
  return {{"axes", array.axes()}, {"shape", array.shape()}, {"dtype", name_of(array.dtype())},
          {"unit", array.unit},   {"title", array.title},   {"values", values_json(array)}};
}

}  // namespace

Json to_json(const Dataset& data) {
  Json arrays = Json::object(), coords = Json::object(), events = Json::array();
  for (const auto& [name, array] : data.arrays()) arrays[name] = array_json(array);
  for (const auto& [name, array] : data.coords()) coords[name] = values_json(array);
  for (const Event& event : data.events)
    events.push_back({{"step", event.step}, {"label", event.label}, {"rule", event.rule}});
  return {{"title", data.title},
          {"arrays", arrays},
          {"coords", coords},
          {"checks", checks_json(data.checks)},
          {"events", events},
          {"notes", data.notes},
          {"provenance", data.provenance}};
}

}  // namespace varve
