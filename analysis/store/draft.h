// An HDF5 file under construction, held in memory: HDF5 never touches the disk, so a full disk or a kill can
// only meet our own plain writes. Large payloads are reserved here (sparse, no memory) and written elsewhere.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/store/hdf5.h"
#include "analysis/store/seal.h"

namespace varve::h5 {

class Draft {
 public:
  Draft();
  ~Draft();
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  hid_t file() const { return file_.id(); }
  // From here on all new space in the file begins at multiples of `bytes`.
  void align(int64_t bytes);
  // Gives a contiguous dataset its place in the file without filling it; the place's first byte.
  int64_t reserve(hid_t dataset);
  void close();

  // After close(): the whole file, unreserved parts final.
  std::span<const std::byte> bytes() const { return {mapped_, size_}; }
  // Copies all but the reserved stretches to their places in the file to be published.
  void copy_into(PublishedFile& file) const;
  const std::vector<Stretch>& reserved() const { return reserved_; }

 private:
  void open_file(unsigned create, int64_t alignment);
  int descriptor_ = -1;
  Handle file_;
  std::vector<Stretch> reserved_;
  const std::byte* mapped_ = nullptr;
  size_t size_ = 0;
};

}  // namespace varve::h5
