// The fuzz targets by name; the list is generated from the files of this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace varve::fuzz {

struct Target {
  std::string name;
  int (*run)(const uint8_t* data, size_t size);
};
inline void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

std::vector<Target> targets();

}  // namespace varve::fuzz
