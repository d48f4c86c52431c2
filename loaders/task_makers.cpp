// Tasks made from templates, for any tokenizer: induction, copying, greater-than and indirect objects.
#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>

#include <fmt/ranges.h>

#include "analysis/core/error.h"
#include "analysis/core/settings.h"
#include "analysis/core/text.h"
#include "analysis/model/named_numbers.h"
#include "loaders/tasks.h"

namespace varve {
namespace {

// What every task is asked for in numbers, and how many pairs of it.
Numbers task_numbers(const std::string& maker, const std::string& text, Numbers values) {
  const std::string whose = fmt::format("task '{}'", maker);
  values = read_numbers(whose, text, std::move(values));
  const int64_t pairs = values.at("pairs");
  if (pairs < 1 || pairs > 100000)
    fail_usage("{}: pairs is {} but must lie between 1 and 100000", whose, pairs);
  return values;
}

// The generator's raw numbers are the same on every machine; so is what is made of them here.
class Random {
 public:
  explicit Random(int64_t seed) : bits_(static_cast<uint64_t>(seed)) {}
  int64_t below(int64_t count) { return static_cast<int64_t>(bits_() % static_cast<uint64_t>(count)); }
  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[static_cast<size_t>(below(static_cast<int64_t>(all.size())))];
  }
  // `count` different numbers of [low, high).
  std::vector<int64_t> different(int64_t count, int64_t low, int64_t high) {
    std::set<int64_t> seen;
    std::vector<int64_t> drawn;
    while (static_cast<int64_t>(drawn.size()) < count)
      if (const int64_t id = low + below(high - low); seen.insert(id).second) drawn.push_back(id);
    return drawn;
  }

