// Grouping the files of a store into runs, and what their checks say together.
#include "app/session/results.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "analysis/analysis.h"
#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "app/session/why.h"

namespace varve {

namespace {

namespace fs = std::filesystem;
constexpr std::string_view series_ending = ".series";

std::string part_or(const std::map<std::string, std::string>& parts, const std::string& name,
                    const std::string& otherwise) {
  const auto found = parts.find(name);
  return found == parts.end() ? otherwise : found->second;
}

SettingValues settings_of_json(const std::string& text) {
  SettingValues values;
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return values;
  for (const auto& [name, value] : json.items())
    values[name] = value.is_string() ? value.get<std::string>() : value.dump();
  return values;
}

int64_t seconds_since_1970(const fs::path& file) {
  std::error_code gone;
  const fs::file_time_type time = fs::last_write_time(file, gone);
  if (gone) return 0;
  const auto system = std::chrono::file_clock::to_sys(time);
  return std::chrono::duration_cast<std::chrono::seconds>(system.time_since_epoch()).count();
}

void add_check(Verdict& verdict, const Check& check) {
  verdict.n += check.n;
  if (!check.passed && verdict.broken.empty()) verdict.broken = check.name;
  for (Check& known : verdict.worst) {
    if (known.name != check.name) continue;
    known.n += check.n;
    if (check.residual > known.residual || !check.passed) {
      known.residual = check.residual;
      known.limit = check.limit;
      known.detail = check.detail;
    }
    known.passed = known.passed && check.passed;
    return;
  }
  verdict.worst.push_back(check);
  verdict.checks = static_cast<int64_t>(verdict.worst.size());
}

void add_all(Verdict& verdict, const Verdict& more) {
  for (const Check& check : more.worst) add_check(verdict, check);
}

void count_prompts(StoredRun& run, const Dataset& data) {
  if (!data.has("lengths") || !data.has_axis("prompt")) return;
  run.prompts = data.extent("prompt");
  for (int64_t prompt = 0; prompt < run.prompts; ++prompt)
    run.tokens += static_cast<int64_t>(data["lengths"].number(prompt));
}

// One prompt of text is shown and run as the text it was, where the tokenizer gives the same ids for it
// again.
std::string text_of(const Dataset& data, const StoredRun& run, const std::string& key,
                    const Tokenizer* tokenizer) {
  if (!data.has("tokens")) return "";
  if (run.prompts == 1 && run.probes == "text") {
    std::vector<int64_t> ids;
    for (int64_t i = 0; i < data["tokens"].size() && data["tokens"].number(i) >= 0; ++i)
      ids.push_back(static_cast<int64_t>(data["tokens"].number(i)));
    if (tokenizer) {
      const std::string text = tokenizer->decode(ids);
      std::vector<int64_t> again;
      for (const Token& token : tokenizer->encode(text)) again.push_back(token.id);
      if (again == ids && text.find(':') == std::string::npos) return text;
    }
    std::string words = "ids:";
    for (const int64_t id : ids) words += " " + std::to_string(id);
    return words;
  }
  return "as in: " + run.analysis + "/" + key;
}

}  // namespace

const ResultShelf::Part* ResultShelf::read(const RunStore& store, const Tokenizer* tokenizer,
                                           const ResultInfo& info) {
  const std::string id = info.analysis + "/" + info.key;
  if (const auto known = parts_.find(id); known != parts_.end()) return &known->second;
  Part part;
  StoredRun& run = part.of;
  const std::map<std::string, std::string> key_parts = key_parts_of(info);
  const bool is_series = info.analysis.ends_with(series_ending);
  run.analysis =
      is_series ? info.analysis.substr(0, info.analysis.size() - series_ending.size()) : info.analysis;
  run.version = part_or(key_parts, "version", "");
  run.compute = part_or(info.provenance, "compute", part_or(key_parts, "compute", "f32"));
  const std::string settings = part_or(key_parts, "settings", "{}");
  run.settings = settings_of_json(settings);
  run.probes = part_or(info.provenance, "probes", "");
  run.probes_digest = part_or(key_parts, "probes", "none");
  run.bytes = info.bytes;
  run.written = seconds_since_1970(store.result_path(info.analysis, info.key));
  if (const Analysis* analysis = analyses().find(run.analysis))
    run.is_current = std::to_string(analysis->version) == run.version;
  else
    run.is_current = false;
  part.weights = part_or(key_parts, "weights", "");
  part.group = run.analysis + "\n" + run.version + "\n" + settings + "\n" + run.compute;
  if (is_series)
    for (const std::string& cell : split(part_or(key_parts, "cells", ""), ' '))
      if (!cell.empty()) part.cell_keys.push_back(cell.substr(cell.find(':') + 1));
  const std::optional<Dataset> data = store.result(info.analysis, info.key);
  if (!data) return nullptr;  // removed since the list was made
  for (const Check& check : data->checks) add_check(run.verdict, check);
  count_prompts(run, *data);
  if (!is_series) run.text = text_of(*data, run, info.key, tokenizer);
  return &parts_.emplace(id, std::move(part)).first->second;
}

std::vector<StoredRun> ResultShelf::look(const RunStore& store, const Tokenizer* tokenizer, Task& task) {
  std::map<std::string, std::vector<std::pair<std::string, int64_t>>> places;  // of weights: branch and step
  for (const CheckpointRecord& checkpoint : store.series().checkpoints)
    places[checkpoint.digest].emplace_back(checkpoint.branch, checkpoint.step);
  const std::vector<ResultInfo> infos = store.results();
  std::map<std::string, StoredRun> runs;
  std::map<std::string, std::string> run_of_cell;  // key -> run
  std::vector<const ResultInfo*> series;
  int64_t done = 0;
  for (const ResultInfo& info : infos) {
    task.step(++done, static_cast<int64_t>(infos.size()));
    if (info.analysis.ends_with(series_ending)) {
      series.push_back(&info);
      continue;
    }
    const Part* part = read(store, tokenizer, info);
    if (!part) continue;
    for (const auto& [branch, step] : places[part->weights]) {
      const std::string id = part->group + "\n" + part->of.probes_digest + "\n" + branch;
      auto [found, fresh] = runs.emplace(id, part->of);
      StoredRun& run = found->second;
      if (fresh) {
        run.branch = branch;
      } else {
        run.bytes += part->of.bytes;
        run.written = std::max(run.written, part->of.written);
        add_all(run.verdict, part->of.verdict);
      }
      run.cells[step] = info.key;
      run_of_cell[info.key] = id;
    }
  }
  std::map<std::string, size_t> cells_of_series;  // run -> cells of the one it shows: the widest
  for (const ResultInfo* info : series) {
    const Part* part = read(store, tokenizer, *info);
    if (!part) continue;
    const auto owner =
        part->cell_keys.empty() ? run_of_cell.end() : run_of_cell.find(part->cell_keys.front());
    if (owner == run_of_cell.end() || runs.at(owner->second).analysis != part->of.analysis) {
      // Made of another analysis' cells, or of inputs alone: a run without cells, to be looked at as it is.
      const bool is_owned = owner != run_of_cell.end();
      const std::string id = part->group + "\n" + (is_owned ? owner->second : info->key);
      auto [found, fresh] = runs.emplace(id, part->of);
      StoredRun& alone = found->second;
      if (fresh && is_owned) {
        const StoredRun& read = runs.at(owner->second);
        alone.branch = read.branch;
        alone.probes = read.probes;
        alone.probes_digest = read.probes_digest;
        alone.text = read.text;
        alone.prompts = read.prompts;
        alone.tokens = read.tokens;
      }
      if (!fresh) {
        alone.bytes += part->of.bytes;
        alone.written = std::max(alone.written, part->of.written);
      }
      alone.all_series.push_back(info->key);
      size_t& widest = cells_of_series[id];
      if (!fresh && part->cell_keys.size() < widest) continue;
      widest = part->cell_keys.size();
      alone.series_key = info->key;
      alone.verdict = part->of.verdict;
      continue;
    }
    StoredRun& run = runs.at(owner->second);
    run.bytes += part->of.bytes;
    run.written = std::max(run.written, part->of.written);
    add_all(run.verdict, part->of.verdict);
    run.all_series.push_back(info->key);
    size_t& widest = cells_of_series[owner->second];
    if (part->cell_keys.size() < widest) continue;
    widest = part->cell_keys.size();
    run.series_key = info->key;
  }
  std::vector<StoredRun> sorted;
  for (auto& [id, run] : runs) sorted.push_back(std::move(run));
  std::stable_sort(sorted.begin(), sorted.end(), [](const StoredRun& a, const StoredRun& b) {
    return a.analysis != b.analysis ? a.analysis < b.analysis : a.written > b.written;
  });
  return sorted;
}

std::string settings_words(const StoredRun& run) {
  const Analysis* analysis = analyses().find(run.analysis);
  std::string words;
  for (const auto& [name, value] : run.settings) {
    bool is_default = false;
    if (analysis)
      for (const SettingInfo& info : analysis->settings)
        is_default = is_default || (info.name == name && info.default_text == value);
    if (is_default) continue;
    std::string spaced = name;
    std::replace(spaced.begin(), spaced.end(), '_', ' ');
    words += (words.empty() ? "" : ", ") + spaced + " " + value;
  }
  return words;
}

std::string prompts_words(const StoredRun& run) {
  if (run.prompts == 0) return "";
  if (run.text.rfind("as in:", 0) == 0) return run.probes + ", " + show_count(run.prompts) + " prompts";
  return run.text;
}

std::string told_apart(const StoredRun& run, const std::vector<StoredRun>& among) {
  const std::string settings = settings_words(run);
  const std::string prompts = prompts_words(run);
  if (settings.empty() || prompts.empty()) return settings + prompts;
  const auto alike = std::count_if(among.begin(), among.end(), [&](const StoredRun& other) {
    return other.analysis == run.analysis && settings_words(other) == settings;
  });
  return alike > 1 ? prompts + " · " + settings : settings + " · " + prompts;
}

std::string key_words(const std::string& key, const std::vector<StoredRun>& among) {
  constexpr size_t least = 6;  // fewer letters may be the name of an array in a file
  if (key.size() < least) return "";
  for (const StoredRun& run : among) {
    std::string place;
    for (const auto& [step, cell] : run.cells)
      if (cell.rfind(key, 0) == 0)
        place = "step " + show_step(step) + (run.branch == "main" ? "" : " on " + run.branch);
    for (const std::string& series : run.all_series)
      if (series.rfind(key, 0) == 0) place = "over the series";
    if (place.empty()) continue;
    const std::string which = told_apart(run, among);
    return run.analysis + " · " + (which.empty() ? "" : which + " · ") + place;
  }
  return "";
}

std::string badge_words(const Verdict& verdict) {
  if (!verdict.broken.empty()) return verdict.broken + " broke";
  if (verdict.checks == 0) return "nothing checked";
  return show_count(verdict.checks) + (verdict.checks == 1 ? " check" : " checks");
}

namespace {

fs::path removed_folder(const RunStore& store) { return store.folder() / "removed"; }

void move_file(const fs::path& from, const fs::path& to) {
  std::error_code problem;
  fs::create_directories(to.parent_path(), problem);
  if (!problem) fs::rename(from, to, problem);
  if (problem)
    fail("{} could not be moved to {}: {}. May you write there?", from.string(), to.string(),
         problem.message());
}

}  // namespace

Removal::Removal(const RunStore& store, const StoredRun& run) {
  std::set<std::string> keys;
  for (const auto& [step, key] : run.cells) keys.insert(key);
  const auto add = [&](const std::string& analysis, const std::string& key) {
    const fs::path from = store.result_path(analysis, key);
    moved_.push_back({from, removed_folder(store) / analysis / from.filename()});
  };
  for (const std::string& key : keys) add(run.analysis, key);
  for (const std::string& key : run.all_series) add(run.analysis + std::string(series_ending), key);
  size_t done = 0;
  try {
    for (; done < moved_.size(); ++done) move_file(moved_[done].from, moved_[done].to);
  } catch (const Error&) {
    // All or nothing: half a run would be shown as a run with holes.
    while (done-- > 0) move_file(moved_[done].to, moved_[done].from);
    throw;
  }
  words_ = run.cells.empty() ? run.analysis + " over the series"
                             : show_count(static_cast<int64_t>(run.cells.size())) +
                                   (run.cells.size() == 1 ? " cell of " : " cells of ") + run.analysis;
}

void Removal::undo() const {
  for (const Moved& one : moved_) move_file(one.to, one.from);
}

void Removal::forget() const {
  for (const Moved& one : moved_) {
    std::error_code ignored;  // what somebody else took away is gone as well
    fs::remove(one.to, ignored);
  }
}

void forget_old_removals(const RunStore& store) {
  constexpr std::chrono::hours kept{24};
  std::error_code problem;
  if (!fs::is_directory(removed_folder(store), problem)) return;
  const auto now = fs::file_time_type::clock::now();
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(removed_folder(store), problem)) {
    std::error_code gone;
    if (entry.is_regular_file(gone) && entry.path().extension() == ".h5" &&
        now - entry.last_write_time(gone) > kept)
      fs::remove(entry.path(), gone);
  }
}

}  // namespace varve
