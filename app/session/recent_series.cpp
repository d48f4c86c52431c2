// Faces of series, and the file that keeps them.
#include "app/session/recent_series.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {

namespace {

constexpr int64_t limit_bytes = 16 << 20;
constexpr size_t most_unpinned = 12;

void sort_recent(std::vector<RecentSeries>& recent) {
  std::stable_sort(recent.begin(), recent.end(), [](const RecentSeries& a, const RecentSeries& b) {
    return a.pinned != b.pinned ? a.pinned : a.opened > b.opened;
  });
  size_t unpinned = 0;
  std::erase_if(recent, [&](const RecentSeries& one) { return !one.pinned && ++unpinned > most_unpinned; });
}

nlohmann::json json_of(const RecentSeries& series) {
  nlohmann::json lanes = nlohmann::json::array();
  for (const CoreLane& lane : series.core) {
    nlohmann::json change = nlohmann::json::array();
    for (const double value : lane.change) change.push_back(std::isfinite(value) ? value : -1.0);
    lanes.push_back({{"branch", lane.branch}, {"steps", lane.steps}, {"change", change}, {"bad", lane.bad}});
  }
  return {{"path", series.path},       {"name", series.name},       {"pinned", series.pinned},
          {"opened", series.opened},   {"layers", series.layers},   {"experts", series.experts},
          {"results", series.results}, {"caution", series.caution}, {"core", lanes}};
}

RecentSeries series_of(const nlohmann::json& json) {
  RecentSeries series;
  series.path = json.at("path").get<std::string>();
  series.name = json.value("name", "");
  series.pinned = json.value("pinned", false);
  series.opened = json.value("opened", int64_t{0});
  series.layers = json.value("layers", int64_t{0});
  series.experts = json.value("experts", int64_t{0});
  series.results = json.value("results", int64_t{-1});
  series.caution = json.value("caution", "");
  for (const nlohmann::json& one : json.value("core", nlohmann::json::array())) {
    CoreLane lane{.branch = one.value("branch", ""),
                  .steps = one.value("steps", std::vector<int64_t>{}),
                  .change = one.value("change", std::vector<double>{}),
                  .bad = one.value("bad", std::vector<int64_t>{})};
    lane.change.resize(lane.steps.size(), -1);
    std::erase_if(lane.bad, [&](int64_t index) {
      return index < 0 || index >= static_cast<int64_t>(lane.steps.size());
    });
    series.core.push_back(std::move(lane));
  }
  return series;
}

}  // namespace

int64_t RecentSeries::steps() const {
  int64_t all = 0;
  for (const CoreLane& lane : core) all += static_cast<int64_t>(lane.steps.size());
  return all;
}

RecentSeries face_of(const Opened& opened) {
  RecentSeries face;
  std::error_code problem;
  const std::filesystem::path full = std::filesystem::absolute(opened.asked, problem);
  face.path = (problem ? opened.asked : full).string();
  face.name = opened.name();
  face.layers = opened.spec.layers;
  face.experts = opened.spec.experts;
  std::map<std::string, size_t> lanes;
  std::map<std::string, int64_t> seen;  // digest -> step
  int64_t bad = 0;
  for (const CheckpointRecord& checkpoint : opened.store->series().checkpoints) {
    const auto [lane, fresh] = lanes.emplace(checkpoint.branch, face.core.size());
    if (fresh) face.core.push_back({.branch = checkpoint.branch, .steps = {}, .change = {}, .bad = {}});
    CoreLane& of = face.core[lane->second];
    const auto [first, is_new] = seen.emplace(checkpoint.digest, checkpoint.step);
    std::string caution;
    if (checkpoint.nonfinite > 0)
      caution = "step " + show_step(checkpoint.step) + " holds entries that are not finite";
    else if (!is_new && fresh == false && first->second != checkpoint.step)
      caution = "step " + show_step(checkpoint.step) + " is a copy of step " + show_step(first->second);
    if (!caution.empty()) {
      of.bad.push_back(static_cast<int64_t>(of.steps.size()));
      if (++bad == 1) face.caution = caution;
    }
    of.steps.push_back(checkpoint.step);
    of.change.push_back(checkpoint.change);
  }
  if (bad > 1) face.caution += ", and " + show_count(bad - 1) + " more";
  return face;
}

std::string shape_words(const RecentSeries& series) {
  const std::string steps = show_count(series.steps()) + (series.steps() == 1 ? " step" : " steps");
  if (series.core.size() > 1)
    return show_count(static_cast<int64_t>(series.core.size())) + " branches · " + steps;
  if (series.experts > 0) return steps + " · " + show_count(series.experts) + " experts";
  return steps + " · " + show_count(series.layers) + (series.layers == 1 ? " layer" : " layers");
}

std::string opened_words(int64_t opened, int64_t now) {
  if (opened <= 0) return "";
  const auto day_of = [](int64_t seconds) {
    const auto time = static_cast<std::time_t>(seconds);
    std::tm parts{};
    localtime_r(&time, &parts);
    return parts;
  };
  const std::tm then = day_of(opened), today = day_of(now), yesterday = day_of(now - 24 * 3600);
  const auto same_day = [](const std::tm& a, const std::tm& b) {
    return a.tm_year == b.tm_year && a.tm_yday == b.tm_yday;
  };
  if (same_day(then, today)) return fmt::format("today {:02}:{:02}", then.tm_hour, then.tm_min);
  if (same_day(then, yesterday)) return "yesterday";
  constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::string words = fmt::format("{} {}", then.tm_mday, months[then.tm_mon]);
  if (then.tm_year != today.tm_year) words += fmt::format(" {}", then.tm_year + 1900);
  return words;
}

void remember_opened(std::vector<RecentSeries>& recent, RecentSeries series) {
  for (const RecentSeries& known : recent)
    if (known.path == series.path) {
      series.pinned = known.pinned;
      if (series.results < 0) series.results = known.results;
    }
  std::erase_if(recent, [&](const RecentSeries& known) { return known.path == series.path; });
  recent.insert(recent.begin(), std::move(series));
  sort_recent(recent);
}

void set_pinned(std::vector<RecentSeries>& recent, const std::string& path, bool pinned) {
  for (RecentSeries& known : recent)
    if (known.path == path) known.pinned = pinned;
  sort_recent(recent);
}

std::vector<RecentSeries> read_recent_series(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  std::vector<RecentSeries> recent;
  try {
    for (const nlohmann::json& one : nlohmann::json::parse(read_file(file, limit_bytes)))
      recent.push_back(series_of(one));
  } catch (const nlohmann::json::exception& problem) {
    fail("{}: this is no list of recent series: {}. Remove the file to begin anew.", file.string(),
         problem.what());
  }
  sort_recent(recent);
  return recent;
}

void write_recent_series(const std::filesystem::path& file, const std::vector<RecentSeries>& recent) {
  nlohmann::json all = nlohmann::json::array();
  for (const RecentSeries& one : recent) all.push_back(json_of(one));
  std::filesystem::create_directories(file.parent_path());
  write_file_atomically(file, all.dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace varve
