// A command-line verb: one file on the shelf.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <string>

#include "analysis/core/catalog.h"
#include "analysis/core/task.h"

namespace varve {

class ProgressLine;

// What all verbs share: --json --quiet --threads --max-memory, where output goes, and the progress line.
struct Console {
  bool json = false, quiet = false;
  int threads = 0;
  std::string max_memory;
  Task task;                     // draws the progress line on stderr with time left; Ctrl-C asks it to stop
  ProgressLine* line = nullptr;  // erased before anything else is written
  std::string kept;              // what an interruption leaves behind, for the closing sentence
  void print(const std::string& text) const;   // results, on stdout
  void remark(const std::string& text) const;  // on stderr, unless quiet
};

struct Verb {
  std::string name, summary, example;
  // Declares its options on `command` and returns what runs after parsing; the exit code is returned.
  std::function<std::function<int(Console&)>(CLI::App& command)> prepare;
};

using VerbCatalog = Catalog<Verb>;
void add_all_verbs(VerbCatalog& catalog);  // generated
const VerbCatalog& verbs();

// main of the headless program, testable: parses, runs, prints errors, returns the exit code.
int run_program(int argc, const char* const* argv);

}  // namespace varve
