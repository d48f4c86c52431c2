// The loops of the lens compiled for AVX2.
#include "analysis/lens_loops.h"

namespace varve {

const LensLoops<float>& lens_loops_avx2() { return loops_here; }

}  // namespace varve
