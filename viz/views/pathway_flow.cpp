// Pathways as streams: samples flow from layer to layer through the item that each is nearest to there,
// coloured by group.
#include <algorithm>
#include <cmath>
#include <memory>
#include <tuple>

#include "viz/alluvium.h"
#include "viz/draw/marks.h"
#include "viz/pick.h"
#include "viz/view.h"

namespace varve {
namespace {

struct Options {
  std::string array, groups, at;
  int64_t most = 8;
  template <class Visit>
  void each(Visit&& visit) {
    visit("array", array,
          "whole numbers along layer and prompt, such as each sample's first expert; empty: the first there "
          "is");
    visit("groups", groups,
          "texts along prompt that colour the samples; empty: sample_group, where there is one");
    visit("most", most, "how many nodes of a layer are drawn by themselves", Range{1, 64});
    visit("at", at, "what to show of the other axes, as in step=3; else what is selected");
  }
};

constexpr Font label_font{7.5, Face::sans}, bold_font{7.5, Face::sans_bold};

std::string default_array(const Dataset& data) {
  for (const auto& [name, array] : data.arrays())
    if (array.dtype() == Dtype::i64 && array.unit == "expert" && array.axis("layer") &&
        array.axis("prompt") && !array.axis("pos"))
      return name;
  return "";
}

struct Scene {
  std::string name, words;  // words: of an item, "E"
  std::vector<std::string> layers, groups;
  Alluvium flow;
  Places fixed;
};

Scene scene_of(const Dataset& data, const Options& options, const Selection& selection) {
  Scene scene;
  scene.name = options.array.empty() ? default_array(data) : options.array;
  if (scene.name.empty()) return scene;
  const Array& array = array_named(data, scene.name, "pathway-flow");
  if (array.dtype() != Dtype::i64 || !array.axis("layer") || !array.axis("prompt"))
    fail_usage("pathway-flow: '{}' holds no whole numbers along layer and prompt; try the view heat-map",
               scene.name);
  const Array slice = sliced_in_order(array, {"layer", "prompt"}, data,
                                      parse_places(options.at, data, "pathway-flow"), selection, scene.fixed);
  const int64_t layers = slice.shape()[0], samples = slice.shape()[1];
  std::vector<int64_t> groups(static_cast<size_t>(samples), 0);
  const std::string by = options.groups.empty() ? "sample_group" : options.groups;
  if (data.has(by) && data[by].dtype() == Dtype::text &&
      data[by].axes() == std::vector<std::string>{"prompt"}) {
    for (const std::string& label : data[by].as<std::string>())
      if (!label.empty()) scene.groups.push_back(label);
    std::sort(scene.groups.begin(), scene.groups.end());
    scene.groups.erase(std::unique(scene.groups.begin(), scene.groups.end()), scene.groups.end());
    for (int64_t i = 0; i < samples; ++i) {
      const std::string label = data[by].text(i);
      const auto found = std::lower_bound(scene.groups.begin(), scene.groups.end(), label);
      groups[static_cast<size_t>(i)] = label.empty() ? -1 : found - scene.groups.begin();
    }
  } else if (!options.groups.empty()) {
    array_named(data, by, "pathway-flow");
    fail_usage("pathway-flow: '{}' holds no text along prompt", by);
  }
  if (scene.groups.empty()) scene.groups = {"all samples"};
  std::vector<std::vector<int64_t>> items(static_cast<size_t>(layers));
  for (int64_t layer = 0; layer < layers; ++layer)
    for (int64_t i = 0; i < samples; ++i)
      items[static_cast<size_t>(layer)].push_back(static_cast<int64_t>(slice.number(layer * samples + i)));
  scene.layers = names_along(data, "layer", layers);
  scene.flow = alluvium_of(items, groups, static_cast<int64_t>(scene.groups.size()), options.most);
  scene.words = array.unit == "expert" ? "E" : "";
  return scene;
}

std::string node_name(const Scene& scene, const FlowNode& node) {
  return node.item == other_node ? "rest" : scene.words + std::to_string(node.item);
}

// Where everything lies.
struct Stream {
  double x0 = 0, x1 = 0, from_top = 0, from_bottom = 0, to_top = 0, to_bottom = 0;
  size_t column = 0;
  FlowRibbon ribbon;
  // Ease in and out, so that streams leave and arrive level.
  double at(double x, double from, double to) const {
    const double t = std::clamp((x - x0) / std::max(1e-9, x1 - x0), 0.0, 1.0);
    return from + (to - from) * t * t * (3 - 2 * t);
  }
};
struct Plan {
  std::vector<std::vector<Box>> nodes;
  std::vector<Stream> streams;
  Box plot;
};

Plan plan_of(const Scene& scene, Box plot) {
  Plan plan;
  plan.plot = plot;
  constexpr double node_width = 12, gap = 6;
  const size_t columns = scene.flow.columns.size();
  size_t most_nodes = 1;
  for (const auto& nodes : scene.flow.columns) most_nodes = std::max(most_nodes, nodes.size());
  const double spare = std::min(gap * static_cast<double>(most_nodes - 1), plot.h / 3);
  const double each_gap = most_nodes > 1 ? spare / static_cast<double>(most_nodes - 1) : 0;
  const double unit = (plot.h - spare) / static_cast<double>(std::max<int64_t>(1, scene.flow.samples));
  for (size_t c = 0; c < columns; ++c) {
    const double x =
        plot.x +
        (columns > 1 ? (plot.w - node_width) * static_cast<double>(c) / static_cast<double>(columns - 1) : 0);
    double y = plot.y;
    std::vector<Box>& boxes = plan.nodes.emplace_back();
    for (const FlowNode& node : scene.flow.columns[c]) {
      boxes.push_back({x, y, node_width, unit * static_cast<double>(node.total)});
      y = boxes.back().bottom() + each_gap;
    }
  }
  for (size_t c = 0; c + 1 < columns; ++c) {
    // At a node streams lie by group, and within a group by where they come from or go to.
    std::vector<FlowRibbon> ribbons = scene.flow.ribbons[c];
    std::vector<double> left, right;
    for (const Box& box : plan.nodes[c]) left.push_back(box.y);
    for (const Box& box : plan.nodes[c + 1]) right.push_back(box.y);
    const size_t first = plan.streams.size();
    const auto before = [](int64_t a1, int64_t a2, int64_t a3, int64_t b1, int64_t b2, int64_t b3) {
      return std::tie(a1, a2, a3) < std::tie(b1, b2, b3);
    };
    std::sort(ribbons.begin(), ribbons.end(), [&](const FlowRibbon& a, const FlowRibbon& b) {
      return before(a.from, a.group, a.to, b.from, b.group, b.to);
    });
    for (const FlowRibbon& ribbon : ribbons) {
      Stream stream;
      stream.column = c;
      stream.ribbon = ribbon;
      stream.x0 = plan.nodes[c][static_cast<size_t>(ribbon.from)].right();
      stream.x1 = plan.nodes[c + 1][static_cast<size_t>(ribbon.to)].x;
      stream.from_top = left[static_cast<size_t>(ribbon.from)];
      stream.from_bottom = left[static_cast<size_t>(ribbon.from)] += unit * static_cast<double>(ribbon.count);
      plan.streams.push_back(stream);
    }
    std::sort(plan.streams.begin() + static_cast<std::ptrdiff_t>(first), plan.streams.end(),
              [&](const Stream& a, const Stream& b) {
                return before(a.ribbon.to, a.ribbon.group, a.ribbon.from, b.ribbon.to, b.ribbon.group,
                              b.ribbon.from);
              });
    for (size_t i = first; i < plan.streams.size(); ++i) {
      Stream& stream = plan.streams[i];
      double& y = right[static_cast<size_t>(stream.ribbon.to)];
      stream.to_top = y;
      stream.to_bottom = y += unit * static_cast<double>(stream.ribbon.count);
    }
  }
  return plan;
}

void draw_stream(const Stream& stream, Color color, Canvas& canvas) {
  color.a = 96;
  // One outline: quads beside each other would show their blended edges as stripes.
  constexpr int parts = 24;
  std::vector<Point> outline;
  for (int i = 0; i <= parts; ++i) {
    const double x = stream.x0 + (stream.x1 - stream.x0) * i / parts;
    outline.push_back({x, stream.at(x, stream.from_top, stream.to_top)});
  }
  for (int i = parts; i >= 0; --i) {
    const double x = stream.x0 + (stream.x1 - stream.x0) * i / parts;
    outline.push_back({x, stream.at(x, stream.from_bottom, stream.to_bottom)});
  }
  canvas.polygon(outline, color);
}

void draw_nodes(const Scene& scene, const Plan& plan, const Theme& theme, Canvas& canvas) {
  for (size_t c = 0; c < plan.nodes.size(); ++c) {
    const Box top = plan.nodes[c].empty() ? Box{plan.plot.x, plan.plot.y, 0, 0} : plan.nodes[c].front();
    canvas.text({top.x + top.w / 2, plan.plot.y - 14}, "L" + scene.layers[c], bold_font, theme.ink2,
                Align::center);
    for (size_t i = 0; i < plan.nodes[c].size(); ++i) {
      const FlowNode& node = scene.flow.columns[c][i];
      const Box box = plan.nodes[c][i];
      double y = box.y;
      for (size_t g = 0; g < node.counts.size(); ++g) {
        const double h = node.total > 0
                             ? box.h * static_cast<double>(node.counts[g]) / static_cast<double>(node.total)
                             : 0;
        if (h > 0)
          canvas.fill({box.x, y, box.w, h}, node.item == other_node ? theme.strong : theme.category[g % 10]);
        y += h;
      }
      if (box.h < 9) continue;
      const std::string name = node_name(scene, node);
      const double wide = canvas.text_width(name, label_font) + 6;
      const Box plate{box.x - wide - 2, box.y + box.h / 2 - 6.5, wide, 13};
      if (c > 0) canvas.fill(plate, theme.canvas, 3);
      canvas.text({plate.x + wide / 2, plate.y + 6.5}, name, label_font, theme.ink2, Align::center);
    }
  }
}

// Names of the groups at the right, where their streams end.
void draw_groups(const Scene& scene, const Plan& plan, const Look& look, Canvas& canvas) {
  if (plan.nodes.empty()) return;
  std::vector<std::pair<double, size_t>> places;
  for (size_t g = 0; g < scene.groups.size(); ++g) {
    double sum = 0, n = 0;
    for (size_t i = 0; i < plan.nodes.back().size(); ++i) {
      const double count = static_cast<double>(scene.flow.columns.back()[i].counts[g]);
      // The node that holds most of the group pulls hardest.
      sum += count * count * (plan.nodes.back()[i].y + plan.nodes.back()[i].h / 2);
      n += count * count;
    }
    if (n > 0) places.emplace_back(sum / n, g);
  }
  std::sort(places.begin(), places.end());
  double before = -1e9;
  for (auto& [y, g] : places) {
    y = std::max(y, before + 13);
    before = y;
    const double x = plan.plot.right() + 9;
    canvas.text({x, y}, elide(canvas, scene.groups[g], bold_font, look.area.right() - x - 2), bold_font,
                look.theme->category_text[g % 10]);
  }
}

std::optional<Hit> hit_at(const Scene& scene, const Plan& plan, Point p) {
  for (size_t c = 0; c < plan.nodes.size(); ++c)
    for (size_t i = 0; i < plan.nodes[c].size(); ++i) {
      if (!plan.nodes[c][i].holds(p)) continue;
      const FlowNode& node = scene.flow.columns[c][i];
      Hit hit;
      hit.mark = plan.nodes[c][i];
      hit.at = scene.fixed;
      hit.at["layer"] = static_cast<int64_t>(c);
      if (node.item >= 0) hit.at["expert"] = node.item;
      hit.tip = {{fmt::format("L{} {}", scene.layers[c], node_name(scene, node)), ""},
                 {"samples", std::to_string(node.total)}};
      for (size_t g = 0; g < node.counts.size(); ++g)
        hit.tip.push_back(
            {scene.groups[g], std::to_string(node.counts[g]),
             node.total > 0 ? static_cast<double>(node.counts[g]) / static_cast<double>(node.total) : 0});
      hit.spoken =
          fmt::format("layer {}, {}: {} samples", scene.layers[c], node_name(scene, node), node.total);
      return hit;
    }
  for (const Stream& stream : plan.streams) {
    if (p.x < stream.x0 || p.x > stream.x1) continue;
    const double top = stream.at(p.x, stream.from_top, stream.to_top),
                 bottom = stream.at(p.x, stream.from_bottom, stream.to_bottom);
    if (p.y < top || p.y > bottom) continue;
    const FlowNode &from = scene.flow.columns[stream.column][static_cast<size_t>(stream.ribbon.from)],
                   &to = scene.flow.columns[stream.column + 1][static_cast<size_t>(stream.ribbon.to)];
    Hit hit;
    hit.mark = {stream.x0, top, stream.x1 - stream.x0, std::max(1.0, bottom - top)};
    hit.at = scene.fixed;
    hit.at["layer"] = static_cast<int64_t>(stream.column);
    const std::string way = fmt::format("{} to {}", node_name(scene, from), node_name(scene, to));
    const std::string& group = scene.groups[static_cast<size_t>(stream.ribbon.group)];
    hit.tip = {{fmt::format("L{} {}", scene.layers[stream.column], way), ""},
               {group, std::to_string(stream.ribbon.count)}};
    hit.spoken = fmt::format("layer {}, {}: {} samples of {}", scene.layers[stream.column], way,
                             stream.ribbon.count, group);
    return hit;
  }
  return std::nullopt;
}

Drawn draw(const Dataset& data, const SettingValues& values, const Selection& selection, const Look& look,
           Canvas& canvas) {
  const Options options = read_settings<Options>(values, "pathway-flow");
  const Theme& theme = *look.theme;
  const auto scene = std::make_shared<Scene>(scene_of(data, options, selection));
  Drawn drawn;
  if (scene->flow.samples == 0 || scene->flow.columns.empty()) {
    draw_empty(canvas, theme, look.area, "This result does not say through which expert each sample goes.");
    return drawn;
  }
  const Box a = look.area;
  const bool has_words = a.w >= 260 && a.h >= 140;
  Box plot = has_words ? Box{a.x + 46, a.y + 30, a.w - 46 - 110, a.h - 30 - 16} : a;
  plot = {moved_x(look, plot.x), moved_y(look, plot.y), std::max(1.0, plot.w * look.zoom),
          std::max(1.0, plot.h * look.zoom_down())};
  const auto plan = std::make_shared<Plan>(plan_of(*scene, plot));
  canvas.push_clip(a);
  for (const Stream& stream : plan->streams)
    draw_stream(stream, theme.category[static_cast<size_t>(stream.ribbon.group) % 10], canvas);
  draw_nodes(*scene, *plan, theme, canvas);
  if (has_words) draw_groups(*scene, *plan, look, canvas);
  drawn.where = [scene, plan](const Selection& s) -> std::optional<Box> {
    const auto layer = s.index("layer"), expert = s.index("expert");
    if (!layer || !expert || *layer < 0 || static_cast<size_t>(*layer) >= plan->nodes.size())
      return std::nullopt;
    const auto& nodes = scene->flow.columns[static_cast<size_t>(*layer)];
    for (size_t i = 0; i < nodes.size(); ++i)
      if (nodes[i].item == *expert) return plan->nodes[static_cast<size_t>(*layer)][i];
    return std::nullopt;
  };
  if (const auto box = drawn.where(selection)) draw_selection(canvas, theme, *box);
  canvas.pop_clip();
  drawn.header = said(data, scene->fixed) + (scene->fixed.empty() ? "" : " · ") +
                 fmt::format("{} samples · each stream: samples with the same first expert in both layers",
                             scene->flow.samples);
  drawn.hit = [scene, plan, a](Point p) { return a.holds(p) ? hit_at(*scene, *plan, p) : std::nullopt; };
  return drawn;
}

Dataset drawn_data(const Dataset& data, const SettingValues& values, const Selection& selection) {
  const Scene scene = scene_of(data, read_settings<Options>(values, "pathway-flow"), selection);
  Dataset out;
  out.title = data.title;
  out.provenance = data.provenance;
  std::vector<std::string> layer, from, to, group;
  std::vector<int64_t> count;
  for (size_t c = 0; c < scene.flow.ribbons.size(); ++c)
    for (const FlowRibbon& ribbon : scene.flow.ribbons[c]) {
      layer.push_back("L" + scene.layers[c]);
      from.push_back(node_name(scene, scene.flow.columns[c][static_cast<size_t>(ribbon.from)]));
      to.push_back(node_name(scene, scene.flow.columns[c + 1][static_cast<size_t>(ribbon.to)]));
      group.push_back(scene.groups[static_cast<size_t>(ribbon.group)]);
      count.push_back(ribbon.count);
    }
  const auto rows = static_cast<int64_t>(count.size());
  if (rows == 0) return out;
  out.set("layer_from", Array({"row"}, {rows}, layer));
  out.set("from", Array({"row"}, {rows}, from));
  out.set("to", Array({"row"}, {rows}, to));
  out.set("group", Array({"row"}, {rows}, group));
  out.set("samples", Array({"row"}, {rows}, count));
  if (!scene.fixed.empty()) out.notes.push_back(said(data, scene.fixed));
  return out;
}

std::vector<FreeAxis> free_axes(const Dataset& data, const SettingValues& values,
                                const Selection& selection) {
  const Scene scene = scene_of(data, read_settings<Options>(values, "pathway-flow"), selection);
  std::vector<FreeAxis> axes;
  for (const auto& [axis, index] : scene.fixed)
    if (data.extent(axis) > 1) axes.push_back({axis, data.extent(axis), index, name_at(data, axis, index)});
  return axes;
}

}  // namespace

void add_pathway_flow(ViewCatalog& catalog) {
  View view;
  view.name = "pathway-flow";
  view.summary = "samples flowing through the experts, layer by layer";
  view.help =
      "A column a layer, a node an expert: its height is how many samples have it first there. Streams join "
      "the experts of "
      "neighbouring layers and carry the colour of the samples' group; nodes are ordered so that few streams "
      "cross. Small "
      "nodes are put together as the rest. The selected step is shown, else the last.";
  view.options = declared_settings<Options>();
  view.fit = [](const Dataset& data) {
    if (default_array(data).empty()) return 0.0;
    return data.has("sample_group") ? 4.8
                                    : 3.5;  // a result that says whose samples they are is about their ways
  };
  view.draw = draw;
  view.drawn_data = drawn_data;
  view.free_axes = free_axes;
  catalog.add(std::move(view));
}

}  // namespace varve
