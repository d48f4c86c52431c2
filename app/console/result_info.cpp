// What a result is made of, without its numbers.
#include "app/console/result_info.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/console/describe.h"
#include "app/console/table.h"
#include "viz/choice.h"

namespace varve {

namespace {

// The array whose interval, n or noise this one is; "" where it stands for itself.
std::string base_of(const Dataset& data, const std::string& name) {
  const std::string base = name.substr(0, name.rfind('_'));
  return is_companion(data, name) && data.has(base) ? base : "";
}

// The title, and which of its companions are there: "loss (with high, low, n)".
std::string full_title(const Dataset& data, const std::string& name) {
  std::string with;
  for (const auto& [other, numbers] : data.arrays())
    if (base_of(data, other) == name) with += (with.empty() ? "" : ", ") + other.substr(name.size() + 1);
  return data[name].title + (with.empty() ? "" : " (with " + with + ")");
}

}  // namespace

std::string result_info_text(const Dataset& data) {
  std::string text = data.title + "\n\n";
  TextTable arrays({"array", "dtype", "axes", "shape", "unit", "title"});
  for (const auto& [name, array] : data.arrays()) {
    if (!base_of(data, name).empty()) continue;
    arrays.row({name, std::string(name_of(array.dtype())), fmt::format("{}", fmt::join(array.axes(), " ")),
                array.shape().empty() ? "scalar" : fmt::format("{}", fmt::join(array.shape(), " x ")),
                array.unit, full_title(data, name)});
  }
  text += arrays.text() + "\n" + describe(data.checks) + "\n";
  for (const std::string& note : data.notes) text += "note: " + note + "\n";
  if (!data.provenance.empty()) text += "\n";
  TextTable from({"made of", ""});
  for (const auto& [name, value] : data.provenance)
    if (name != "key_parts") from.row({name, value});  // varve why explains the key
  return data.provenance.empty() ? text : text + from.text();
}

Json result_info_json(const Dataset& data) {
  Json arrays = Json::object();
  for (const auto& [name, array] : data.arrays())
    arrays[name] = {{"axes", array.axes()},
                    {"shape", array.shape()},
                    {"dtype", name_of(array.dtype())},
                    {"unit", array.unit},
                    {"title", array.title}};
  return {{"kind", "result"},    {"title", data.title},
          {"arrays", arrays},    {"checks", checks_json(data.checks)},
          {"notes", data.notes}, {"provenance", data.provenance}};
}

}  // namespace varve
