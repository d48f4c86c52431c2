// Every view on the shelf: the copied command line draws the same bytes that the window exports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "analysis/core/text.h"
#include "analysis/store/run_store.h"
#include "app/session/difference.h"
#include "app/session/plot_recipe.h"
#include "tests/support/program.h"
#include "tests/support/view_pictures.h"

namespace varve {
namespace {

using testing_support::attention_weights;
using testing_support::fit_data;
using testing_support::heads_data;
using testing_support::lens_data;
using testing_support::lens_series_data;

constexpr int64_t picture_limit_bytes = 1 << 26;

Dataset pairs() {
  std::vector<double> values;
  for (int i = 0; i < 36; ++i) values.push_back((i * 7) % 11 - 4.0);
  Dataset data;
  data.title = "Overlap of it's heads";
  data.set("overlap", Array({"src", "dst"}, {6, 6}, std::move(values)));
  return data;
}

// The expert of each sample at each layer: [step, layer, prompt].
Dataset paths() {
  Array first({"step", "layer", "prompt"}, {2, 2, 4},
              std::vector<int64_t>{0, 1, 2, 3, 0, 1, 2, 3, 0, 0, 4, 4, 1, 1, 4, 4});
  first.unit = "expert";
  Dataset data;
  data.title = "Pathways";
  data.set("top_expert", std::move(first));
  data.set("sample_group",
           Array({"prompt"}, {4}, std::vector<std::string>{"prose", "prose", "code", "code"}));
  data.set_coord("step", Array({"step"}, {2}, std::vector<int64_t>{0, 1000}));
  return data;
}

// Scores of the edges of a model of two layers with two heads, at two steps: [step, src, dst].
Dataset edges() {
  const std::vector<std::string> from = {"input", "a0.h0", "a0.h1", "m0", "a1.h0", "a1.h1", "m1"};
  const std::vector<std::string> to = {"a0.h0<q>", "a0.h1<v>", "m0", "a1.h0<k>", "a1.h1<v>", "m1", "logits"};
  const auto n = static_cast<int64_t>(from.size());
  std::vector<double> values;
  for (int64_t i = 0; i < 2 * n * n; ++i)
    values.push_back(i % n >= i / n % n ? static_cast<double>(i * 5 % 13) - 6 : 0);
  Dataset data;
  data.title = "Edges of it's circuit";
  data.set("scores", Array({"step", "src", "dst"}, {2, n, n}, std::move(values)));
  data.set_coord("step", Array({"step"}, {2}, std::vector<int64_t>{0, 1000}));
  data.set_coord("src", Array({"src"}, {n}, from));
  data.set_coord("dst", Array({"dst"}, {n}, to));
  return data;
}

// An option of every kind is moved off its default, so that the line has to carry it.
SettingValues other_options(const View& view, const Dataset& data) {
  SettingValues options;
  for (const SettingInfo& info : view.options) {
    if (info.kind == SettingKind::boolean && info.name != "log" && info.name != "log_x" &&
        info.name != "log_y")
      options[info.name] = info.default_text == "true" ? "false" : "true";
    if (info.kind == SettingKind::choice && info.name != "colour") options[info.name] = info.choices.back();
    if (info.kind == SettingKind::text && view.choices) {
      const std::vector<std::string> known = view.choices(data, info.name, {});
      if (info.name == "array" && !known.empty()) options[info.name] = known.front();
    }
  }
  return options;
}

TEST(CopiedCommandLine, DrawsTheSameBytesAsTheWindowForEveryView) {
  const std::map<std::string, Dataset> results = {{"lens", lens_data()},
                                                  {"series", lens_series_data()},
                                                  {"heads", heads_data(4, 4)},
                                                  {"fit", fit_data()},
                                                  {"patterns", attention_weights()},
                                                  {"it's pairs", pairs()},
                                                  {"paths", paths()},
                                                  {"edges", edges()}};
  const TempFolder folder;
  std::set<std::string> drawn;
  int turn = 0;
  for (const auto& [name, data] : results) {
    PlotRecipe recipe;
    recipe.result = (folder.path() / (name + ".h5")).string();
    write_dataset(recipe.result, data);
    for (const View* view : views_for(data)) {
      recipe.view = view->name;
      recipe.output = (folder.path() / (name + " " + view->name + ".svg")).string();
      recipe.options = turn % 2 == 0 ? other_options(*view, data) : SettingValues();
      recipe.theme = turn % 3 == 0 ? "dark" : "light";
      recipe.width = turn % 4 == 3 ? 0 : 617;
      recipe.height = turn % 4 == 3 ? 0 : 433;
      recipe.selection.at = {{"step", 1}, {"layer", 1}, {"head", 1}, {"pos", 2}, {"token", 5}, {"query", 3}};
      ++turn;
      const std::string line = plot_line(recipe, data);
      const Ended ended = run_words({"/bin/sh", "-c", line}, {{"PATH", VARVE_PROGRAMS ":/usr/bin:/bin"}});
      ASSERT_EQ(ended.exit_code, 0) << line << "\n" << ended.err;
      EXPECT_EQ(read_file(recipe.output, picture_limit_bytes), picture_of(recipe, data)) << line;
      drawn.insert(view->name);
    }
  }
  for (const View& view : views().items())
    EXPECT_TRUE(drawn.count(view.name)) << view.name << " was never drawn";
}

// Draws what the line draws.
void expect_same_bytes(const PlotRecipe& recipe, const Dataset& data) {
  const std::string line = plot_line(recipe, data);
  const Ended ended = run_words({"/bin/sh", "-c", line}, {{"PATH", VARVE_PROGRAMS ":/usr/bin:/bin"}});
  ASSERT_EQ(ended.exit_code, 0) << line << "\n" << ended.err;
  EXPECT_EQ(read_file(recipe.output, picture_limit_bytes), picture_of(recipe, data)) << line;
}

TEST(CopiedCommandLine, DrawsTheSameBytesOfTwoStepsSetAgainstEachOther) {
  const TempFolder folder;
  for (const Dataset& series : {lens_series_data(), edges()}) {
    PlotRecipe recipe;
    recipe.result = (folder.path() / "now.h5").string();
    recipe.against = (folder.path() / "then.h5").string();
    const Dataset now = series.at("step", 1), then = series.at("step", 0);
    write_dataset(recipe.result, now);
    write_dataset(recipe.against, then);
    recipe.step = 1000;
    recipe.against_step = 512;
    for (const View* view : views_for(now)) {
      recipe.view = view->name;
      recipe.output = (folder.path() / (view->name + ".svg")).string();
      Compared both = compare(*view, now, recipe.step, then, recipe.against_step);
      recipe.options = std::move(both.options);
      recipe.selection.at = {{"step", 1}, {"layer", 1}};
      expect_same_bytes(recipe, both.data);
    }
  }
}

TEST(CopiedCommandLine, DrawsTheSameBytesOfASeriesMinusOneOfItsSteps) {
  const TempFolder folder;
  const Dataset series = lens_series_data();
  PlotRecipe recipe;
  recipe.result = (folder.path() / "series.h5").string();
  recipe.against = "step=" + series.coord("step")->text(1);
  write_dataset(recipe.result, series);
  for (const View* view : views_for(series)) {
    recipe.view = view->name;
    recipe.output = (folder.path() / (view->name + ".svg")).string();
    recipe.options = options_of_difference(*view);
    expect_same_bytes(recipe, difference_to(series, 1));
  }
}

TEST(Plot, AgainstWhatCannotBeComparedIsAnError) {
  const TempFolder folder;
  const std::string series = (folder.path() / "series.h5").string(),
                    other = (folder.path() / "other.h5").string(), file = folder.path() / "a.svg";
  write_dataset(series, edges());
  write_dataset(other, edges().at("step", 0));
  const auto code = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"plot", series, "-o", file, "--view", "heat-map"});
    return varve_run(more).exit_code;
  };
  EXPECT_EQ(code({"--against", other}), 3) << "another shape";
  EXPECT_EQ(code({"--against", "step=7"}), 2) << "no such step";
  EXPECT_EQ(code({"--against", series, "--steps", "7"}), 2);
  EXPECT_EQ(code({"--against", series, "--steps", "7,x"}), 2);
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(CopiedCommandLine, SaysWhatDiffersFromTheViewsOwn) {
  PlotRecipe recipe;
  recipe.result = "runs/a \"b\".varve:3f9a";
  recipe.view = "lines";
  recipe.options = {{"array", "cross_entropy"}, {"log", "true"}, {"bands", "true"}};
  recipe.selection.at = {{"step", 11}, {"layer", 3}, {"token", 9}};
  recipe.theme = "dark";
  recipe.width = 700;
  recipe.height = 400;
  recipe.output = "loss.svg";
  EXPECT_EQ(
      plot_line(recipe, lens_series_data()),
      "varve plot 'runs/a \"b\".varve:3f9a' --view lines --set array=cross_entropy --set log=true --select "
      "layer=3 --select step=1000 --theme dark --size 700x400 -o loss.svg");
}

}  // namespace
}  // namespace varve
