// The table behind the HDF5 part of a Dataset file: all that a reader needs, so that no bytes from elsewhere
// are ever given to the HDF5 library, which crashes on damaged ones (others still read the file with it).
//
// JSON: title, notes, provenance, checks, events, and for each array its name, axes, dtype, shape and either
// the place of its first byte in the file or its texts.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/core/dataset.h"

namespace varve::h5 {

enum class Role { ticks, values };

class DatasetTable {
 public:
  // offset: of the first number's first byte in the file; texts stand in the table itself.
  void add(const std::string& name, const Array& array, Role role, int64_t offset);
  // Floats that are laid out by hand.
  void add_floats(const std::string& name, const std::vector<std::string>& axes,
                  const std::vector<int64_t>& shape, Dtype dtype, int64_t offset);
  std::string text(const Dataset& words) const;  // with the title, notes ... of `words`

 private:
  nlohmann::json arrays_ = nlohmann::json::array();
};

// body: HDF5 bytes and, at their end, `table_bytes` of table. Throws Error; trusts no size and no place.
Dataset read_table(std::string_view body, int64_t table_bytes, const std::string& what);

}  // namespace varve::h5