 private:
  std::mt19937_64 bits_;
};

void put_first(const Numbers& values, std::vector<int64_t>& ids) {
  if (values.at("first") >= 0) ids.insert(ids.begin(), values.at("first"));
}

// r[0 .. n-1] r[0 .. k]: what followed r[k] before comes next. Corrupted: in the first copy r[k] and r[j]
// have changed places, so that r[j + 1] followed r[k]; which tokens there are and how often stays the same,
// only what stands before what does not.
Probes induction(const std::string& settings, int64_t vocab) {
  const Numbers values =
      task_numbers("induction", settings,
                   {{"pairs", 16}, {"period", 12}, {"seed", 0}, {"first", 0}, {"low", 1}, {"high", vocab}});
  const int64_t period = values.at("period"), low = values.at("low"), high = values.at("high");
  if (period < 5 || low < 0 || high > vocab || high - low < period)
    fail_usage(
        "task 'induction': a period of 5 or more different tokens is needed, not {} of ids {} to {} "
        "(vocabulary {})",
        period, low, high, vocab);
  Random random(values.at("seed"));
  Probes probes;
  for (int64_t pair = 0; pair < values.at("pairs"); ++pair) {
    const std::vector<int64_t> ids = random.different(period, low, high);
    const int64_t at = random.below(period - 1);
    int64_t other = at;
    while (std::abs(other - at) < 2) other = random.below(period - 1);
    std::vector<int64_t> clean = ids, corrupted = ids;
    std::swap(corrupted[static_cast<size_t>(at)], corrupted[static_cast<size_t>(other)]);
    for (auto* prompt : {&clean, &corrupted}) {
      prompt->insert(prompt->end(), ids.begin(), ids.begin() + at + 1);
      put_first(values, *prompt);
    }
    probes.prompts.push_back(clean);
    probes.questions.push_back(
        {corrupted, {ids[static_cast<size_t>(at) + 1]}, {ids[static_cast<size_t>(other) + 1]}, -1});
  }
  return probes;
}

// a b a b ... a: the token before comes next. Corrupted: it was another.
Probes previous_token(const std::string& settings, int64_t vocab) {
  const Numbers values =
      task_numbers("previous-token", settings,
                   {{"pairs", 16}, {"repeats", 3}, {"seed", 0}, {"first", 0}, {"low", 1}, {"high", vocab}});
  const int64_t repeats = values.at("repeats"), low = values.at("low"), high = values.at("high");
  if (repeats < 1 || repeats > 1000 || low < 0 || high > vocab || high - low < 3)
    fail_usage("task 'previous-token': {} repeats of ids {} to {} cannot be made (vocabulary {})", repeats,
               low, high, vocab);
  Random random(values.at("seed"));
  Probes probes;
  for (int64_t pair = 0; pair < values.at("pairs"); ++pair) {
    const std::vector<int64_t> ids = random.different(3, low, high);
    std::vector<int64_t> clean, corrupted;
    for (int64_t i = 0; i < repeats; ++i) {
      clean.insert(clean.end(), {ids[0], ids[1]});
      corrupted.insert(corrupted.end(), {ids[0], ids[2]});
    }
    for (auto* prompt : {&clean, &corrupted}) {
      prompt->push_back(ids[0]);
      put_first(values, *prompt);
    }
    probes.prompts.push_back(clean);
    probes.questions.push_back({corrupted, {ids[1]}, {ids[2]}, -1});
  }
  return probes;
}

std::vector<int64_t> ids_of(const Tokenizer& tokenizer, const std::string& text) {
  std::vector<int64_t> ids;
  for (const Token& token : tokenizer.encode(text)) ids.push_back(token.id);
  return ids;
}

std::optional<int64_t> token_if_single(const Tokenizer& tokenizer, const std::string& text) {
  const std::vector<int64_t> ids = ids_of(tokenizer, text);
  return ids.size() == 1 ? std::optional<int64_t>(ids[0]) : std::nullopt;
}

const Tokenizer& needed(const std::string& maker, const Tokenizer* tokenizer) {
  if (tokenizer == nullptr)
    fail("the task '{}' is made of text, and the series came without a tokenizer; try 'induction'", maker);
  return *tokenizer;
}

// "The war lasted from the year 1732 to the year 17": greater years are right (Hanna et al. 2023).
Probes greater_than(const std::string& settings, const Tokenizer& tokenizer) {
  const Numbers values = task_numbers("greater-than", settings, {{"pairs", 16}, {"seed", 0}, {"first", -1}});
  std::vector<int64_t> years;
  for (int year = 0; year < 100; ++year) years.push_back(single_token(tokenizer, fmt::format("{:02}", year)));
  static const std::vector<std::string> nouns = {"war",     "plan",    "contract", "campaign", "voyage",
                                                 "dynasty", "program", "reign",    "project",  "study"};
  Random random(values.at("seed"));
  Probes probes;
  for (int64_t pair = 0; pair < values.at("pairs"); ++pair) {
    const int64_t century = 11 + random.below(8), year = 2 + random.below(97);
    const std::string& noun = random.one_of(nouns);
    const auto prompt = [&](int64_t shown) {
      std::vector<int64_t> ids = ids_of(
          tokenizer,
          fmt::format("The {} lasted from the year {}{:02} to the year {}", noun, century, shown, century));
      put_first(values, ids);
      return ids;
    };
    Question question{prompt(1), {}, {}, -1};
    for (int64_t i = 0; i < 100; ++i)
      (i > year ? question.correct : question.incorrect).push_back(years[static_cast<size_t>(i)]);
    probes.prompts.push_back(prompt(year));
    probes.questions.push_back(std::move(question));
  }
  return probes;
}

// "When Mary and John went to the shop, John gave a book to": Mary. Corrupted: a third name gave it.
Probes indirect_object(const std::string& settings, const Tokenizer& tokenizer) {
  const Numbers values = task_numbers("ioi", settings, {{"pairs", 16}, {"seed", 0}, {"first", -1}});
  static const std::vector<std::string> all = {
      "Mary",  "John",  "Tom",    "James", "Anna",  "Paul",  "Mark",  "Sarah", "David", "Peter",
      "Alice", "Henry", "George", "Jack",  "Laura", "Kate",  "Simon", "Lucy",  "Emma",  "Robert",
      "Jane",  "Frank", "Martin", "Susan", "Adam",  "Scott", "Amy",   "Kevin", "Lisa",  "William"};
  static const std::vector<std::string> places = {"shop", "park", "school", "house", "station"};
  static const std::vector<std::string> things = {"book", "letter", "ring", "drink", "ball"};
  static const std::vector<std::string> templates = {
      "When {} and {} went to the {}, {} gave a {} to",
      "Then, {} and {} were working at the {}. {} decided to give a {} to",
      "After {} and {} came to the {}, {} handed a {} to"};
  std::vector<std::string> names;
  for (const std::string& name : all)
    if (token_if_single(tokenizer, " " + name)) names.push_back(name);
  if (names.size() < 3)
    fail("the task 'ioi' needs names that are single tokens, and this tokenizer has {} of {} ({})",
         names.size(), all.size(), fmt::join(names, ", "));
  Random random(values.at("seed"));
  Probes probes;
  for (int64_t pair = 0; pair < values.at("pairs"); ++pair) {
    const std::vector<int64_t> drawn = random.different(3, 0, static_cast<int64_t>(names.size()));
    const auto name = [&](size_t i) { return names[static_cast<size_t>(drawn[i])]; };
    const std::string &text = random.one_of(templates), &place = random.one_of(places),
                      &thing = random.one_of(things);
    const bool swapped = random.below(2) == 1;
    const auto prompt = [&](const std::string& giver) {
      const std::string one = name(swapped ? 1 : 0), other = name(swapped ? 0 : 1);
      std::vector<int64_t> ids =
          ids_of(tokenizer, fmt::format(fmt::runtime(text), one, other, place, giver, thing));
      put_first(values, ids);
      return ids;
    };
    probes.prompts.push_back(prompt(name(1)));
    probes.questions.push_back({prompt(name(2)),
                                {single_token(tokenizer, " " + name(0))},
                                {single_token(tokenizer, " " + name(1))},
                                -1});
  }
  return probes;
}

}  // namespace

int64_t single_token(const Tokenizer& tokenizer, const std::string& text) {
  const std::vector<int64_t> ids = ids_of(tokenizer, text);
  if (ids.size() == 1) return ids[0];
  std::vector<std::string> pieces;
  for (const int64_t id : ids) pieces.push_back(show_piece(tokenizer.piece(id)));
  fail("'{}' must be one token to be an answer, but this tokenizer makes {} of it: {}", text, ids.size(),
       fmt::join(pieces, "|"));
}

std::vector<std::string> task_makers() { return {"greater-than", "induction", "ioi", "previous-token"}; }

Probes make_task(const std::string& description, const Tokenizer* tokenizer, int64_t vocab) {
  const size_t colon = description.find(':');
  const std::string name = description.substr(0, colon);
  const std::string settings = colon == std::string::npos ? "" : description.substr(colon + 1);
  Probes probes;
  if (name == "induction")
    probes = induction(settings, vocab);
  else if (name == "previous-token")
    probes = previous_token(settings, vocab);
  else if (name == "greater-than")
    probes = greater_than(settings, needed(name, tokenizer));
  else if (name == "ioi")
    probes = indirect_object(settings, needed(name, tokenizer));
  else
    fail_usage("there is no task '{}'; did you mean '{}'? A file ends in .toml, .jsonl or .csv; made are: {}",
               name, nearest(name, task_makers()), fmt::join(task_makers(), ", "));
  probes.name = "task " + description;
  check_probes(probes, vocab, probes.longest());
  return probes;
}

}  // namespace varve
