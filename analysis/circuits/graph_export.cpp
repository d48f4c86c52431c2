// Writing circuit graphs.
#include "analysis/circuits/graph_export.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "analysis/core/error.h"

namespace varve {
namespace {

using Json = nlohmann::ordered_json;

struct Edge {
  std::string source, node, input;  // node without <q>
  double score = 0;
  bool in = true;
  std::string name() const { return source + "->" + node + (input.empty() ? "" : "<" + input + ">"); }
};

std::vector<Edge> edges_of(const Dataset& result) {
  if (!result.has("scores") || !result.coord("src") || !result.coord("dst"))
    fail("this result has no edge scores; export a cell of edge-attribution or circuit");
  const Array& scores = result["scores"];
  if (scores.axes() != std::vector<std::string>{"src", "dst"})
    fail("this result holds the graphs of several steps; export the cell of one (varve info lists keys)");
  const Array &src = *result.coord("src"), &dst = *result.coord("dst");
  const bool chosen = result.has("in_circuit"), real = result.has("real_edge");
  std::vector<Edge> edges;
  for (int64_t i = 0; i < scores.size(); ++i) {
    Edge edge{src.text(i / dst.size()), dst.text(i % dst.size()), "", scores.number(i), true};
    if (chosen) edge.in = result["in_circuit"].number(i) > 0;
    if (const size_t open = edge.node.find('<'); open != std::string::npos) {
      edge.input = edge.node.substr(open + 1, 1);
      edge.node.resize(open);
    }
    if (real ? result["real_edge"].number(i) > 0 : edge.in || edge.score != 0)
      edges.push_back(std::move(edge));
  }
  return edges;
}

int64_t layer_of(const std::string& node, int64_t layers) {
  if (node == "input") return 0;
  if (node == "logits") return layers;
  return std::stoll(node.substr(1));
}

int64_t layers_in(const Dataset& result) {
  int64_t layers = 0;
  const Array& src = *result.coord("src");
  for (int64_t i = 0; i < src.size(); ++i)
    if (src.text(i)[0] == 'm') layers = std::max(layers, layer_of(src.text(i), 0) + 1);
  return layers;
}

std::vector<std::string> tokens_of(const Dataset& result) {
  std::vector<std::string> tokens;
  if (!result.has("token_text") || !result.has("lengths")) return tokens;
  const auto length = static_cast<int64_t>(result["lengths"].number(0));
  for (int64_t i = 0; i < length; ++i) tokens.push_back(result["token_text"].text(i));
  return tokens;
}

std::string provenance(const Dataset& result, const char* key) {
  const auto found = result.provenance.find(key);
  return found == result.provenance.end() ? "" : found->second;
}

}  // namespace

std::string edges_csv(const Dataset& result) {
  std::string text = "source,target,input,score,in_circuit\n";
  for (const Edge& edge : edges_of(result))
    text += fmt::format("{},{},{},{},{}\n", edge.source, edge.node, edge.input, edge.score, edge.in ? 1 : 0);
  return text;
}

std::string eap_graph_json(const Dataset& result) {
  const std::vector<Edge> all = edges_of(result);
  const int64_t layers = layers_in(result), sources = result.coord("src")->size();
  // A sequential block's heads feed their own MLP, a parallel one's do not.
  const bool sequential = std::any_of(all.begin(), all.end(), [&](const Edge& edge) {
    return edge.source.starts_with("a0.") && edge.node == "m0";
  });
  Json nodes = Json::object(), edges = Json::object();
  for (int64_t i = 0; i < sources; ++i) nodes[result.coord("src")->text(i)] = {{"in_graph", false}};
  nodes["logits"] = {{"in_graph", false}};
  for (const Edge& edge : all) {
    edges[edge.name()] = {{"score", edge.score}, {"in_graph", edge.in}};
    if (!edge.in) continue;
    nodes[edge.source]["in_graph"] = true;
    nodes[edge.node]["in_graph"] = true;
  }
  const Json graph = {{"cfg",
                       {{"n_layers", layers},
                        {"n_heads", layers > 0 ? (sources - 1) / layers - 1 : 0},
                        {"parallel_attn_mlp", !sequential}}},
                      {"nodes", nodes},
                      {"edges", edges}};
  return graph.dump(1) + "\n";
}

std::string attribution_graph_json(const Dataset& result) {
  const std::vector<std::string> tokens = tokens_of(result);
  const int64_t layers = layers_in(result),
                last = std::max<int64_t>(0, static_cast<int64_t>(tokens.size()) - 1);
  std::map<std::pair<std::string, std::string>, double> weights;
  std::map<std::string, double> influence;
  double all = 0;
  for (const Edge& edge : edges_of(result)) {
    if (!edge.in) continue;
    weights[{edge.source, edge.node}] += edge.score;
    influence[edge.source] += std::abs(edge.score);
    influence.emplace(edge.node, 0.0);
    all += std::abs(edge.score);
  }
  Json nodes = Json::array(), links = Json::array();
  for (const auto& [name, sum] : influence) {
    const char* const kind = name == "input"    ? "embedding"
                             : name == "logits" ? "logit"
                             : name[0] == 'a'   ? "attention head"
                                                : "mlp";
    nodes.push_back({{"node_id", name},
                     {"feature", nullptr},
                     {"layer", name == "input" ? Json("E") : Json(std::to_string(layer_of(name, layers)))},
                     {"ctx_idx", last},
                     {"feature_type", kind},
                     {"jsNodeId", name},
                     {"clerp", name},
                     {"influence", all > 0 ? sum / all : 0},
                     {"activation", nullptr}});
  }
  for (const auto& [ends, weight] : weights)
    links.push_back({{"source", ends.first}, {"target", ends.second}, {"weight", weight}});
  std::string prompt;
  for (const std::string& token : tokens) prompt += token;
  const Json settings = Json::parse(provenance(result, "settings"), nullptr, false);
  const Json graph = {{"metadata",
                       {{"slug", provenance(result, "key")},
                        {"scan", provenance(result, "analysis")},
                        {"prompt", prompt},
                        {"prompt_tokens", tokens},
                        {"node_threshold", 1.0},
                        {"generator", {{"name", "varve"}, {"version", provenance(result, "varve")}}},
                        {"generation_settings", settings.is_discarded() ? Json::object() : settings},
                        {"pruning_settings", {{"positions", "summed"}}}}},
                      {"nodes", nodes},
                      {"links", links},
                      {"qParams", {{"pinnedIds", Json::array()}, {"supernodes", Json::array()}}}};
  return graph.dump(1) + "\n";
}

}  // namespace varve
