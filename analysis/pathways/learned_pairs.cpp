// Matches what was memorised with what was learned to be solved.
#include "analysis/pathways/learned_pairs.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "analysis/pathways/assignment.h"
#include "analysis/pathways/estimates.h"
#include "analysis/pathways/memorisation.h"

namespace varve {
namespace {

// Unit vectors, so that their product is a cosine. A zero row is an Error.
std::vector<std::vector<double>> unit_rows(const Inputs& inputs, const std::string& input, int64_t rows) {
  const Array& array = only_array(inputs, input);
  if (array.axes().size() != 2 || array.shape()[0] != rows)
    fail("the input '{}' must hold one row for each of {} items, but it holds {} along {} axes", input, rows,
         array.axes().empty() ? 0 : array.shape()[0], array.axes().size());
  const int64_t width = array.shape()[1];
  std::vector<std::vector<double>> all;
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<double>& unit = all.emplace_back();
    double square = 0;
    for (int64_t i = 0; i < width; ++i) {
      unit.push_back(array.number(row * width + i));
      square += unit.back() * unit.back();
    }
    if (!(square > 0) || !std::isfinite(square)) fail("row {} of '{}' is zero or not finite", row, input);
    for (double& value : unit) value /= std::sqrt(square);
  }
  return all;
}

// Mean of all pairwise cosines = product of the two mean vectors.
std::vector<double> mean_vector(const std::vector<std::vector<double>>& units, const LearnedGroup& group) {
  std::vector<double> mean(units.front().size(), 0);
  for (const int64_t i : group.members)
    for (size_t d = 0; d < mean.size(); ++d)
      mean[d] += units[static_cast<size_t>(i)][d] / static_cast<double>(group.members.size());
  return mean;
}

struct Matched {
  const LearnedGroup *sample, *test;
  double similarity;
};

std::vector<Matched> matches(const std::vector<LearnedGroup>& samples, const std::vector<LearnedGroup>& tests,
                             const std::vector<std::vector<double>>& embeddings,
                             const std::vector<std::vector<double>>& test_embeddings) {
  std::set<std::string> domains;
  for (const LearnedGroup& group : samples) domains.insert(group.domain);
  std::vector<Matched> all;
  for (const std::string& domain : domains) {
    std::vector<const LearnedGroup*> rows, columns;
    for (const LearnedGroup& group : samples)
      if (group.domain == domain) rows.push_back(&group);
    for (const LearnedGroup& group : tests)
      if (group.domain == domain) columns.push_back(&group);
    std::vector<double> score;
    for (const LearnedGroup* row : rows)
      for (const LearnedGroup* column : columns) {
        const std::vector<double> a = mean_vector(embeddings, *row),
                                  b = mean_vector(test_embeddings, *column);
        double product = 0;
        for (size_t d = 0; d < a.size(); ++d) product += a[d] * b[d];
        score.push_back(product);
      }
    const std::vector<int64_t> chosen =
        best_assignment(score, static_cast<int64_t>(rows.size()), static_cast<int64_t>(columns.size()));
    for (size_t row = 0; row < rows.size(); ++row)
      if (chosen[row] >= 0)
        all.push_back({rows[row], columns[static_cast<size_t>(chosen[row])],
                       score[row * columns.size() + static_cast<size_t>(chosen[row])]});
  }
  return all;
}

}  // namespace

std::string LearnedGroup::name() const { return fmt::format("{}@{}", domain, step); }

std::vector<LearnedGroup> learned_groups(const LearnedSamples& samples) {
  std::map<std::pair<std::string, int64_t>, std::vector<int64_t>> found;
  for (size_t i = 0; i < samples.step.size(); ++i)
    if (samples.step[i] >= 0) found[{samples.domain[i], samples.step[i]}].push_back(static_cast<int64_t>(i));
  std::vector<LearnedGroup> groups;
  for (auto& [key, members] : found) groups.push_back({key.first, key.second, std::move(members)});
  return groups;
}

