// Lists of steps, as written on the command line and in recipes.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped_at, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc{} || stopped_at != end || value < 0) return std::nullopt;
  return value;
}

int64_t nearest_step(int64_t wanted, const std::vector<int64_t>& existing) {
  const auto distance = [wanted](int64_t step) {
    return step > wanted ? static_cast<uint64_t>(step) - static_cast<uint64_t>(wanted)
                         : static_cast<uint64_t>(wanted) - static_cast<uint64_t>(step);
  };
  return *std::ranges::min_element(existing, {}, distance);
}

[[noreturn]] void fail_term(std::string_view term) {
  fail_usage(
      "'{}' is not a list of steps; write steps as 512, stretches as 1000:9000:1000 or 1:512:x2, or first, "
      "last",
      term);
}

// a:b:s and a:b:xK, in that stretch of the existing steps.
std::vector<int64_t> stretch(std::string_view term, const std::vector<int64_t>& existing) {
  const std::vector<std::string> parts = split(term, ':');
  if (parts.size() != 3) fail_term(term);
  const bool geometric = parts[2].starts_with('x');
  const auto from = whole_number(parts[0]), to = whole_number(parts[1]);
  const auto by = whole_number(std::string_view(parts[2]).substr(geometric ? 1 : 0));
  if (!from || !to || !by) fail_term(term);
  if (*from > *to) fail_usage("the stretch '{}' ends before it begins", term);
  if (!geometric && *by < 1) fail_usage("the stretch '{}' must advance by 1 or more", term);
  if (geometric && (*by < 2 || *from < 1))
    fail_usage("the stretch '{}' must begin at 1 or more and grow by x2 or more", term);

  std::vector<int64_t> chosen;
  if (geometric) {
    for (int64_t step = *from; step <= *to;) {
      if (std::ranges::binary_search(existing, step)) chosen.push_back(step);
      if (__builtin_mul_overflow(step, *by, &step)) break;
    }
  } else {
    for (int64_t step : existing)
      if (step >= *from && step <= *to && (step - *from) % *by == 0) chosen.push_back(step);
  }
  if (chosen.empty())
    fail_usage("the stretch '{}' meets none of the {} steps there are; the nearest to its start is {}", term,
               existing.size(), nearest_step(*from, existing));
  return chosen;
}

}  // namespace

std::vector<int64_t> parse_steps(const std::string& list, const std::vector<int64_t>& existing) {
  if (existing.empty()) fail_usage("the steps '{}' were asked for, but there are no steps at all", list);
  std::vector<int64_t> sorted = existing;
  std::ranges::sort(sorted);
  std::set<int64_t> chosen;
  for (const std::string& part : split(list, ',')) {
    const std::string_view term = trimmed(part);
    if (term == "first") {
      chosen.insert(sorted.front());
    } else if (term == "last") {
      chosen.insert(sorted.back());
    } else if (term.find(':') != std::string_view::npos) {
      const std::vector<int64_t> steps = stretch(term, sorted);
      chosen.insert(steps.begin(), steps.end());
    } else {
      const auto step = whole_number(term);
      if (!step) fail_term(term);
      if (!std::ranges::binary_search(sorted, *step))
        fail_usage("there is no step {}; the nearest of the {} there are is {}", *step, sorted.size(),
                   nearest_step(*step, sorted));
      chosen.insert(*step);
    }
  }
  return {chosen.begin(), chosen.end()};
}

}  // namespace varve
