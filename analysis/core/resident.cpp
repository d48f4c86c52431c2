// How much memory this process and this machine have.
#include "analysis/core/resident.h"

#include <malloc.h>
#include <unistd.h>

#include <fstream>

namespace varve {

int64_t resident_bytes() {
  // proc(5): sizes of /proc/self/statm are in pages; the second is what is resident.
  std::ifstream file("/proc/self/statm");
  int64_t all = 0, resident = 0;
  file >> all >> resident;
  return file ? resident * sysconf(_SC_PAGESIZE) : 0;
}

int64_t physical_bytes() { return static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE); }

void return_freed_memory() {
  // mallopt(3): set by hand, the threshold no longer grows with what was freed.
  constexpr int threshold = 256 << 10;
  mallopt(M_MMAP_THRESHOLD, threshold);
  mallopt(M_TRIM_THRESHOLD, threshold);
}

}  // namespace varve
