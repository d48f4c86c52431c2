// Eight edit distances side by side for processors with AVX-512.
#include "analysis/pathways/edit_lanes.h"

namespace varve {

#if defined(__x86_64__)
void edit_lanes_avx512(EditLanes& lanes) { edit_lanes_here(lanes); }
#endif

}  // namespace varve
