// What the results browser writes.
#include "app/desktop/result_rows.h"

#include <algorithm>
#include <ctime>
#include <set>

#include "analysis/core/text.h"
#include "app/desktop/painter_canvas.h"
#include "app/session/recent_series.h"

namespace varve {

namespace {

ListRow section(const std::string& text, const std::string& right) {
  ListRow row;
  row.kind = ListRow::Kind::section;
  row.text = text;
  row.right = right;
  return row;
}

std::string of_all(int64_t part, int64_t all) { return show_count(part) + " / " + show_count(all); }

std::string html(const std::string& text) { return qtext(text).toHtmlEscaped().toStdString(); }

std::string colored(const std::string& words, Color color) {
  return "<span style=\"color:" + qcolor(color).name().toStdString() + "\">" + html(words) + "</span>";
}

std::string fact(const std::string& name, const std::string& value, const Theme& theme) {
  return "<tr><td style=\"padding-right:8px\">" + colored(name, theme.ink3) + "</td><td>" + value +
         "</td></tr>";
}

// The run of the session that works on these results, if one does.
const Run* live(const Session& session, const StoredRun& stored) {
  for (const auto& [id, run] : session.runs())
    if (run.request.analysis == stored.analysis && run.running() &&
        run.request.probes.digest() == stored.probes_digest)
      return &run;
  return nullptr;
}

}  // namespace

std::string result_id(const StoredRun& run) {
  std::string id = "result " + run.analysis + " " + run.branch + " " + run.version + " " + run.compute + " " +
                   run.probes_digest;
  for (const auto& [name, value] : run.settings) id += " " + name + "=" + value;
  if (run.cells.empty()) id += " " + run.series_key;  // inputs make many of the same settings
  return id;
}

std::string first_key(const StoredRun& run) {
  return run.cells.empty() ? run.series_key : run.cells.rbegin()->second;
}

void add_series_rows(std::vector<ListRow>& rows, const Session& session) {
  const Opened& opened = *session.opened();
  rows.push_back(section("SERIES", "1 open"));
  ListRow name;
  name.text = opened.name();
  name.tip = opened.store->folder().string();
  name.bold = true;
  name.mark = Mark::unfolded;
  name.right = show_count(static_cast<int64_t>(session.stops().size())) + " steps";
  rows.push_back(name);
  const RecentSeries face = face_of(opened);
  int color = 0;
  int64_t bad = 0;
  for (const CoreLane& lane : face.core) {
    ListRow row;
    row.id = "branch " + lane.branch;
    row.text = lane.branch;
    row.indent = 1;
    row.mark = Mark::square;
    row.color = color++;
    row.bold = face.core.size() > 1 && lane.branch == session.choice().branch;
    row.right = lane.steps.size() == 1 ? "step " + show_step(lane.steps[0])
                                       : show_step(lane.steps.front()) + " – " + show_step(lane.steps.back());
    rows.push_back(row);
    bad += static_cast<int64_t>(lane.bad.size());
  }
  ListRow audit;
  audit.text = "copies, not finite";
  audit.indent = 1;
  audit.mark = bad > 0 ? Mark::warning : Mark::check;
  audit.right = bad > 0 ? show_count(bad) + " of " + show_count(face.steps()) + " bad" : "none";
  audit.right_tone = bad > 0 ? ListRow::Tone::warn : ListRow::Tone::quiet;
  audit.tip = bad > 0 ? face.caution : "No checkpoint is a copy of another and all weights are finite.";
  rows.push_back(audit);
}

void add_result_rows(std::vector<ListRow>& rows, const Session& session,
                     const std::vector<StoredRun>& results) {
  rows.push_back(section("RESULTS", show_count(static_cast<int64_t>(results.size()))));
  std::set<const Run*> told;
  for (const StoredRun& stored : results) {
    const auto all = static_cast<int64_t>(session.opened()->stops_of(stored.branch).size());
    ListRow row;
    row.id = result_id(stored);
    row.text = stored.analysis;
    row.second = told_apart(stored, results);
    row.mark = stored.verdict.broken.empty() ? Mark::check : Mark::cross;
    row.right = stored.cells.empty() ? "series" : of_all(static_cast<int64_t>(stored.cells.size()), all);
    row.tip = row.second + "\n" + badge_words(stored.verdict);
    if (const Run* run = live(session, stored)) {
      told.insert(run);
      row.mark = Mark::running;
      row.right = of_all(run->arrived, static_cast<int64_t>(run->asked.size()));
      row.right_tone = ListRow::Tone::accent;
    } else if (!stored.is_current) {
      row.mark = Mark::warning;
      row.right = "older version";
      row.right_tone = ListRow::Tone::warn;
    }
    rows.push_back(row);
    if (stored.series_key.empty() || stored.cells.empty()) continue;
    ListRow reduced;
    reduced.text = "over the series";
    reduced.indent = 2;
    reduced.tone = ListRow::Tone::quiet;
    reduced.right = "reduce";
    reduced.tip = stored.series_key;
    rows.push_back(reduced);
  }
  // What has just begun has no results yet; what failed says so here, too.
  for (const auto& [id, run] : session.runs()) {
    if (told.contains(&run) || !run.job) continue;
    const bool failed = run.job->state() == Job::State::failed;
    if (!run.running() && !failed) continue;
    ListRow row;
    row.text = run.request.analysis;
    row.second = run.text;
    row.mark = failed ? Mark::cross : run.job->state() == Job::State::waiting ? Mark::ring : Mark::running;
    row.right = failed ? "failed"
                : run.job->state() == Job::State::waiting
                    ? "waits"
                    : of_all(run.arrived, static_cast<int64_t>(run.asked.size()));
    row.right_tone = failed ? ListRow::Tone::fail : ListRow::Tone::accent;
    row.tip = failed ? run.job->error() : "";
    rows.push_back(row);
  }
  if (rows.back().kind == ListRow::Kind::section) {
    ListRow none;
    none.text = "Type a prompt and press Enter.";
    none.tone = ListRow::Tone::quiet;
    rows.push_back(none);
  }
}

void add_probe_rows(std::vector<ListRow>& rows, const std::vector<StoredRun>& results) {
  std::set<std::string> seen;
  std::vector<ListRow> prompts;
  for (const StoredRun& stored : results) {
    if (stored.prompts == 0 || !seen.insert(stored.probes_digest).second) continue;
    ListRow row;
    row.id = "prompt " + stored.text;
    row.text = prompts_words(stored);
    row.right = show_count(stored.tokens) + (stored.tokens == 1 ? " token" : " tokens");
    row.tip = "Put it into the prompt field.";
    prompts.push_back(row);
  }
  if (prompts.empty()) return;
  rows.push_back(section("PROBES", show_count(static_cast<int64_t>(prompts.size()))));
  rows.insert(rows.end(), prompts.begin(), prompts.end());
}

void add_note_rows(std::vector<ListRow>& rows, const std::vector<Note>& notes) {
  if (notes.empty()) return;
  rows.push_back(section("NOTES", show_count(static_cast<int64_t>(notes.size()))));
  for (size_t i = 0; i < notes.size(); ++i) {
    ListRow row;
    row.id = "note " + std::to_string(i);
    row.text = notes[i].title();
    row.right = notes[i].step ? "step " + show_step(*notes[i].step) : "";
    row.tip = notes[i].place_words();
    rows.push_back(row);
  }
}

std::string facts_html(const StoredRun& run, const Theme& theme) {
  const std::string settings = settings_words(run);
  std::string rows = "<table cellspacing=\"0\" cellpadding=\"1\">";
  rows += fact("checks",
               colored(badge_words(run.verdict), !run.verdict.broken.empty() ? theme.fail
                                                 : run.verdict.checks == 0   ? theme.ink3
                                                                             : theme.ok) +
                   (run.verdict.n > 0 ? html(", n = " + show_count(run.verdict.n)) : ""),
               theme);
  for (const Check& check : run.verdict.worst)
    rows += fact("",
                 html(check.name + ": " +
                      (!check.passed         ? "broken, " + show_number(check.residual)
                       : check.residual == 0 ? "exact"
                                             : "within " + show_number(check.residual))),
                 theme);
  rows += fact("settings", html(settings.empty() ? "as declared" : settings), theme);
  if (run.prompts > 0)
    rows += fact(
        "prompts",
        html(show_count(run.prompts) + " of " + show_count(run.tokens) + " tokens: " + prompts_words(run)),
        theme);
  rows += fact("precision", html(run.compute + ", weights raw"), theme);
  rows +=
      fact("steps",
           html(run.cells.empty() ? "over the series"
                                  : show_count(static_cast<int64_t>(run.cells.size())) + " on " + run.branch),
           theme);
  rows += fact("written", html(opened_words(run.written, static_cast<int64_t>(std::time(nullptr)))), theme);
  rows += fact("size", html(show_bytes(run.bytes)), theme);
  // On two lines: what cannot be broken would push all the other words out of sight.
  const std::string key = first_key(run);
  const size_t half = key.size() / 2;
  rows += fact("key", "<tt>" + html(key.substr(0, half)) + "<br>" + html(key.substr(half)) + "</tt>", theme);
  return rows + "</table>";
}

std::string why_html(const WhyReport& report, const std::string& analysis, const Theme& theme) {
  std::string rows =
      "<p>" + html(siblings_sentence(report, analysis)) + "</p><table cellspacing=\"0\" cellpadding=\"1\">";
  for (const WhyRow& row : rows_of(report)) rows += fact(row.part, "<tt>" + html(row.value) + "</tt>", theme);
  return rows + "</table>";
}

}  // namespace varve
