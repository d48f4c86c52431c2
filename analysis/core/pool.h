// Spreads independent pieces of one job over threads; which thread runs a piece never changes its bits.
#pragma once

#include <cstdint>
#include <functional>

namespace varve {

// 1 to 256; default: the processors this process may use. Set once by a program's main.
void set_threads(int count);
int threads();

// Runs body(piece, worker) for piece in [0, count), worker in [0, threads()). The first exception is rethrown
// here after all workers have stopped. A call from inside a body runs serially.
void parallel_for(int64_t count, const std::function<void(int64_t piece, int worker)>& body);

}  // namespace varve
