// A recipe of varve batch: series to import, analyses to run on them, and where their results go.
//
//   store = "pythia.varve"             optional, as are steps, branch, compute and one kind of prompts:
//   probes = "repeat-random:prompts=8"   what a run takes that does not say its own
//   [[import]]                         done first, in order; what a store holds already is not read again
//   source = "runs/pythia"             as for varve import
//   store = "pythia.varve"             may be left out where the recipe names one at its top
//   steps = "0,1:512:x2,last"          optional, as are branch, map, link = true and compress = true
//   [[run]]                            done in order
//   analysis = "logit-lens"            as for varve run: steps, branch, compute, one of tokens, text (a text
//   or set = { top_k = 3 }                a list), text_file, probes and task; settings under `set`, tables
//   and with = { groups = "g.csv:domain" } results under `with`, which may be the output of a run before it
//   output = "lens.h5"                 optional: the result is written here, too
//
// Paths are relative to the recipe's folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/console/run_words.h"
#include "loaders/import.h"

namespace varve {

struct BatchRecipe {
  std::vector<ImportRequest> imports;
  std::vector<RunWords> runs;
};

// Throws Error naming the table and the key, and the nearest known key.
BatchRecipe read_batch_recipe(const std::filesystem::path& file);

}  // namespace varve
