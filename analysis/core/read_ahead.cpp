// Asks the disk for mapped bytes before they are needed.
#include "analysis/core/read_ahead.h"

#include <algorithm>
#include <utility>

#include "analysis/core/mapped_file.h"

namespace varve {

void ReadAhead::want(std::vector<std::span<const std::byte>> stretches) {
  jobs_.forget_finished();
  if (stretches.empty()) return;
  jobs_.submit("read ahead", "reading ahead", [stretches = std::move(stretches)](Task& task) {
    constexpr size_t block = size_t{1} << 20;  // between two of them the job can be replaced or stopped
    for (const std::span<const std::byte>& bytes : stretches)
      for (size_t at = 0; at < bytes.size(); at += block) {
        will_need(bytes.subspan(at, std::min(block, bytes.size() - at)));
        task.step(0, 1);
      }
  });
}

}  // namespace varve
