// Checks each step against the shape it meets, so that a mistake is named where it lies.
#include "loaders/map_steps.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "analysis/core/error.h"
#include "analysis/core/settings.h"
#include "loaders/family_reader.h"

namespace varve {
namespace {

using nlohmann::json;
using Shape = std::vector<int64_t>;

int64_t named_size(const std::string& word, const std::string& name, const ModelSpec& spec) {
  const std::map<std::string, int64_t> sizes = {
      {"heads", spec.heads},     {"kv_heads", spec.kv_heads}, {"d_head", spec.d_head},
      {"d_model", spec.d_model}, {"d_mlp", spec.d_mlp},       {"vocab", spec.vocab},
      {"context", spec.context}, {"layers", spec.layers},     {"experts", spec.experts}};
  const auto found = sizes.find(word);
  if (found != sizes.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [one, size] : sizes) names.push_back(one);
  fail("tensor '{}': view has no size '{}'; did you mean '{}'?", name, word, nearest(word, names));
}

Shape whole_numbers(const json& how, const char* key, const std::string& name, size_t count) {
  if (!how.contains(key)) return {};
  const json& list = how[key];
  const bool whole =
      list.is_array() && (count == 0 || list.size() == count) &&
      std::all_of(list.begin(), list.end(), [](const json& one) { return one.is_number_integer(); });
  if (!whole)
    fail("tensor '{}': {} is {}, expected {}", name, key, list.dump(),
         std::string(key) == "split"   ? "[axis, parts, which]"
         : std::string(key) == "slice" ? "[axis, begin, end]"
                                       : "a list of axes");
  return list.get<Shape>();
}

int64_t product(const Shape& shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    if (__builtin_mul_overflow(count, extent, &count))
      fail("the shape {} is not possible", show_shape(shape));
  return count;
}

void check_axis(int64_t axis, const Shape& shape, const std::string& what) {
  if (axis < 0 || axis >= static_cast<int64_t>(shape.size()))
    fail("{}: {} has no axis {}; axes count from 0", what, show_shape(shape), axis);
}

Shape viewed(const MapSteps& steps, const Shape& shape, const std::string& what) {
  if (steps.view.empty()) return shape;
  Shape view = steps.view;
  const auto open = std::find(view.begin(), view.end(), -1);
  const int64_t count = product(shape);
  if (open != view.end()) {
    *open = 1;
    const int64_t rest = product(view);
    *open = rest > 0 ? count / rest : 0;
  }
  if (product(view) != count)
    fail("{}: {} cannot be seen as {}", what, show_shape(shape), show_shape(steps.view));
  return view;
}

// Neighbouring axes multiplied until they are what is wanted.
bool joins_to(const Shape& shape, const Shape& want) {
  size_t at = 0;
  for (int64_t extent : want) {
    int64_t joined = 1;
    bool any = false;
    while (at < shape.size() && (!any || joined < extent || shape[at] == 1)) {
      joined *= shape[at++];
      any = true;
    }
    if (joined != extent) return false;
  }
  return at == shape.size();
}

TensorTake take_of(const MapSteps& steps, const Shape& found, const std::string& what, Shape& result) {
  TensorTake take;
  take.source = steps.from;
  result = viewed(steps, found, what);
  if (!steps.view.empty()) take.view = result;
  if (!steps.split.empty()) {
    const int64_t parts = steps.split[1], which = steps.split[2];
    check_axis(steps.split[0], result, what + ": split");
    const int64_t extent = result[static_cast<size_t>(steps.split[0])];
    if (parts < 1 || extent % parts != 0 || which < 0 || which >= parts)
      fail("{}: axis {} of {} cannot be split into {} equal parts of which this is number {} (from 0)", what,
           steps.split[0], show_shape(result), parts, which);
    take.axis = steps.split[0];
    take.begin = which * (extent / parts);
    take.end = take.begin + extent / parts;
  }
  if (!steps.slice.empty()) {
    check_axis(steps.slice[0], result, what + ": slice");
    take.axis = steps.slice[0];
    take.begin = steps.slice[1];
    take.end = steps.slice[2];
    if (take.begin < 0 || take.end <= take.begin || take.end > result[static_cast<size_t>(take.axis)])
      fail("{}: {} has no slice {}:{} along axis {}", what, show_shape(result), take.begin, take.end,
           take.axis);
  }
  if (take.axis >= 0) result[static_cast<size_t>(take.axis)] = take.end - take.begin;
  take.permute = steps.permute;
  if (steps.transpose) {
    if (result.size() != 2)
      fail("{}: transpose turns two axes, but here are {}; use permute", what, show_shape(result));
    take.permute = {1, 0};
  }
  if (!take.permute.empty()) {
    Shape sorted = take.permute, counted(result.size());
    std::sort(sorted.begin(), sorted.end());
    std::iota(counted.begin(), counted.end(), int64_t{0});
    if (sorted != counted)
      fail("{}: permute {} does not reorder the axes of {}", what, show_shape(take.permute),
           show_shape(result));
    Shape turned;
    for (int64_t axis : take.permute) turned.push_back(result[static_cast<size_t>(axis)]);
    result = turned;
  }
  return take;
}

void add_one(const std::string& name, const MapSteps& steps, const CanonicalTensor& tensor,
             const TensorShapes& shapes, TensorRecipe& recipe) {
  const Shape& want = tensor.shape;
  const std::string what = fmt::format("tensor '{}' from '{}'", name, steps.from);
  const auto found = shapes.find(steps.from);
  if (found == shapes.end()) {
    if (!tensor.required) return;
    std::vector<std::string> names;
    for (const auto& [one, shape] : shapes) names.push_back(one);
    fail("{}: the file has no such tensor; did you mean '{}'?", what, nearest(steps.from, names));
  }
  Shape result;
  TensorTake take = take_of(steps, found->second, what, result);
  if (!joins_to(result, want)) {
    const bool turned =
        result.size() == 2 && want.size() == 2 && result[0] == want[1] && result[1] == want[0];
    fail("{}: {} becomes {}, but the model needs {}.{}", what, show_shape(found->second), show_shape(result),
         show_shape(want),
         turned ? " Is transpose = true missing?" : " Check its steps and the sizes in [model]");
  }
  if (result.size() == tensor.by_head.size() && result != tensor.by_head)
    fail("{}: {} becomes {}, but with the heads of [model] it must be {}", what, show_shape(found->second),
         show_shape(result), show_shape(tensor.by_head));
  take.shape = want;
  recipe[name] = std::move(take);
}

}  // namespace

std::string with_number(std::string pattern, const std::string& what, int64_t number) {
  const std::string place = "{" + what + "}";
  for (size_t at = pattern.find(place); at != std::string::npos; at = pattern.find(place, at))
    pattern.replace(at, place.size(), std::to_string(number));
  return pattern;
}

bool any_source(const std::string& pattern, const TensorShapes& shapes) {
  return shapes.contains(with_number(with_number(pattern, "expert", 0), "head", 0));
}

MapSteps read_steps(const std::string& name, const json& how, const ModelSpec& spec) {
  MapSteps steps;
  if (how.is_string()) {
    steps.from = how.get<std::string>();
    return steps;
  }
  const std::vector<std::string> known = {"from", "view", "split", "slice", "permute", "transpose"};
  if (!how.is_object() || !how.contains("from") || !how["from"].is_string())
    fail("tensor '{}': expected the name of a tensor or {{ from = \"name\", ... }}, found {}", name,
         how.dump().substr(0, 80));
  for (const auto& [key, value] : how.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      fail("tensor '{}': there is no step '{}'; did you mean '{}'?", name, key, nearest(key, known));
  steps.from = how["from"].get<std::string>();
  if (how.contains("view")) {
    if (!how["view"].is_array()) fail("tensor '{}': view is {}, expected a list", name, how["view"].dump());
    for (const json& one : how["view"]) {
      if (!one.is_string() && !(one.is_number_integer() && (one == -1 || one > 0)))
        fail("tensor '{}': view holds {}, expected sizes, their names, or one -1", name, one.dump());
      steps.view.push_back(one.is_string() ? named_size(one.get<std::string>(), name, spec)
                                           : one.get<int64_t>());
    }
    if (std::count(steps.view.begin(), steps.view.end(), -1) > 1)
      fail("tensor '{}': view leaves more than one size open", name);
  }
  steps.split = whole_numbers(how, "split", name, 3);
  steps.slice = whole_numbers(how, "slice", name, 3);
  steps.permute = whole_numbers(how, "permute", name, 0);
  if (how.contains("transpose")) {
    if (!how["transpose"].is_boolean()) fail("tensor '{}': transpose is true or false", name);
    steps.transpose = how["transpose"].get<bool>();
  }
  if (!steps.split.empty() && !steps.slice.empty())
    fail("tensor '{}': either split or slice, not both", name);
  if (!steps.permute.empty() && steps.transpose)
    fail("tensor '{}': either permute or transpose, not both", name);
  return steps;
}

void add_take(const std::string& name, const MapSteps& steps, const CanonicalTensor& want,
              const ModelSpec& spec, const TensorShapes& shapes, TensorRecipe& recipe) {
  if (steps.from.find("{head}") == std::string::npos) return add_one(name, steps, want, shapes, recipe);
  const bool columns = name.ends_with("W_O");
  const bool grouped =
      name.ends_with("W_K") || name.ends_with("W_V") || name.ends_with("b_K") || name.ends_with("b_V");
  if (!columns && !grouped && !name.ends_with("W_Q") && !name.ends_with("b_Q"))
    fail("tensor '{}': only W_Q, W_K, W_V, W_O, b_Q, b_K and b_V may come head by head", name);
  CanonicalTensor piece{want.shape, want.required};
  piece.shape[columns ? 1 : 0] = spec.d_head;
  for (int64_t head = 0; head < (grouped ? spec.kv_heads : spec.heads); ++head) {
    MapSteps one = steps;
    one.from = with_number(steps.from, "head", head);
    add_one(fmt::format("{}#{}.{}", name, columns ? 1 : 0, head), one, piece, shapes, recipe);
  }
}

}  // namespace varve
