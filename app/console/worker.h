// Runs a verb on the job thread while the main thread draws progress and listens for Ctrl-C.
#pragma once

#include <functional>

#include "app/verbs/verb.h"

namespace varve {

constexpr int exit_interrupted = 130;

// Returns what `work` returns and rethrows what it throws, Stopped included. The first SIGINT or SIGTERM asks
// the work to stop; a second one ends the process at once, which every store survives.
int run_with_progress(Console& console, const std::function<int(Console&)>& work);

}  // namespace varve
