// varve report: a folder with a page, figures and tables of everything a store holds.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/model/spec.h"
#include "analysis/store/run_store.h"
#include "app/console/core_picture.h"
#include "app/console/dataset_csv.h"
#include "app/console/describe.h"
#include "app/console/json_text.h"
#include "app/console/page.h"
#include "app/console/source.h"
#include "app/verbs/verb.h"
#include "viz/view.h"

namespace varve {
namespace {

constexpr double png_scale = 2;
constexpr size_t views_of_a_series = 2;

class Report {
 public:
  Report(const RunStore& store, std::filesystem::path folder)
      : store_(store), folder_(std::move(folder)), page_("Series " + store.series().name) {
    std::filesystem::create_directories(folder_ / "figures");
    std::filesystem::create_directories(folder_ / "tables");
  }

  void write(Task& task) {
    add_series();
    add_logs();
    add_results(task);
    write_file_atomically(folder_ / "index.html", page_.html());
  }
  int64_t figures() const { return figures_; }
  int64_t tables() const { return tables_; }

 private:
  void table_file(const std::string& stem, const std::string& csv, const std::string& words) {
    write_file_atomically(folder_ / "tables" / (stem + ".csv"), csv);
    page_.link("tables/" + stem + ".csv", words);
    ++tables_;
  }

  void figure_files(const std::string& stem, const std::string& svg, const std::string& png,
                    const std::string& caption) {
    write_file_atomically(folder_ / "figures" / (stem + ".svg"), svg);
    write_file_atomically(folder_ / "figures" / (stem + ".png"), png);
    page_.figure(stem, caption);
    ++figures_;
  }

  void view_figure(const View& view, const Dataset& data, const std::string& stem,
                   const std::string& caption) {
    const SettingValues options = normalise(view.options, {}, "view " + view.name);
    const double height = picture_height(view, data, options, {}, view.width);
    const auto picture = [&](PictureKind kind, double scale) {
      return picture_of(view, data, options, {}, kind, Theme::light(), view.width, height, scale);
    };
    figure_files(stem, picture(PictureKind::svg, 1), picture(PictureKind::png, png_scale), caption);
  }

  void add_series() {
    const SeriesRecord& series = store_.series();
    page_.heading("Series");
    if (!series.checkpoints.empty())
      page_.paragraph(describe(spec_from_json(series.checkpoints.front().spec)));
    figure_files("core", core_picture(series, PictureKind::svg), core_picture(series, PictureKind::png),
                 "The core: one lamina a checkpoint");
    std::vector<std::vector<std::string>> rows;
    std::string csv = "step,tokens,branch,label,bytes,nonfinite,change,digest\n";
    for (const CheckpointRecord& one : series.checkpoints) {
      const bool known = std::isfinite(one.change) && one.change >= 0;
      rows.push_back({show_count(one.step), one.tokens < 0 ? "–" : show_count(one.tokens), one.branch,
                      show_bytes(one.bytes), show_count(one.nonfinite), known ? show_number(one.change) : "–",
                      one.digest.substr(0, 12)});
      csv +=
          fmt::format("{},{},{},{},{},{},{},{}\n", one.step, one.tokens < 0 ? "" : std::to_string(one.tokens),
                      csv_field(one.branch), csv_field(one.label), one.bytes, one.nonfinite,
                      known ? fmt::format("{}", one.change) : "", one.digest);
    }
    page_.table({">step", ">tokens", "branch", ">size", ">not finite", ">change", "digest"}, rows);
    table_file("series", csv, "this table as CSV");
    for (const std::string& note : series.notes) page_.paragraph("Note: " + note);
  }

  // Curves over steps: the log's own rows become the step axis.
  void add_logs() {
    for (const auto& [name, log] : store_.logs()) {
      page_.heading("Log " + name);
      Dataset all, curves;
      curves.title = "Training log " + name;
      if (const Array* steps = log.coord("row")) {
        all.set_coord("step", on_steps(*steps));
        curves.set_coord("step", on_steps(*steps));
      }
      for (const auto& [column, values] : log.arrays())
        if (values.axes() == std::vector<std::string>{"row"}) all.set(column, on_steps(values));
      for (const char* const wanted : {"loss", "train_loss", "eval_loss"})
        if (all.has(wanted)) {
          Array loss = all[wanted];
          if (loss.unit.empty()) loss.unit = "nats";  // as training code logs it
          curves.set(wanted, std::move(loss));
        }
      if (!all.arrays().empty()) table_file("log-" + name, to_csv(all, {}), "all logged numbers as CSV");
      const View* const view = curves.arrays().empty() ? nullptr : best_view(curves);
      if (view) view_figure(*view, curves, "log-" + name, "Loss over the steps");
    }
  }

  static Array on_steps(const Array& rows) {
    Array out({"step"}, rows.shape(), rows.values());
    out.unit = rows.unit;
    out.title = rows.title;
    return out;
  }

  void add_proof(const Dataset& data) {
    const auto failed =
        std::count_if(data.checks.begin(), data.checks.end(), [](const Check& one) { return !one.passed; });
    if (!data.checks.empty())
      page_.badge(failed == 0, failed == 0
                                   ? fmt::format("{} checks", data.checks.size())
                                   : fmt::format("{} of {} checks failed", failed, data.checks.size()));
    std::vector<std::vector<std::string>> rows;
    for (const Check& one : data.checks)
      rows.push_back({one.name, fmt::format("worst {} of at most {}, n = {} {}", show_number(one.residual),
                                            show_number(one.limit), show_count(one.n), one.detail)});
    if (!rows.empty()) page_.details("identities and statistics verified", rows);
    rows.clear();
    for (const auto& [name, value] : data.provenance) rows.push_back({name, value});
    if (!rows.empty()) page_.details("where this comes from", rows);
    for (const std::string& note : data.notes) page_.paragraph("Note: " + note);
    for (const Event& event : data.events)
      page_.paragraph(fmt::format("Step {}: {} ({})", show_step(event.step), event.label, event.rule));
  }

