// Reading and writing choices.
#include "app/session/choice_json.h"

#include <set>

#include <nlohmann/json.hpp>

#include "analysis/core/error.h"

namespace varve {

namespace {

using Json = nlohmann::json;
constexpr size_t most_views = 64;
constexpr int deepest_tile = 12;

template <class T>
T value_or(const Json& json, const char* name, T otherwise) {
  const auto found = json.find(name);
  if (found == json.end()) return otherwise;
  try {
    return found->template get<T>();
  } catch (const Json::exception&) {
    return otherwise;  // written by hand or by another version
  }
}

template <class T>
std::optional<T> maybe(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number()) return std::nullopt;
  return found->template get<T>();
}

Json part_of(const Json& json, const char* name, Json otherwise) {
  const auto found = json.find(name);
  return found != json.end() && found->type() == otherwise.type() ? *found : std::move(otherwise);
}

Json to_json(const Tile& tile) {
  if (tile.kind == Tile::Kind::group) return {{"views", tile.views}, {"front", tile.front}};
  Json parts = Json::array();
  for (const Tile& part : tile.parts) parts.push_back(to_json(part));
  Json json = {{tile.kind == Tile::Kind::row ? "row" : "column", parts}, {"shares", tile.shares}};
  if (tile.is_fitted) json["fitted"] = true;
  return json;
}

Tile tile_of(const Json& json, int depth) {
  if (!json.is_object() || depth > deepest_tile) return {};
  for (const auto& [name, kind] :
       {std::pair("row", Tile::Kind::row), std::pair("column", Tile::Kind::column)}) {
    if (!json.contains(name) || !json[name].is_array()) continue;
    std::vector<Tile> parts;
    for (const Json& part : json[name]) parts.push_back(tile_of(part, depth + 1));
    Tile tile = split_of(kind, std::move(parts), value_or(json, "shares", std::vector<double>{}));
    tile.is_fitted = value_or(json, "fitted", false) && tile.kind == kind;
    return tile;
  }
  Tile tile = group_of(value_or(json, "views", std::vector<int64_t>{}));
  bring_forward(tile, value_or<int64_t>(json, "front", tile.front));
  return tile;
}

constexpr std::pair<ResultRef::Which, const char*> which_names[] = {{ResultRef::Which::cell, "cell"},
                                                                    {ResultRef::Which::steps, "steps"},
                                                                    {ResultRef::Which::series, "series"},
                                                                    {ResultRef::Which::stored, "stored"}};
constexpr std::pair<OpenView::Against, const char*> against_names[] = {
    {OpenView::Against::now, "now"},
    {OpenView::Against::pin, "pin"},
    {OpenView::Against::difference, "difference"}};

template <class Value, size_t n>
std::string name_of_value(const std::pair<Value, const char*> (&names)[n], Value value) {
  for (const auto& [known, name] : names)
    if (known == value) return name;
  return names[0].second;
}
template <class Value, size_t n>
Value value_of_name(const std::pair<Value, const char*> (&names)[n], const std::string& name) {
  for (const auto& [value, known] : names)
    if (known == name) return value;
  return names[0].first;
}

Json to_json(const OpenView& view) {
  Json json = {{"id", view.id},
               {"view", view.view},
               {"analysis", view.result.analysis},
               {"which", name_of_value(which_names, view.result.which)}};
  if (!view.title.empty()) json["title"] = view.title;
  if (!view.result.key.empty()) json["key"] = view.result.key;
  if (!view.options.empty()) json["options"] = view.options;
  if (view.against != OpenView::Against::now) json["against"] = name_of_value(against_names, view.against);
  if (view.own_step) json["own_step"] = *view.own_step;
  if (view.own_layer) json["own_layer"] = *view.own_layer;
  if (view.pins_options) json["pins_options"] = true;
  return json;
}

OpenView view_of(const Json& json) {
  OpenView view;
  view.id = value_or<int64_t>(json, "id", 0);
  view.view = value_or<std::string>(json, "view", "");
  view.title = value_or<std::string>(json, "title", "");
  view.result.analysis = value_or<std::string>(json, "analysis", "");
  view.result.which = value_of_name(which_names, value_or<std::string>(json, "which", "cell"));
  view.result.key = value_or<std::string>(json, "key", "");
  view.options = value_or(json, "options", SettingValues{});
  view.against = value_of_name(against_names, value_or<std::string>(json, "against", "now"));
  view.own_step = maybe<int64_t>(json, "own_step");
  view.own_layer = maybe<int64_t>(json, "own_layer");
  view.pins_options = value_or(json, "pins_options", false);
  return view;
}

Json to_json(const Bench& bench) {
  Json json = {{"tiles", to_json(bench.tiles)},
               {"active", bench.active},
               {"filled", bench.filled},
               {"next_id", bench.next_id},
               {"views", Json::array()}};
  for (const OpenView& view : bench.views) json["views"].push_back(to_json(view));
  return json;
}

// Keeps only tiles and views that belong together.
void mend(Bench& bench) {
  std::set<int64_t> known;
  std::erase_if(bench.views,
                [&](const OpenView& view) { return view.id <= 0 || !known.insert(view.id).second; });
  std::set<int64_t> placed;
  for (const int64_t id : views_in(bench.tiles))
    if (!known.contains(id) || !placed.insert(id).second) {
      // A number that is nobody's, or twice: the arrangement cannot be trusted.
      bench.tiles = {};
      placed.clear();
      break;
    }
  for (const OpenView& view : bench.views) {
    if (!placed.contains(view.id)) insert(bench.tiles, view.id, 0, Edge::right);
    bench.next_id = std::max(bench.next_id, view.id + 1);
  }
  if (!known.contains(bench.active)) bench.active = bench.views.empty() ? 0 : bench.views.front().id;
  if (!known.contains(bench.filled)) bench.filled = 0;
}

Bench bench_from(const Json& json) {
  Bench bench;
  if (!json.is_object()) return bench;
  const Json all_views = part_of(json, "views", Json::array());
  for (const Json& view : all_views)
    if (view.is_object() && bench.views.size() < most_views) bench.views.push_back(view_of(view));
  bench.tiles = tile_of(part_of(json, "tiles", Json::object()), 0);
  bench.active = value_or<int64_t>(json, "active", 0);
  bench.filled = value_or<int64_t>(json, "filled", 0);
  bench.next_id = std::max<int64_t>(1, value_or<int64_t>(json, "next_id", 1));
  mend(bench);
  return bench;
}

Json to_json(const NamedSet& set) {
  return {{"name", set.name}, {"axis", set.axis}, {"members", set.members}};
}

NamedSet set_of(const Json& json) {
  return {.name = value_or<std::string>(json, "name", ""),
          .axis = value_or<std::string>(json, "axis", ""),
          .members = value_or(json, "members", std::vector<std::map<std::string, int64_t>>{})};
}

Json parsed(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) fail("what was remembered of a series is no JSON object; it starts afresh");
  return json;
}

}  // namespace

