// Reads edges between heads, MLPs, input and logits out of a result and keeps the strongest that reach both
// ends.
#include "viz/circuit_scene.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "viz/choice.h"

namespace varve {
namespace {

std::optional<int64_t> whole(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc() && end == text.data() + text.size() && value >= 0;
  return is_number && value < 100'000 ? std::optional<int64_t>(value) : std::nullopt;
}

// "input", "a3.h7", "a3.h7<q>", "m3", "logits"; nothing where a name is none of these.
std::optional<CircuitNode> node_of(std::string_view name) {
  if (name == "input") return CircuitNode{circuit_input, circuit_mlp};
  if (name == "logits") return CircuitNode{circuit_logits, circuit_mlp};
  if (name.empty()) return std::nullopt;
  if (name[0] == 'm') {
    const auto layer = whole(name.substr(1));
    return layer ? std::optional<CircuitNode>(CircuitNode{*layer, circuit_mlp}) : std::nullopt;
  }
  const size_t dot = name.find(".h");
  if (name[0] != 'a' || dot == std::string_view::npos) return std::nullopt;
  const auto layer = whole(name.substr(1, dot - 1));
  const std::string_view rest = name.substr(dot + 2);
  const auto head = whole(rest.substr(0, rest.find_first_not_of("0123456789")));
  return layer && head ? std::optional<CircuitNode>(CircuitNode{*layer, *head}) : std::nullopt;
}

const Array* edge_array(const Dataset& data, const std::string& wanted) {
  const std::string name = wanted.empty() ? "scores" : wanted;
  if (!data.has(name)) return nullptr;
  const Array& array = data[name];
  return is_numeric(array) && array.axis("src") && array.axis("dst") ? &array : nullptr;
}

// Places of the strongest `size` edges, equal scores by place; then those that no way joins to both input
// and logits are left out.
std::vector<int64_t> strongest(const CircuitScene& scene, const Array& scores, int64_t size) {
  std::vector<int64_t> order;
  for (int64_t i = 0; i < scores.size(); ++i)
    if (const double v = scores.number(i); std::isfinite(v) && v != 0) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&scores](int64_t a, int64_t b) {
    return std::abs(scores.number(a)) > std::abs(scores.number(b));
  });
  if (static_cast<int64_t>(order.size()) > size) order.resize(static_cast<size_t>(size));
  const auto columns = static_cast<int64_t>(scene.destinations.size());
  const auto reached = [&](const CircuitNode& start, bool is_up) {
    std::set<CircuitNode> found = {start};
    for (bool grows = true; grows;) {
      grows = false;
      for (const int64_t i : order) {
        const CircuitNode &from = scene.sources[static_cast<size_t>(i / columns)],
                          &to = scene.destinations[static_cast<size_t>(i % columns)];
        if (found.count(is_up ? from : to)) grows = found.insert(is_up ? to : from).second || grows;
      }
    }
    return found;
  };
  const std::set<CircuitNode> up = reached({circuit_input, circuit_mlp}, true),
                              down = reached({circuit_logits, circuit_mlp}, false);
  std::erase_if(order, [&](int64_t i) {
    return !up.count(scene.sources[static_cast<size_t>(i / columns)]) ||
           !down.count(scene.destinations[static_cast<size_t>(i % columns)]);
  });
  return order;
}

}  // namespace

std::string node_label(const CircuitNode& node) {
  if (node.row == circuit_input) return "input";
  if (node.row == circuit_logits) return "logits";
  if (node.column == circuit_mlp) return "m" + std::to_string(node.row);
  return fmt::format("L{}H{}", node.row, node.column);
}

bool has_circuit(const Dataset& data) {
  const Array *sources = data.coord("src"), *destinations = data.coord("dst");
  if (!edge_array(data, "") || !sources || !destinations || sources->dtype() != Dtype::text ||
      destinations->dtype() != Dtype::text)
    return false;
  for (const Array* names : {sources, destinations})
    for (const std::string& name : names->as<std::string>())
      if (!node_of(name)) return false;
  return sources->size() > 0 && destinations->size() > 0;
}

CircuitScene circuit_scene(const Dataset& data, const CircuitOptions& options, const Selection& selection) {
  CircuitScene scene;
  if (!has_circuit(data)) {
    if (!options.array.empty()) array_named(data, options.array, "circuit-graph");
    return scene;
  }
  const Array* array = edge_array(data, options.array);
  if (!array) {
    array_named(data, options.array, "circuit-graph");
    fail_usage("circuit-graph: '{}' holds no numbers along src and dst; try the view heat-map",
               options.array);
  }
  scene.name = options.array.empty() ? "scores" : options.array;
  scene.unit = array->unit;
  const auto read = [&](const char* axis, std::vector<CircuitNode>& nodes, std::vector<std::string>& names) {
    for (const std::string& name : data.coord(axis)->as<std::string>()) {
      nodes.push_back(*node_of(name));
      names.push_back(name);
      scene.all.insert(nodes.back());
      if (nodes.back().row != circuit_logits) scene.layers = std::max(scene.layers, nodes.back().row + 1);
      scene.heads = std::max(scene.heads, nodes.back().column + 1);
    }
  };
  read("src", scene.sources, scene.source_names);
  read("dst", scene.destinations, scene.destination_names);
  Places given = parse_places(options.at, data, "circuit-graph");
  const Array now = arranged(*array, {"src", "dst"}, data, given, selection, scene.fixed);
  std::vector<int64_t> chosen = strongest(scene, now, options.size), past;
  Array before;
  scene.compares = options.before >= 0;
  if (scene.compares) {
    if (!array->axis("step") || options.before >= array->extent("step"))
      fail_usage("circuit-graph: before={} is no index of a step of '{}'; there are {} steps", options.before,
                 scene.name, array->axis("step") ? array->extent("step") : 0);
    Places there = given, ignored;
    there["step"] = options.before;
    before = arranged(*array, {"src", "dst"}, data, there, selection, ignored);
    past = strongest(scene, before, options.size);
    scene.compared = said(data, {{"step", options.before}});
  }
  scene.there = 0;
  for (int64_t i = 0; i < now.size(); ++i) scene.there += now.number(i) != 0 ? 1 : 0;
  const std::set<int64_t> in_now(chosen.begin(), chosen.end()), in_past(past.begin(), past.end());
  std::set<int64_t> either = in_now;
  either.insert(in_past.begin(), in_past.end());
  const auto columns = static_cast<int64_t>(scene.destinations.size());
  for (const int64_t i : either) {
    CircuitEdge edge{i / columns, i % columns, now.number(i), scene.compares ? before.number(i) : 0,
                     EdgeSide::both};
    if (scene.compares && !in_past.count(i)) edge.side = EdgeSide::now;
    if (!in_now.count(i)) edge.side = EdgeSide::before;
    scene.used.insert(scene.sources[static_cast<size_t>(edge.source)]);
    scene.used.insert(scene.destinations[static_cast<size_t>(edge.destination)]);
    scene.edges.push_back(edge);
  }
  const auto strength = [](const CircuitEdge& e) {
    return std::abs(e.side == EdgeSide::before ? e.before : e.score);
  };
  std::stable_sort(scene.edges.begin(), scene.edges.end(),
                   [&](const CircuitEdge& a, const CircuitEdge& b) { return strength(a) < strength(b); });
  if (!scene.edges.empty()) scene.largest = strength(scene.edges.back());
  return scene;
}

}  // namespace varve
