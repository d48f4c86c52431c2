// The loops of the lens compiled for AVX-512.
#include "analysis/lens_loops.h"

namespace varve {

const LensLoops<float>& lens_loops_avx512() { return loops_here; }

}  // namespace varve
