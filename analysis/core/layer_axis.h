// What the ticks of an axis `layer` count: blocks by number, or how many blocks have been applied.
#pragma once

namespace varve {

// The unit of a `layer` coordinate whose tick 0 is the residual stream before the first block: the embedding.
// Without this unit tick 0 is the first block.
inline constexpr const char* blocks_applied = "blocks applied";

}  // namespace varve
