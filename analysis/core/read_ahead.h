// Asks the disk for mapped bytes before they are needed, so that computing need not wait for them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "analysis/core/jobs.h"

namespace varve {

// Reads into the system's file cache only: nothing here counts as memory of this process, and bytes that
// never arrive are read when they are used.
class ReadAhead {
 public:
  // Stretches of mapped files, in the order they will be needed; what an earlier call wanted is forgotten.
  void want(std::vector<std::span<const std::byte>> stretches);

 private:
  Jobs jobs_;  // asking waits for the disk, so it has a thread of its own
};

}  // namespace varve