  void add_result(const ResultInfo& info, const std::string& heading, size_t view_count) {
    const std::optional<Dataset> data = store_.result(info.analysis, info.key);
    if (!data) return;  // taken away meanwhile: results may be deleted while a report is being written
    page_.heading(heading);
    if (!data->title.empty()) page_.paragraph(data->title);
    std::vector<std::pair<double, const View*>> fitting;
    for (const View& view : views().items())
      if (const double fit = view.fit(*data); fit > 0) fitting.emplace_back(-fit, &view);
    std::stable_sort(fitting.begin(), fitting.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    const std::string stem = info.analysis + "-" + info.key.substr(0, 12);
    for (size_t i = 0; i < std::min(view_count, fitting.size()); ++i)
      view_figure(*fitting[i].second, *data, stem + "-" + fitting[i].second->name,
                  fitting[i].second->summary);
    table_file(stem, to_csv(*data, {}), "all numbers of this result as CSV");
    add_proof(*data);
  }

  // What several cells of one request share: their key's parts without the weights.
  static std::string request_of(const ResultInfo& info) {
    const nlohmann::json parts = key_parts_of(info);
    std::string text = info.analysis;
    for (const auto& [name, value] : parts.items())
      if (name != "weights") text += "\n" + name + "=" + value.dump();
    return text;
  }
  static nlohmann::json key_parts_of(const ResultInfo& info) {
    const auto found = info.provenance.find("key_parts");
    if (found == info.provenance.end()) return nlohmann::json::object();
    const nlohmann::json parts = nlohmann::json::parse(found->second, nullptr, false);
    return parts.is_object() ? parts : nlohmann::json::object();
  }
  const CheckpointRecord* checkpoint_of(const ResultInfo& info) const {
    const std::string digest = key_parts_of(info).value("weights", std::string());
    for (const CheckpointRecord& one : store_.series().checkpoints)
      if (one.digest == digest) return &one;
    return nullptr;
  }

  // First, middle and last step of every request.
  std::vector<std::pair<int64_t, ResultInfo>> chosen_cells(const std::vector<ResultInfo>& all) const {
    std::map<std::string, std::map<int64_t, ResultInfo>> requests;
    for (const ResultInfo& info : all)
      if (const CheckpointRecord* checkpoint = checkpoint_of(info))
        requests[request_of(info)].emplace(checkpoint->step, info);
    std::vector<std::pair<int64_t, ResultInfo>> chosen;
    for (const auto& [request, by_step] : requests) {
      const std::vector<std::pair<int64_t, ResultInfo>> cells(by_step.begin(), by_step.end());
      std::vector<size_t> places = {0, cells.size() / 2, cells.size() - 1};
      places.erase(std::unique(places.begin(), places.end()), places.end());
      for (const size_t place : places) chosen.push_back(cells[place]);
    }
    return chosen;
  }

  void add_results(Task& task) {
    const std::vector<ResultInfo> all = store_.results();
    const auto cells = chosen_cells(all);
    std::vector<ResultInfo> series;
    for (const ResultInfo& info : all)
      if (info.analysis.ends_with(".series")) series.push_back(info);
    const auto total = static_cast<int64_t>(series.size() + cells.size());
    int64_t done = 0;
    for (const ResultInfo& info : series) {
      add_result(info, info.analysis.substr(0, info.analysis.size() - 7) + " over the series",
                 views_of_a_series);
      task.step(++done, total);
    }
    for (const auto& [step, info] : cells) {
      task.doing(fmt::format("{} at step {}", info.analysis, show_step(step)));
      add_result(info, fmt::format("{} at step {}", info.analysis, show_step(step)), 1);
      task.step(++done, total);
    }
  }

  const RunStore& store_;
  std::filesystem::path folder_;
  Page page_;
  int64_t figures_ = 0, tables_ = 0;
};

int report(const std::filesystem::path& path, const std::filesystem::path& folder, Console& console) {
  const auto store = open_store(path);
  console.kept = "the report was not finished; the same command writes it anew";
  Report writer(*store, folder);
  writer.write(console.task);
  const std::string page = (folder / "index.html").string();
  if (console.json)
    console.print(
        json_text(Json{{"page", page}, {"figures", writer.figures()}, {"tables", writer.tables()}}));
  else
    console.print(fmt::format("{}: {} figures, {} tables", page, writer.figures(), writer.tables()));
  return 0;
}

}  // namespace

void add_report(VerbCatalog& catalog) {
  catalog.add(
      {"report", "write a page with figures and tables of a store",
       "varve report pythia-70m.varve -o pythia-report", [](CLI::App& command) {
         auto path = std::make_shared<std::filesystem::path>();
         auto folder = std::make_shared<std::filesystem::path>();
         command.add_option("STORE", *path, "the store")->required();
         command.add_option("-o,--output", *folder, "the folder to write")->required()->type_name("DIR");
         return [path, folder](Console& console) { return report(*path, *folder, console); };
       }});
}

}  // namespace varve
