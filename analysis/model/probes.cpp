// Token lists that analyses run on: the packs that can be made from a seed, and the check before a forward.
#include "analysis/model/probes.h"

#include <algorithm>

#include "analysis/core/digest.h"
#include "analysis/core/error.h"
#include "analysis/core/settings.h"
#include "analysis/model/named_numbers.h"

namespace varve {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014, figure 17): the same ids on every machine, unlike std distributions.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  // Even over [low, high): draws from the uneven rest of 2^64 are thrown away.
  int64_t between(int64_t low, int64_t high) {
    const uint64_t span = static_cast<uint64_t>(high - low);
    const uint64_t rest = (UINT64_MAX % span + 1) % span;
    uint64_t drawn = next();
    while (drawn > UINT64_MAX - rest) drawn = next();
    return low + static_cast<int64_t>(drawn % span);
  }

 private:
  uint64_t next() {
    uint64_t mixed = (state_ += 0x9e3779b97f4a7c15u);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
  }
  uint64_t state_;
};

void need(const std::string& pack, const Numbers& values, const std::string& name, int64_t low,
          int64_t high) {
  const int64_t value = values.at(name);
  if (value < low || value > high)
    fail_usage("probe pack '{}': {} is {} but must lie between {} and {}", pack, name, value, low, high);
}

// One token `first`, then `period` random ids twice: what an induction head is looked for with.
Probes repeat_random(const std::string& pack, const std::string& settings, int64_t vocab) {
  // Ids below 1 are left out where the vocabulary allows: id 0 is the first token.
  Numbers values = {{"prompts", 8}, {"period", 24}, {"seed", 0}, {"first", 0}, {"low", 1}, {"high", vocab}};
  values = read_numbers("probe pack '" + pack + "'", settings, std::move(values));
  constexpr int64_t most = 1000000;
  need(pack, values, "prompts", 1, most);
  need(pack, values, "period", 1, most);
  need(pack, values, "seed", 0, INT64_MAX);
  need(pack, values, "first", 0, vocab - 1);
  need(pack, values, "low", 0, vocab - 1);
  need(pack, values, "high", values.at("low") + 1, vocab);
  if (values.at("prompts") * values.at("period") > 100 * most)
    fail_usage("probe pack '{}': {} prompts of period {} are too many tokens", pack, values.at("prompts"),
               values.at("period"));
  Random random(static_cast<uint64_t>(values.at("seed")));
  Probes probes;
  for (int64_t prompt = 0; prompt < values.at("prompts"); ++prompt) {
    std::vector<int64_t> period;
    for (int64_t i = 0; i < values.at("period"); ++i)
      period.push_back(random.between(values.at("low"), values.at("high")));
    std::vector<int64_t> ids = {values.at("first")};
    ids.insert(ids.end(), period.begin(), period.end());
    ids.insert(ids.end(), period.begin(), period.end());
    probes.prompts.push_back(std::move(ids));
  }
  probes.name = fmt::format("{} v1 prompts {} period {} seed {} first {} ids {}:{}", pack,
                            values.at("prompts"), values.at("period"), values.at("seed"), values.at("first"),
                            values.at("low"), values.at("high"));
  return probes;
}

void check_questions(const Probes& probes, int64_t vocab) {
  if (probes.questions.size() != probes.prompts.size())
    fail("a task has {} questions for {} prompts; each prompt needs one", probes.questions.size(),
         probes.prompts.size());
  for (size_t prompt = 0; prompt < probes.prompts.size(); ++prompt) {
    const Question& question = probes.questions[prompt];
    const auto length = static_cast<int64_t>(probes.prompts[prompt].size());
    if (!question.corrupted.empty() && static_cast<int64_t>(question.corrupted.size()) != length)
      fail("pair {}: the clean prompt has {} tokens and the corrupted one {}; they must be equally long",
           prompt, length, question.corrupted.size());
    if (question.position < -length || question.position >= length)
      fail("pair {}: the answer is read at position {} of a prompt of {} tokens", prompt, question.position,
           length);
    for (const auto* ids : {&question.corrupted, &question.correct, &question.incorrect})
      for (const int64_t id : *ids)
        if (id < 0 || id >= vocab)
          fail("pair {}: token id {} is outside the model's vocabulary of {}", prompt, id, vocab);
  }
}

void add_ids(Digest& digest, const std::vector<int64_t>& ids) {
  const int64_t length = static_cast<int64_t>(ids.size());
  digest.add(&length, sizeof(length));
  digest.add(ids.data(), ids.size() * sizeof(int64_t));
}

}  // namespace

std::string Probes::digest() const {
  Digest digest;
  const int64_t count = static_cast<int64_t>(prompts.size());
  digest.add(&count, sizeof(count));
  for (const std::vector<int64_t>& ids : prompts) add_ids(digest, ids);
  for (const Question& question : questions) {
    for (const auto* ids : {&question.corrupted, &question.correct, &question.incorrect})
      add_ids(digest, *ids);
    digest.add(&question.position, sizeof(question.position));
  }
  return digest.hex();
}

int64_t Probes::longest() const {
  size_t longest = 0;
  for (const std::vector<int64_t>& ids : prompts) longest = std::max(longest, ids.size());
  return static_cast<int64_t>(longest);
}

int64_t Probes::tokens() const {
  size_t tokens = 0;
  for (const std::vector<int64_t>& ids : prompts) tokens += ids.size();
  return static_cast<int64_t>(tokens);
}

std::vector<std::string> pack_names() { return {"induction", "repeat-random"}; }

Probes make_pack(const std::string& description, int64_t vocab) {
  if (vocab < 2) fail("a probe pack needs a vocabulary of two tokens or more, not {}", vocab);
  const size_t colon = description.find(':');
  const std::string name = description.substr(0, colon);
  const std::string settings = colon == std::string::npos ? "" : description.substr(colon + 1);
  for (const std::string& known : pack_names())
    if (name == known) return repeat_random(name, settings, vocab);
  fail_usage("there is no probe pack '{}'; did you mean '{}'? There are: induction, repeat-random", name,
             nearest(name, pack_names()));
}

void check_probes(const Probes& probes, int64_t vocab, int64_t context) {
  if (probes.prompts.empty()) fail("there are no prompts to run");
  for (size_t prompt = 0; prompt < probes.prompts.size(); ++prompt) {
    const std::vector<int64_t>& ids = probes.prompts[prompt];
    if (ids.empty()) fail("prompt {} is empty; a prompt needs at least one token", prompt);
    if (static_cast<int64_t>(ids.size()) > context)
      fail("prompt {} has {} tokens but the model's context is {}", prompt, ids.size(), context);
    for (size_t position = 0; position < ids.size(); ++position)
      if (ids[position] < 0 || ids[position] >= vocab)
        fail("prompt {}, position {}: token id {} is outside the model's vocabulary of {} (0 to {})", prompt,
             position, ids[position], vocab, vocab - 1);
  }
  if (!probes.questions.empty()) check_questions(probes, vocab);
}

}  // namespace varve
