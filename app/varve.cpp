// The headless program. It links no Qt: the linker proves "headless".
#include <unistd.h>

#include <cstdlib>

#include "app/verbs/verb.h"

namespace {

// An inherited OPENBLAS_CORETYPE pins a kernel that may run at half this processor's speed, and the library
// reads it before main: only a fresh start without it helps. The marker ends the circle; setting it by hand
// keeps the variable, for those who pin a kernel on purpose.
void start_again_without_pinned_kernel(char** argv) {
  if (!std::getenv("OPENBLAS_CORETYPE") || std::getenv("VARVE_KERNEL_CHECKED")) return;
  setenv("VARVE_KERNEL_DROPPED", std::getenv("OPENBLAS_CORETYPE"), 1);
  setenv("VARVE_KERNEL_CHECKED", "1", 1);
  unsetenv("OPENBLAS_CORETYPE");
  execv("/proc/self/exe", argv);
  // Where that start is refused, the work goes on as it is: slower, never wrong; `varve doctor` tells.
}

}  // namespace

int main(int argc, char** argv) {
  start_again_without_pinned_kernel(argv);
  return varve::run_program(argc, argv);
}
