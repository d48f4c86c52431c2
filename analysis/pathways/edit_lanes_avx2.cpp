// Eight edit distances side by side for processors with AVX2.
#include "analysis/pathways/edit_lanes.h"

namespace varve {

#if defined(__x86_64__)
void edit_lanes_avx2(EditLanes& lanes) { edit_lanes_here(lanes); }
#endif

}  // namespace varve
