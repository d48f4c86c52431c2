// An HDF5 file under construction, held in memory: HDF5 never touches the disk, so a full disk or a kill can
// only meet our own plain writes. Large payloads are reserved here (sparse, no memory) and written elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/store/hdf5.h"
#include "analysis/store/seal.h"
#include "analysis/store/sparse_memory.h"

namespace varve::h5 {

class Draft {
 public:
  Draft();
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  hid_t file() const { return file_.id(); }
  // From here on all new space in the file begins at multiples of `bytes`.
  void align(int64_t bytes);
  // Gives a contiguous dataset its place in the file without filling it; the place's first byte.
  int64_t reserve(hid_t dataset);
  void close();

  // After close(): copies all but the reserved stretches to their places in the file to be published.
  void copy_into(PublishedFile& file) const;
  int64_t bytes() const { return memory_.size(); }
  std::string digest(std::string_view behind = {}) const;  // of what copy_into copies and what follows it
  const std::vector<Stretch>& reserved() const { return reserved_; }

 private:
  void open_file(unsigned create, int64_t alignment);
  void visit(const std::function<void(int64_t offset, std::span<const char> bytes)>& seen) const;
  SparseMemory memory_;
  Handle file_;  // goes before the memory under it
  std::vector<Stretch> reserved_;
};

}  // namespace varve::h5
