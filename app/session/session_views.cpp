// Views, pins and ways back: acts of the person on what is open and where they look.
#include <algorithm>
#include <utility>

#include "analysis/core/text.h"
#include "app/session/session.h"

namespace varve {

namespace {
constexpr size_t longest_way = 200;
}

void Session::change_bench(const Bench& next, const std::string& what, int64_t gesture) {
  Choice choice_next = choice();
  choice_next.bench = next;
  change(choice_next, what, gesture);
}

void Session::activate(int64_t id) {
  if (bench().active == id || !bench().find(id)) return;
  Choice next = choice();
  next.bench.active = id;
  history_.amend(std::move(next));
  touch();
}

namespace {

void put(Bench& bench, OpenView view, Edge edge = Edge::right) {
  view.id = bench.next_id++;
  // Half of a narrow view shows nothing: there the new one is a tab.
  if (edge == Edge::right)
    for (const PlacedGroup& group : place(bench.tiles, {0, 0, 1000, 1000}, 0).groups)
      if (group.box.w < 600 && std::count(group.views.begin(), group.views.end(), bench.active) > 0)
        edge = Edge::middle;
  insert(bench.tiles, view.id, bench.active, edge);
  bench.active = view.id;
  bench.filled = 0;
  bench.views.push_back(std::move(view));
}

}  // namespace

void show_somewhere(Bench& bench, const Analysis& analysis, bool has_cells) {
  const auto shows_it = [&](const OpenView& view) {
    const ResultRef& result = view.result;
    return (result.analysis.empty() || result.analysis == analysis.name) &&
           (has_cells || result.which == ResultRef::Which::series);
  };
  if (std::any_of(bench.views.begin(), bench.views.end(), shows_it)) return;
  OpenView view;
  view.result.analysis = analysis.name;
  if (!has_cells || has_reduce(analysis)) view.result.which = ResultRef::Which::series;
  put(bench, std::move(view));
}

int64_t Session::open_view(OpenView view, Edge edge) {
  Bench next = bench();
  put(next, std::move(view), edge);
  change_bench(next, "open a view");
  return bench().active;
}

void Session::close_view(int64_t id) {
  Bench next = bench();
  if (!next.find(id)) return;
  std::erase_if(next.views, [id](const OpenView& view) { return view.id == id; });
  remove(next.tiles, id);
  if (next.filled == id) next.filled = 0;
  const std::vector<int64_t> left = views_in(next.tiles);
  if (next.active == id) next.active = left.empty() ? 0 : left.front();
  change_bench(next, "close a view");
}

void Session::move_view(int64_t id, int64_t onto, Edge edge) {
  Bench next = bench();
  if (id == onto || !next.find(id) || !next.find(onto)) return;
  remove(next.tiles, id);
  insert(next.tiles, id, onto, edge);
  next.active = id;
  next.filled = 0;
  change_bench(next, "move a view");
}

void Session::bring_forward(int64_t id) {
  Bench next = bench();
  varve::bring_forward(next.tiles, id);
  next.active = id;
  if (next.filled != 0) next.filled = id;
  change_bench(next, "show a tab");
}

void Session::drag_separator(const Separator& separator, double by, double least, int64_t gesture) {
  Bench next = bench();
  drag(next.tiles, separator, by, least);
  change_bench(next, "share the room anew", gesture);
}

void Session::fill_with(int64_t id) {
  Bench next = bench();
  if (!next.find(id)) return;
  next.filled = next.filled == 0 ? id : 0;
  next.active = id;
  change_bench(next, next.filled == 0 ? "show all views" : "fill the middle with one view");
}

void Session::use_layout(const Bench& layout, const std::string& name) {
  Bench next = layout;
  // Numbers are never given twice, so that no view takes over what belonged to another.
  const int64_t first = bench().next_id;
  std::map<int64_t, int64_t> ids;
  for (OpenView& view : next.views) ids[view.id] = first + static_cast<int64_t>(ids.size());
  for (OpenView& view : next.views) view.id = ids.at(view.id);
  const std::function<void(Tile&)> renumber = [&](Tile& tile) {
    for (int64_t& view : tile.views) view = ids.contains(view) ? ids.at(view) : 0;
    std::erase(tile.views, 0);
    if (ids.contains(tile.front)) tile.front = ids.at(tile.front);
    for (Tile& part : tile.parts) renumber(part);
  };
  renumber(next.tiles);
  next.active = ids.contains(next.active) ? ids.at(next.active) : first;
  next.filled = 0;
  next.next_id = first + static_cast<int64_t>(ids.size());
  change_bench(next, "layout " + name);
}

void Session::change_view(int64_t id, const std::string& what, const std::function<void(OpenView&)>& how) {
  Bench next = bench();
  OpenView* view = next.find(id);
  if (!view) return;
  how(*view);
  change_bench(next, what);
}

void Session::set_view_option(int64_t id, const std::string& name, const std::string& value) {
  change_view(id, "change " + name, [&](OpenView& view) { view.options[name] = value; });
}

void Session::pin() {
  if (!opened_) return;
  Choice next = choice();
  const int64_t here = stop()->step;
  if (next.pin == here) {
    next.pin.reset();
    change(next, "take the pin away");
  } else {
    next.pin = here;
    change(next, "pin A at step " + show_step(here));
  }
}

void Session::swap_pin() {
  if (!opened_ || !choice().pin) return;
  Choice next = choice();
  next.pin = stop()->step;
  next.step = step_near(*choice().pin);
  change(next, "swap A and now");
}

void Session::brush(std::optional<std::pair<int64_t, int64_t>> steps, int64_t gesture) {
  if (!opened_) return;
  Choice next = choice();
  if (steps && steps->first > steps->second) std::swap(steps->first, steps->second);
  next.brush = steps;
  change(next, steps ? "brush steps" : "clear the brush", gesture);
}

void Session::set_branch(const std::string& branch) {
  if (!opened_ || !opened_->lanes.contains(branch) || branch == choice().branch) return;
  Choice next = choice();
  next.branch = branch;
  const std::vector<Stop>& lane = opened_->stops_of(branch);
  next.step = lane[static_cast<size_t>(nearest_stop(lane, next.step))].step;
  // The same questions, asked of this branch.
  for (auto& [analysis, asked] : next.asked) asked.branch = branch;
  change(next, "go to branch " + branch);
  recall_runs();
}

void Session::toggle_in_set(const std::map<std::string, int64_t>& at) {
  if (!opened_ || at.empty()) return;
  Choice next = choice();
  std::vector<std::map<std::string, int64_t>>& members = next.set.members;
  const auto known = std::find(members.begin(), members.end(), at);
  const bool was_in = known != members.end();
  if (was_in)
    members.erase(known);
  else
    members.push_back(at);
  next.set.name.clear();
  next.set.axis.clear();
  for (const char* axis : {"expert", "head", "prompt", "pos", "layer"})
    if (next.set.axis.empty() && at.contains(axis)) next.set.axis = axis;
  change(next, was_in ? "take out of the set" : "add to the set");
}

void Session::choose_set(NamedSet set) {
  if (!opened_) return;
  Choice next = choice();
  next.set = std::move(set);
  change(next, "choose a set");
}

void Session::save_set(const std::string& name) {
  if (!opened_ || choice().set.members.empty() || name.empty()) return;
  Choice next = choice();
  next.set.name = name;
  std::erase_if(next.sets, [&name](const NamedSet& set) { return set.name == name; });
  next.sets.push_back(next.set);
  change(next, "save the set " + name);
}

void Session::been_here() {
  const std::pair<int64_t, Selection> here{choice().step, choice().selection};
  if (!been_.empty() && been_[been_at_] == here) return;
  been_.resize(been_.empty() ? 0 : been_at_ + 1);
  been_.push_back(here);
  if (been_.size() > longest_way) been_.erase(been_.begin());
  been_at_ = been_.size() - 1;
}

void Session::walk_to(size_t place) {
  Choice next = choice();
  const bool is_back = place < been_at_;
  been_at_ = place;
  next.step = step_near(been_[place].first);
  next.selection = been_[place].second;
  change(next, is_back ? "go back" : "go forward");
}

void Session::go_back() {
  if (opened_ && can_go_back()) walk_to(been_at_ - 1);
}

void Session::go_forward() {
  if (opened_ && can_go_forward()) walk_to(been_at_ + 1);
}

}  // namespace varve