void add_learned_pairs(Dataset& series, const LearnedSamples& samples, const Dataset& correct,
                       const Inputs& inputs) {
  const Array& answers = only_array(inputs, "correct");
  const Array* ticks = answers.axes().empty() ? nullptr : correct.coord(answers.axes().front());
  if (answers.axes().size() != 2 || !ticks)
    fail("the input 'correct' must lie over step and test item, with the steps named");
  const int64_t steps = answers.shape()[0], items = answers.shape()[1];
  LearnedSamples solved;
  std::vector<double> solved_step, curve(static_cast<size_t>(steps));
  for (int64_t item = 0; item < items; ++item) {
    for (int64_t t = 0; t < steps; ++t) curve[static_cast<size_t>(t)] = answers.number(t * items + item);
    const int64_t at = solved_at(curve);
    solved_step.push_back(at < 0 ? std::nan("") : ticks->number(at));
    solved.step.push_back(at < 0 || at + 1 == steps ? -1 : static_cast<int64_t>(ticks->number(at)));
  }
  if (find_input(inputs, "test_groups")) {
    const Array& labels = only_array(inputs, "test_groups");
    if (labels.axes().size() != 1 || labels.size() != items)
      fail("the input 'test_groups' holds {} labels for {} test items", labels.size(), items);
    for (int64_t item = 0; item < items; ++item) solved.domain.push_back(labels.text(item));
  } else {
    solved.domain.assign(static_cast<size_t>(items), "all samples");
  }
  series.set("solved_step", titled({"item"}, {items}, std::move(solved_step),
                                   "step from which on the test item stays right; NaN: never", "step"));
  if (!find_input(inputs, "embeddings") || !find_input(inputs, "test_embeddings")) {
    series.notes.push_back("Without embeddings of samples and test items their groups are not matched.");
    return;
  }
  const auto embeddings = unit_rows(inputs, "embeddings", static_cast<int64_t>(samples.step.size()));
  const auto test_embeddings = unit_rows(inputs, "test_embeddings", items);
  if (!embeddings.empty() && !test_embeddings.empty() && embeddings[0].size() != test_embeddings[0].size())
    fail("embeddings of samples have {} components and those of test items {}", embeddings[0].size(),
         test_embeddings[0].size());
  const std::vector<LearnedGroup> rows = learned_groups(samples), columns = learned_groups(solved);
  const std::vector<Matched> all = matches(rows, columns, embeddings, test_embeddings);
  std::vector<std::string> names;
  std::vector<int64_t> from, to, delay, n, m;
  std::vector<double> similarity;
  for (const Matched& one : all) {
    names.push_back(fmt::format("{} -> {}", one.sample->name(), one.test->name()));
    from.push_back(one.sample->step);
    to.push_back(one.test->step);
    delay.push_back(one.test->step - one.sample->step);
    n.push_back(static_cast<int64_t>(one.sample->members.size()));
    m.push_back(static_cast<int64_t>(one.test->members.size()));
    similarity.push_back(one.similarity);
  }
  const auto count = static_cast<int64_t>(all.size());
  if (count == 0) {
    series.notes.push_back(
        "No domain has both a group of memorised samples and a group of solved test items.");
    return;
  }
  series.set("memorised_step",
             titled({"pair"}, {count}, from, "step the samples are memorised from", "step"));
  series.set("test_step", titled({"pair"}, {count}, to, "step the test items stay right from", "step"));
  series.set("delay", titled({"pair"}, {count}, delay, "test step less memorised step", "step"));
  series.set("similarity",
             titled({"pair"}, {count}, similarity, "mean cosine between samples and test items", "cosine"));
  series.set("samples", titled({"pair"}, {count}, n, "samples in the group", "samples"));
  series.set("items", titled({"pair"}, {count}, m, "test items in the group", "items"));
  series.set_coord("pair", Array({"pair"}, {count}, names));
}

}  // namespace varve
