// The prompts of a run: --tokens, --text, --text-file, --probes or --task, one of them.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "analysis/core/array.h"
#include "analysis/model/probes.h"
#include "app/verbs/verb.h"

namespace varve {

struct ProbeOptions {
  std::string tokens, pack, text_file, task;
  std::vector<std::string> texts;
  bool given() const;
};

void add_probe_options(CLI::App& command, ProbeOptions& options);

// Throws Error (usage) unless exactly one kind is given. `tokenizer` is tokenizer.json, or empty where the
// series has none. Remarks show what texts became.
Probes read_probes(const ProbeOptions& options, const std::string& tokenizer, int64_t vocab,
                   const Console& console);

// An option that may be repeated and takes one word each time, whatever that word begins with.
CLI::Option* add_repeated(CLI::App& command, const std::string& name, std::vector<std::string>& words,
                          const std::string& help);

// tokens [prompt, pos], -1 after a prompt's end, and lengths [prompt].
Array token_array(const Probes& probes);
Array length_array(const Probes& probes);

}  // namespace varve