std::string json_of(const Bench& bench) { return to_json(bench).dump(-1, ' ', true); }

std::string json_of(const Choice& choice) {
  Json json = {
      {"step", choice.step},         {"branch", choice.branch},        {"selection", choice.selection.at},
      {"analysis", choice.analysis}, {"bench", to_json(choice.bench)}, {"asked", Json::object()},
      {"sets", Json::array()}};
  if (choice.pin) json["pin"] = *choice.pin;
  if (choice.brush) json["brush"] = {choice.brush->first, choice.brush->second};
  if (!choice.set.members.empty()) json["set"] = to_json(choice.set);
  for (const NamedSet& set : choice.sets) json["sets"].push_back(to_json(set));
  for (const auto& [analysis, asked] : choice.asked)
    json["asked"][analysis] = {{"text", asked.text},     {"settings", asked.settings},
                               {"branch", asked.branch}, {"compute", asked.compute},
                               {"steps", asked.steps},   {"inputs", asked.inputs}};
  // A prompt may hold bytes that are no UTF-8; what cannot be written is replaced, never an error.
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

Bench bench_of(const std::string& text) { return bench_from(parsed(text)); }

Choice choice_of(const std::string& text) {
  const Json json = parsed(text);
  Choice choice;
  choice.step = value_or<int64_t>(json, "step", 0);
  choice.branch = value_or<std::string>(json, "branch", "");
  choice.selection.at = value_or(json, "selection", std::map<std::string, int64_t>{});
  choice.analysis = value_or<std::string>(json, "analysis", "");
  choice.pin = maybe<int64_t>(json, "pin");
  const auto brush = value_or(json, "brush", std::vector<int64_t>{});
  if (brush.size() == 2) choice.brush = {brush[0], brush[1]};
  if (json.contains("set")) choice.set = set_of(part_of(json, "set", Json::object()));
  const Json sets = part_of(json, "sets", Json::array());
  for (const Json& set : sets)
    if (set.is_object()) choice.sets.push_back(set_of(set));
  const Json all_asked = part_of(json, "asked", Json::object());
  for (const auto& [analysis, asked] : all_asked.items())
    if (asked.is_object())
      choice.asked[analysis] = {.text = value_or<std::string>(asked, "text", ""),
                                .settings = value_or(asked, "settings", SettingValues{}),
                                .branch = value_or<std::string>(asked, "branch", "main"),
                                .compute = value_or<std::string>(asked, "compute", ""),
                                .steps = value_or(asked, "steps", std::vector<int64_t>{}),
                                .inputs = value_or(asked, "inputs", SettingValues{})};
  choice.bench = bench_from(part_of(json, "bench", Json::object()));
  return choice;
}

}  // namespace varve
