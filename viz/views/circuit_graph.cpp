// A circuit as a graph: input at the bottom, logits on top, a row a layer, and the strongest edges between.
#include <algorithm>
#include <cmath>
#include <memory>

#include "viz/choice.h"
#include "viz/circuit_scene.h"
#include "viz/draw/marks.h"

namespace varve {
namespace {

constexpr Font label_font{7, Face::mono}, word_font{7.5, Face::sans};

// Where everything lies. Heads keep the order of their numbers; the MLP stands right of them, half a row
// higher where it reads the heads of its own layer.
struct Plan {
  Box plot;
  int64_t layers = 1, heads = 1;
  double lift = 0;  // of an MLP, in rows
  double slot() const { return plot.w / static_cast<double>(heads + 1); }
  double line() const { return plot.h / static_cast<double>(layers + 2); }
  Point at(const CircuitNode& node) const {
    const int64_t row = node.row == circuit_logits ? layers : node.row;
    const bool is_end = node.row == circuit_input || node.row == circuit_logits;
    const double column = is_end
                              ? static_cast<double>(heads + 1) / 2
                              : static_cast<double>(node.column == circuit_mlp ? heads : node.column) + 0.5;
    const double raised = static_cast<double>(row) + (!is_end && node.column == circuit_mlp ? lift : 0);
    return {plot.x + column * slot(), plot.bottom() - (raised + 1.5) * line()};
  }
  Box box(const CircuitNode& node) const {
    const bool is_end = node.row == circuit_input || node.row == circuit_logits;
    const double w = std::min(44.0, std::max(4.0, (is_end ? 44 : slot()) - 4)),
                 h = std::min(15.0, std::max(4.0, line() * (lift > 0 ? 0.5 : 1) - 3));
    const Point p = at(node);
    return {p.x - w / 2, p.y - h / 2, w, h};
  }
};

// Where blocks run one after the other, heads feed the MLP of their own layer.
double lift_of(const CircuitScene& scene) {
  for (const CircuitEdge& edge : scene.edges) {
    const CircuitNode &from = scene.sources[static_cast<size_t>(edge.source)],
                      &to = scene.destinations[static_cast<size_t>(edge.destination)];
    if (from.row == to.row && from.column != circuit_mlp && to.column == circuit_mlp) return 0.5;
  }
  return 0;
}

struct Curve {
  std::vector<Point> points;
  CircuitEdge edge;
};

Curve curve_of(const CircuitScene& scene, const Plan& plan, const CircuitEdge& edge) {
  const Box from = plan.box(scene.sources[static_cast<size_t>(edge.source)]),
            to = plan.box(scene.destinations[static_cast<size_t>(edge.destination)]);
  const Point a{from.x + from.w / 2, from.y}, b{to.x + to.w / 2, to.bottom()};
  Curve curve{{}, edge};
  constexpr int parts = 24;
  for (int i = 0; i <= parts; ++i) {
    const double t = static_cast<double>(i) / parts;
    curve.points.push_back({a.x + (b.x - a.x) * t * t * (3 - 2 * t), a.y + (b.y - a.y) * t});
  }
  return curve;
}

Color color_of(const CircuitScene& scene, const CircuitEdge& edge, const Theme& theme) {
  if (scene.compares)
    return edge.side == EdgeSide::both ? theme.strong : theme.category[edge.side == EdgeSide::now ? 0 : 1];
  return color_map("tide", theme).at(edge.score > 0 ? 0.85 : 0.15);
}

double width_of(const CircuitScene& scene, const CircuitEdge& edge) {
  const double score = std::abs(edge.side == EdgeSide::before ? edge.before : edge.score);
  return 1 + 3.5 * (scene.largest > 0 ? score / scene.largest : 0);
}

void draw_key(const CircuitScene& scene, const Theme& theme, Box line, Canvas& canvas) {
  std::vector<std::pair<Color, std::string>> parts;
  const ColorMap& tide = color_map("tide", theme);
  if (scene.compares) {
    const auto count = [&](EdgeSide side) {
      return std::count_if(scene.edges.begin(), scene.edges.end(),
                           [side](const CircuitEdge& e) { return e.side == side; });
    };
    parts = {{theme.strong, fmt::format("both {}", count(EdgeSide::both))},
             {theme.category[1], fmt::format("only {}: {}", scene.compared, count(EdgeSide::before))},
             {theme.category[0], fmt::format("only now: {}", count(EdgeSide::now))}};
  } else {
    parts = {{tide.at(0.85), "score above 0"}, {tide.at(0.15), "below 0"}};
  }
  double x = line.x;
  for (const auto& [color, words] : parts) {
    const double wide = canvas.text_width(words, word_font);
    if (x + 20 + wide > line.right()) return;
    canvas.fill({x, line.y + line.h / 2 - 1.5, 14, 3}, color);
    canvas.text({x + 18, line.y + line.h / 2}, words, word_font, theme.ink2);
    x += wide + 34;
  }
}

Hit node_hit(const CircuitScene& scene, const Plan& plan, const CircuitNode& node) {
  Hit hit;
  hit.mark = plan.box(node);
  hit.at = scene.fixed;
  if (node.row >= 0 && node.row != circuit_logits) hit.at["layer"] = node.row;
  if (node.column >= 0) hit.at["head"] = node.column;
  int64_t in = 0, out = 0;
  for (const CircuitEdge& edge : scene.edges) {
    out += scene.sources[static_cast<size_t>(edge.source)] == node ? 1 : 0;
    in += scene.destinations[static_cast<size_t>(edge.destination)] == node ? 1 : 0;
  }
  hit.tip = {{node_label(node), ""}, {"edges in", std::to_string(in)}, {"edges out", std::to_string(out)}};
  hit.spoken = fmt::format("{}: {} edges in, {} out", node_label(node), in, out);
  return hit;
}

std::optional<Hit> hit_at(const CircuitScene& scene, const Plan& plan, const std::vector<Curve>& curves,
                          Point p) {
  for (const CircuitNode& node : scene.all)
    if (plan.box(node).holds(p)) return node_hit(scene, plan, node);
  for (auto curve = curves.rbegin(); curve != curves.rend(); ++curve)
    for (const Point& q : curve->points) {
      const double reach = std::max(4.0, plan.line() / 20);
      if (std::hypot(p.x - q.x, p.y - q.y) > reach) continue;
      const CircuitEdge& edge = curve->edge;
      Hit hit;
      hit.mark = {q.x - reach, q.y - reach, 2 * reach, 2 * reach};
      hit.at = scene.fixed;
      const std::string way = scene.source_names[static_cast<size_t>(edge.source)] + " → " +
                              scene.destination_names[static_cast<size_t>(edge.destination)];
      hit.tip = {{way, ""},
                 {scene.unit.empty() ? "score" : "score, " + scene.unit, fmt::format("{:.9g}", edge.score)}};
      if (scene.compares) hit.tip.push_back({scene.compared, fmt::format("{:.9g}", edge.before)});
      hit.spoken = fmt::format("{}: score {}", way, spoken_number(edge.score));
      return hit;
    }
  return std::nullopt;
}

Drawn draw(const Dataset& data, const SettingValues& values, const Selection& selection, const Look& look,
           Canvas& canvas) {
  const Theme& theme = *look.theme;
  const auto scene = std::make_shared<CircuitScene>(
      circuit_scene(data, read_settings<CircuitOptions>(values, "circuit-graph"), selection));
  Drawn drawn;
  if (scene->name.empty()) {
    draw_empty(canvas, theme, look.area, "This result holds no scores of edges between heads and MLPs.");
    return drawn;
  }
  const Box a = look.area;
  const bool has_words = a.w >= 260 && a.h >= 140;
  Box plot = has_words ? Box{a.x + 34, a.y + 22, a.w - 40, a.h - 26} : a;
  plot = {moved_x(look, plot.x), moved_y(look, plot.y), std::max(1.0, plot.w * look.zoom),
          std::max(1.0, plot.h * look.zoom_down())};
  const auto plan = std::make_shared<Plan>(
      Plan{plot, std::max<int64_t>(1, scene->layers), std::max<int64_t>(1, scene->heads), lift_of(*scene)});
  const auto curves = std::make_shared<std::vector<Curve>>();
  canvas.push_clip(a);
  for (int64_t layer = 0; layer < scene->layers; ++layer) {
    const double y = plan->at({layer, 0}).y;
    canvas.line({plot.x, y}, {plot.right(), y}, theme.grid);
    if (has_words && plan->line() >= 10)
      canvas.text({plot.x - 6, y}, std::to_string(layer), word_font, theme.ink3, Align::right);
  }
  for (const CircuitEdge& edge : scene->edges) {
    curves->push_back(curve_of(*scene, *plan, edge));
    canvas.polyline(curves->back().points, color_of(*scene, edge, theme), width_of(*scene, edge));
  }
  for (const CircuitNode& node : scene->all) {
    const Box box = plan->box(node);
    if (!scene->used.count(node)) {
      const Point p = plan->at(node);
      canvas.fill({p.x - 1.5, p.y - 1.5, 3, 3}, theme.hair);
      continue;
    }
    const double radius = node.column == circuit_mlp ? 0 : 3;
    canvas.fill(box, theme.canvas, radius);
    canvas.frame(box, theme.strong, 1, radius);
    const std::string label = node_label(node);
    if (box.h >= 10 && canvas.text_width(label, label_font) <= box.w)
      canvas.text({box.x + box.w / 2, box.y + box.h / 2}, label, label_font, theme.ink, Align::center);
  }
  drawn.where = [scene, plan](const Selection& s) -> std::optional<Box> {
    const auto layer = s.index("layer"), head = s.index("head");
    if (!layer || !head || !scene->all.count({*layer, *head})) return std::nullopt;
    return plan->box({*layer, *head});
  };
  if (const auto box = drawn.where(selection)) draw_selection(canvas, theme, *box);
  canvas.pop_clip();
  if (has_words) draw_key(*scene, theme, {a.x + 6, a.y + 2, a.w - 12, 14}, canvas);
  const std::string where = said(data, scene->fixed);
  drawn.header = fmt::format("{}{}{} of {} edges drawn, the strongest on a way from input to logits", where,
                             where.empty() ? "" : " · ", scene->edges.size(), scene->there);
  drawn.hit = [scene, plan, curves, a](Point p) {
    return a.holds(p) ? hit_at(*scene, *plan, *curves, p) : std::nullopt;
  };
  return drawn;
}

Dataset drawn_data(const Dataset& data, const SettingValues& values, const Selection& selection) {
  const CircuitScene scene =
      circuit_scene(data, read_settings<CircuitOptions>(values, "circuit-graph"), selection);
  Dataset out;
  out.title = data.title;
  out.provenance = data.provenance;
  std::vector<std::string> from, to;
  std::vector<double> score, before;
  for (auto edge = scene.edges.rbegin(); edge != scene.edges.rend(); ++edge) {
    from.push_back(scene.source_names[static_cast<size_t>(edge->source)]);
    to.push_back(scene.destination_names[static_cast<size_t>(edge->destination)]);
    score.push_back(edge->score);
    before.push_back(edge->before);
  }
  const auto rows = static_cast<int64_t>(score.size());
  if (rows == 0) return out;
  const auto numbers = [&](const char* name, std::vector<double> column) {
    Array array({"row"}, {rows}, std::move(column));
    array.unit = scene.unit;
    out.set(name, std::move(array));
  };
  out.set("from", Array({"row"}, {rows}, from));
  out.set("to", Array({"row"}, {rows}, to));
  numbers("score", score);
  if (scene.compares) numbers("score_before", before);
  if (!scene.fixed.empty()) out.notes.push_back(said(data, scene.fixed));
  return out;
}

std::vector<FreeAxis> free_axes(const Dataset& data, const SettingValues& values,
                                const Selection& selection) {
  return free_axes_of(
      data, circuit_scene(data, read_settings<CircuitOptions>(values, "circuit-graph"), selection).fixed);
}

}  // namespace

void add_circuit_graph(ViewCatalog& catalog) {
  View view;
  view.name = "circuit-graph";
  view.summary = "the strongest edges between input, heads, MLPs and logits";
  view.help =
      "A row a layer, heads by their number, the MLP right of them. Width is |score| in the result's unit, "
      "colour its sign, or with before which of two steps has the edge. Edges on no way from input to logits "
      "are left out. Example: varve plot circuit.h5 --view circuit-graph --set size=60 -o circuit.svg";
  view.options = declared_settings<CircuitOptions>();
  view.fit = [](const Dataset& data) { return has_circuit(data) ? 6.0 : 0.0; };
  view.draw = draw;
  view.drawn_data = drawn_data;
  view.free_axes = free_axes;
  catalog.add(std::move(view));
}

}  // namespace varve
