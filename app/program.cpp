// main of the headless program: parse, run the verb, print errors, return the exit code.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/core/resident.h"
#include "analysis/core/settings.h"
#include "analysis/core/text.h"
#include "app/console/json_text.h"
#include "app/console/later.h"
#include "app/console/worker.h"
#include "app/verbs/verb.h"

namespace varve {
namespace {

const char* const shared_help =
    "Shared options, before or after the verb:\n"
    "  --json            results as JSON on stdout\n"
    "  --quiet           no progress and no remarks on stderr\n"
    "  --threads N       processors to use (1 to 256)\n"
    "  --max-memory SIZE keep to so much memory, as in 2G or 512MiB; refuse what cannot";
const char* const exit_help =
    "Exit codes: 0 done, 1 a check failed, 2 wrong usage, 3 bad input, 4 over budget, 130 interrupted.";

// The shared options are taken out first, wherever they stand, so that a verb's parser knows its own only.
std::vector<std::string> take_shared(const std::vector<std::string>& words, Console& console) {
  std::vector<std::string> rest;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string name = words[i].substr(0, words[i].find('='));
    if (words[i] == "--json" || words[i] == "--quiet") continue;  // seen by the caller already
    if (name != "--threads" && name != "--max-memory") {
      rest.push_back(words[i]);
      continue;
    }
    const bool inside = words[i].size() > name.size();
    if (!inside && i + 1 == words.size()) fail_usage("{} needs a value; see 'varve --help'", name);
    const std::string value = inside ? words[i].substr(name.size() + 1) : words[++i];
    if (name == "--max-memory") {
      parse_bytes(value);  // for its error
      console.max_memory = value;
      return_freed_memory();
      continue;
    }
    const char* const end = value.data() + value.size();
    const auto [stopped, problem] = std::from_chars(value.data(), end, console.threads);
    if (problem != std::errc() || stopped != end || console.threads < 1 || console.threads > 256)
      fail_usage("--threads '{}' is no number from 1 to 256", value);
  }
  return rest;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names = {"--json", "--quiet", "--threads", "--max-memory"};
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

// What was left over after parsing, as a sentence with the nearest known word.
std::string leftover_message(const std::string& verb, const CLI::App& command,
                             const std::vector<std::string>& extras) {
  for (const std::string& word : extras) {
    const std::string name = word.substr(0, word.find('='));
    if (name.size() > 1 && name[0] == '-')
      return fmt::format("there is no option '{}'; did you mean '{}'? See 'varve {} --help'.", name,
                         nearest(name, option_names(command)), verb);
  }
  return fmt::format("'{}' is one word too many; see 'varve {} --help'", extras.empty() ? "" : extras[0],
                     verb);
}

int report_error(const Console& console, const std::string& verb, const std::string& message, int code) {
  std::fprintf(stderr, "varve%s%s: %s\n", verb.empty() ? "" : " ", verb.c_str(), message.c_str());
  if (console.json) console.print(json_text(Json{{"error", message}, {"exit", code}}));
  return code;
}

std::string unknown_verb(const std::string& word) {
  if (is_later_verb(word)) return fmt::format("'{}' is not built yet; it comes later", word);
  std::vector<std::string> names;
  for (const Verb& verb : verbs().items()) names.push_back(verb.name);
  return fmt::format("there is no verb '{}'; did you mean '{}'? See 'varve --help'.", word,
                     nearest(word, names));
}

std::string program_help() {
  std::string text = "Look inside language models while they train.\n\nUsage: varve VERB ...\n\nVerbs:\n";
  for (const Verb& verb : verbs().items()) text += fmt::format("  {:<10} {}\n", verb.name, verb.summary);
  text += fmt::format("\n{}\n\n{}\n\nExample:\n  varve import runs/pythia -o pythia.varve\n\n", shared_help,
                      exit_help);
  return text + "'varve VERB --help' tells more; 'varve --version' names this build.\n";
}

// What a verb ended with, whatever ended it.
int finish(const Console& console, const std::string& verb, const std::function<int()>& work) {
  try {
    return work();
  } catch (const Stopped&) {
    const std::string kept = console.kept.empty() ? "nothing was left half-written" : console.kept;
    return report_error(console, verb, "interrupted; " + kept, exit_interrupted);
  } catch (const Error& error) {
    return report_error(console, verb, error.what(), static_cast<int>(error.blame()));
  } catch (const std::bad_alloc&) {
    return report_error(console, verb, "out of memory; try fewer or shorter prompts",
                        static_cast<int>(Blame::budget));
  } catch (const std::exception& error) {
    return report_error(console, verb, error.what(), static_cast<int>(Blame::input));
  }
}

int run_verb(Console& console, const Verb& verb, std::vector<std::string> words) {
  CLI::App command(verb.summary, "varve " + verb.name);
  command.footer(fmt::format("Example:\n  {}\n\n{}", verb.example, shared_help));
  const std::function<int(Console&)> work = verb.prepare(command);
  std::reverse(words.begin(), words.end());  // the parser takes its words from the back
  try {
    command.parse(words);
  } catch (const CLI::CallForHelp&) {
    console.print(command.help());
    return 0;
  } catch (const CLI::ParseError& error) {
    // A word nobody knows explains a missing one better than the missing one does.
    const std::vector<std::string> extras = command.remaining();
    const bool stray = std::any_of(extras.begin(), extras.end(),
                                   [](const std::string& word) { return word.size() > 1 && word[0] == '-'; });
    if (stray || dynamic_cast<const CLI::ExtrasError*>(&error))
      fail_usage("{}", leftover_message(verb.name, command, extras));
    fail_usage("{}; see 'varve {} --help'", error.what(), verb.name);
  }
  if (console.threads > 0) set_threads(console.threads);
  return run_with_progress(console, work);
}

}  // namespace

const VerbCatalog& verbs() {
  static const VerbCatalog catalog = [] {
    VerbCatalog all("verb");
    add_all_verbs(all);
    return all;
  }();
  return catalog;
}

int run_program(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  const auto given = [&words](const char* word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  Console console;
  // Known before anything can fail, so that even a usage error is told in the form asked for.
  console.json = given("--json");
  console.quiet = given("--quiet");
  std::string verb;
  return finish(console, verb, [&] {
    words = take_shared(words, console);
    if (words.empty()) fail_usage("which verb? See 'varve --help'.");
    const std::string first = words.front();
    if (first == "--help" || first == "-h" || first == "help") {
      console.print(program_help());
      return 0;
    }
    if (first == "--version") {
      console.print("varve " VARVE_VERSION);
      return 0;
    }
    const Verb* const found = verbs().find(first);
    if (!found) fail_usage("{}", unknown_verb(first));
    verb = found->name;
    words.erase(words.begin());
    return run_verb(console, *found, words);
  });
}

}  // namespace varve
