// A file in memory that costs only the pages written to, as an HDF5 file driver.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "analysis/store/hdf5.h"

namespace varve::h5 {

class SparseMemory {
 public:
  void write(int64_t offset, const void* bytes, int64_t count);
  void read(int64_t offset, void* into, int64_t count) const;  // zeros where nothing was written
  int64_t size() const { return size_; }
  void resize(int64_t size) { size_ = size; }

 private:
  static constexpr int64_t page_bytes = 4096;
  using Page = std::array<char, page_bytes>;
  std::unordered_map<int64_t, std::unique_ptr<Page>> pages_;
  int64_t size_ = 0;
};

// Makes files opened with these access properties live in `memory`, whatever name they are given.
void keep_in_memory(hid_t access, SparseMemory& memory);

}  // namespace varve::h5
