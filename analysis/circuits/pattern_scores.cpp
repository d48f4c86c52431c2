// Stripes, matching prefixes and masks over one attention pattern.
#include "analysis/circuits/pattern_scores.h"

#include <cmath>
#include <limits>

#include "analysis/core/error.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
using Pattern = std::function<double(int64_t query, int64_t key)>;

struct Named {
  const char* name;
  const char* title;
};
constexpr Named scores[] = {
    {"induction", "mean attention to the token after the earlier copy"},
    {"induction_stripe", "the same along the whole diagonal query - key = period - 1"},
    {"duplicate_token", "mean attention to the earlier copy of the same token"},
    {"previous_token", "mean attention to the token before"},
    {"current_token", "mean attention to the token itself"},
    {"first_token", "mean attention to the first token"},
    {"entropy", "mean entropy of the attention of one query"},
    {"prefix_matching", "mean summed attention to tokens that followed earlier copies (Olsson et al. 2022)"},
    {"previous_token_mul", "share of all attention on the token before"},
    {"previous_token_abs", "1 - mean |attention - mask| for the token before"},
    {"previous_token_mul_inner", "share on the token before, first column and diagonal left out"},
    {"duplicate_token_mul", "share of all attention on earlier copies"},
    {"duplicate_token_abs", "1 - mean |attention - mask| for earlier copies"},
    {"duplicate_token_mul_inner", "share on earlier copies, first column and diagonal left out"},
    {"induction_mul", "share of all attention on tokens after earlier copies"},
    {"induction_abs", "1 - mean |attention - mask| for tokens after earlier copies"},
    {"induction_mul_inner", "share on tokens after earlier copies, first column and diagonal left out"},
};

// Mean of a[q, q - apart] for q in [first, length).
double stripe(const Repeats& repeats, int64_t apart, int64_t first, const Pattern& a) {
  double sum = 0;
  int64_t count = 0;
  for (int64_t query = std::max(first, apart); query < repeats.length; ++query, ++count)
    sum += a(query, query - apart);
  return count == 0 ? missing : sum / static_cast<double>(count);
}

int64_t first_query(const Repeats& repeats, InductionQueries queries) {
  if (queries == InductionQueries::second_copy) return repeats.period + 1;
  return queries == InductionQueries::from_period ? repeats.period : repeats.period - 1;
}

double mean_entropy(const Repeats& repeats, const Pattern& a) {
  double sum = 0;
  for (int64_t query = 0; query < repeats.length; ++query)
    for (int64_t key = 0; key <= query; ++key)
      if (const double p = a(query, key); p > 0) sum -= p * std::log(p);
  return sum / static_cast<double>(repeats.length);
}

// The first token is no part of the text that repeats.
double prefix_matching(const Repeats& repeats, const Pattern& a) {
  double sum = 0;
  int64_t count = 0;
  for (int64_t query = 2; query < repeats.length; ++query) {
    double here = 0;
    bool any = false;
    for (int64_t key = 2; key <= query; ++key) {
      const bool follows =
          repeats.tokens[static_cast<size_t>(key - 1)] == repeats.tokens[static_cast<size_t>(query)];
      if (!follows) continue;
      any = true;
      here += a(query, key);
    }
    sum += any ? here : 0;
    count += any ? 1 : 0;
  }
  return count == 0 ? missing : sum / static_cast<double>(count);
}

void add_mask_scores(const Repeats& repeats, const Pattern& a,
                     const std::function<bool(int64_t query, int64_t key)>& mask, std::vector<double>& out) {
  double on = 0, all = 0, apart = 0, inner_on = 0, inner_all = 0;
  for (int64_t query = 0; query < repeats.length; ++query)
    for (int64_t key = 0; key <= query; ++key) {
      const double value = a(query, key), wanted = mask(query, key) ? 1 : 0;
      on += value * wanted;
      all += value;
      apart += std::abs(value - wanted);
      if (key == 0 || key == query) continue;
      inner_on += value * wanted;
      inner_all += value;
    }
  out.push_back(all > 0 ? on / all : missing);
  out.push_back(1 - apart / static_cast<double>(repeats.length));
  out.push_back(inner_all > 0 ? inner_on / inner_all : missing);
}

}  // namespace

Repeats repeats_of(const std::vector<int64_t>& tokens, int64_t period) {
  Repeats repeats{static_cast<int64_t>(tokens.size()), 0, tokens};
  const auto fits = [&](int64_t p) {
    if (p < 1 || p + 1 >= repeats.length) return false;
    for (int64_t i = 1; i + p < repeats.length; ++i)
      if (tokens[static_cast<size_t>(i)] != tokens[static_cast<size_t>(i + p)]) return false;
    return true;
  };
  if (period > 0) {
    if (!fits(period))
      fail_usage("the prompts do not repeat after {} tokens (the first one left out)", period);
    repeats.period = period;
    return repeats;
  }
  for (int64_t p = 1; p + 1 < repeats.length && repeats.period == 0; ++p)
    if (fits(p)) repeats.period = p;
  // A repeat of less than half of it is chance.
  if (repeats.period > 0 && repeats.length - 1 < repeats.period + (repeats.period + 1) / 2)
    repeats.period = 0;
  return repeats;
}

const std::vector<std::string>& pattern_score_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Named& score : scores) all.push_back(score.name);
    return all;
  }();
  return names;
}

std::string pattern_score_title(const std::string& name) {
  for (const Named& score : scores)
    if (score.name == name) return score.title;
  return name;
}

std::vector<double> pattern_scores(const Repeats& repeats, InductionQueries queries, const Pattern& a) {
  const int64_t period = repeats.period;
  const bool repeated = period > 0;
  std::vector<double> out = {
      repeated ? stripe(repeats, period - 1, first_query(repeats, queries), a) : missing,
      repeated ? stripe(repeats, period - 1, 0, a) : missing,
      repeated ? stripe(repeats, period, 0, a) : missing,
      stripe(repeats, 1, 1, a),
      stripe(repeats, 0, 0, a),
  };
  double sink = 0;
  for (int64_t query = 1; query < repeats.length; ++query) sink += a(query, 0);
  out.push_back(repeats.length > 1 ? sink / static_cast<double>(repeats.length - 1) : missing);
  out.push_back(mean_entropy(repeats, a));
  out.push_back(prefix_matching(repeats, a));
  const auto same = [&](int64_t one, int64_t other) {
    return repeats.tokens[static_cast<size_t>(one)] == repeats.tokens[static_cast<size_t>(other)];
  };
  add_mask_scores(
      repeats, a, [](int64_t query, int64_t key) { return key == query - 1; }, out);
  add_mask_scores(
      repeats, a, [&](int64_t query, int64_t key) { return key < query && same(query, key); }, out);
  add_mask_scores(
      repeats, a, [&](int64_t query, int64_t key) { return key > 0 && same(query, key - 1); }, out);
  return out;
}

double even_induction(const Repeats& repeats, InductionQueries queries) {
  if (repeats.period == 0) return missing;
  return stripe(repeats, repeats.period - 1, first_query(repeats, queries),
                [](int64_t query, int64_t) { return 1 / static_cast<double>(query + 1); });
}

}  // namespace varve
