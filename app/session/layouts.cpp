// What each ready layout holds.
#include "app/session/layouts.h"

#include <utility>

namespace varve {

namespace {

using Which = ResultRef::Which;

class Maker {
 public:
  int64_t add(OpenView view) {
    view.id = bench_.next_id++;
    if (bench_.active == 0) bench_.active = view.id;
    bench_.views.push_back(std::move(view));
    return bench_.views.back().id;
  }
  int64_t add(const std::string& view, const std::string& analysis, Which which, SettingValues options = {}) {
    OpenView made;
    made.view = view;
    made.result = {.analysis = analysis, .which = which, .key = ""};
    made.options = std::move(options);
    return add(std::move(made));
  }
  Bench done(Tile tiles) {
    bench_.tiles = std::move(tiles);
    return std::move(bench_);
  }

 private:
  Bench bench_;
};

Tile row(int64_t left, int64_t right, double left_share) {
  return split_of(Tile::Kind::row, {group_of({left}), group_of({right})}, {left_share, 1 - left_share});
}

Tile column(Tile top, Tile bottom, double top_share) {
  return split_of(Tile::Kind::column, {std::move(top), std::move(bottom)}, {top_share, 1 - top_share});
}

Bench lens() {
  Maker maker;
  const int64_t table = maker.add("lens-table", "logit-lens", Which::cell);
  const int64_t map = maker.add("heat-map", "logit-lens", Which::steps, {{"x", "step"}, {"y", "layer"}});
  const int64_t curves = maker.add("lines", "logit-lens", Which::steps, {{"x", "layer"}, {"series", "step"}});
  Tile tiles = column(group_of({table}), row(map, curves, 496.0 / (496 + 358)), 0.62);
  tiles.is_fitted = true;
  return maker.done(std::move(tiles));
}

Bench circuits() {
  Maker maker;
  const int64_t heads = maker.add("heat-map", "head-detectors", Which::cell, {{"x", "head"}, {"y", "layer"}});
  const int64_t graph = maker.add("circuit-graph", "circuit", Which::cell);
  const int64_t tiles = maker.add("attention-tiles", "attention-patterns", Which::cell, {{"heads", "layer"}});
  return maker.done(column(row(heads, graph, 0.5), group_of({tiles}), 0.6));
}

Bench massive() {
  Maker maker;
  const std::string found = "massive-activations", fitted = "massive-activation-fit";
  const int64_t map =
      maker.add("heat-map", found, Which::series, {{"array", "ratio"}, {"x", "step"}, {"y", "layer"}});
  const int64_t fit = maker.add("lines", fitted, Which::series, {{"array", "ratio"}, {"x", "step"}});
  const int64_t values =
      maker.add("lines", found, Which::series,
                {{"array", "top1,top2,median"}, {"x", "layer"}, {"series", "none"}, {"log", "true"}});
  const int64_t quality =
      maker.add("heat-map", fitted, Which::series, {{"array", "ratio_r2"}, {"x", "model"}, {"y", "layer"}});
  return maker.done(column(row(map, fit, 0.5), row(values, quality, 0.5), 0.52));
}

Bench pathways() {
  Maker maker;
  const int64_t flow = maker.add("pathway-flow", "pathways", Which::series);
  const int64_t curves = maker.add("lines", "pathways", Which::series,
                                   {{"array", "distance_normalised"}, {"x", "step"}, {"series", "pairs"}});
  const int64_t scatter = maker.add("scatter", "metric-correlation", Which::series);
  return maker.done(column(group_of({flow}), row(curves, scatter, 472.0 / (472 + 382)), 0.6));
}

}  // namespace

const std::vector<LayoutInfo>& ready_layouts() {
  static const std::vector<LayoutInfo> all{
      {1, "Lens", "the lens table, and its quantity over training and over layers"},
      {2, "Circuits", "scores of all heads, the circuit between them, their attention"},
      {3, "Massive", "largest activations over training, the fit through them"},
      {4, "Pathways", "which experts tokens go through, and how far apart those are"},
      {5, "Compare", "the active view of A, of now, and now minus A"}};
  return all;
}

Bench ready_layout(int number) {
  switch (number) {
    case 1:
      return lens();
    case 2:
      return circuits();
    case 3:
      return massive();
    case 4:
      return pathways();
    default:
      return {};
  }
}

Bench compare_layout(const OpenView& view) {
  using Against = OpenView::Against;
  Maker maker;
  std::vector<Tile> parts;
  for (const Against against : {Against::pin, Against::now, Against::difference}) {
    OpenView one = view;
    one.against = against;
    one.own_step.reset();
    parts.push_back(group_of({maker.add(std::move(one))}));
  }
  return maker.done(split_of(Tile::Kind::row, std::move(parts), {1.0 / 3, 1.0 / 3, 1.0 / 3}));
}

}  // namespace varve
