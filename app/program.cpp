// main of the headless program: parse, run the verb, print errors, return the exit code.
#include "app/verbs/verb.h"

namespace varve {
int run_program(int, const char* const*) { return 2; }
}  // namespace varve
