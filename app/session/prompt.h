// A prompt as it is run: what the person wrote, and the ids and pieces that it becomes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/model/probes.h"
#include "app/session/opened.h"

namespace varve {

struct Prompt {
  std::string text;
  std::vector<int64_t> ids;         // of the first prompt
  std::vector<std::string> pieces;  // as people read them, one for each id
  Probes probes;                    // all prompts; none where there is a problem
  std::string problem;              // why it cannot be run; empty where it can
  bool runnable() const { return problem.empty() && !ids.empty(); }
};

// Text through the series' tokenizer. "ids: 0 17 42" gives ids, as does everything where there is no
// tokenizer. "pack: repeat-random:prompts=8" makes prompts, "task: induction:pairs=16" or "task: FILE"
// pairs of them with answers, "lines: FILE" reads one a line, and "as in: ANALYSIS/KEY" takes those of a
// result.
Prompt read_prompt(const std::string& text, const Opened& opened);

// Prompts that the program takes by name: its option and what follows it. None for text, ids and results.
struct NamedPrompts {
  std::string option, name;
};
std::optional<NamedPrompts> named_prompts(const std::string& text);

// "L9", "embed", "out 12": what row `index` of a lens is called.
std::string layer_name(int64_t index, int64_t layers);

}  // namespace varve
