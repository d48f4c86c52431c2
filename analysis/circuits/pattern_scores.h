// What one attention pattern looks like: how much of it lies where a known kind of head looks.
//
// a [query, key]: one head's causal pattern of one prompt. Stripes are means along a diagonal query - key =
// d; masks are the tool detect_head's: M is 1 where such a head looks, `mul` = sum a M / sum a, `abs` = 1 -
// sum |a - M| / queries.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace varve {

// How the tokens of a prompt repeat, which is what the scores of copying heads are about.
struct Repeats {
  int64_t length = 0;
  int64_t period = 0;  // tokens 1.. repeat after so many; 0: they do not
  std::vector<int64_t> tokens;
};
// `period` 0: the smallest there is.
Repeats repeats_of(const std::vector<int64_t>& tokens, int64_t period);

// Which queries the induction score averages over, p being the period: those of the second copy (p + 1 on),
// those from p on, or the whole diagonal (p - 1 on).
enum class InductionQueries { second_copy, from_period, all };

// Names of the scores, in the order that `pattern_scores` gives them.
const std::vector<std::string>& pattern_score_names();
std::string pattern_score_title(const std::string& name);
// NaN where the prompt has nothing to score: no repeat, too short.
std::vector<double> pattern_scores(const Repeats& repeats, InductionQueries queries,
                                   const std::function<double(int64_t query, int64_t key)>& a);
// What a head that attends evenly to all it may see would score for induction, on these queries.
double even_induction(const Repeats& repeats, InductionQueries queries);

}  // namespace varve
