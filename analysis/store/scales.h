// Named axes as HDF5 dimension scales, the way netCDF-4 readers expect them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/store/hdf5.h"

namespace varve::h5 {

class Scales {
 public:
  explicit Scales(hid_t file) : file_(file) {}
  // A dataset that holds the ticks of an axis becomes its scale.
  void adopt(hid_t dataset, const std::string& axis, const std::string& link);
  bool has(const std::string& axis) const { return scales_.contains(axis); }
  // An axis without ticks: a scale without values.
  void add_bare(const std::string& axis, const std::string& link, int64_t extent);
  // Ties a dataset's axes to their scales; each must exist.
  void attach(hid_t dataset, const std::string& link, const std::vector<std::string>& axes);
  // Writes the way back, from each scale to the datasets that use it; call once, last.
  void finish();

 private:
  struct User {
    std::string link;
    int place;
  };
  struct Scale {
    std::string link;
    std::vector<User> users;
  };
  hid_t file_;
  std::map<std::string, Scale> scales_;
};

}  // namespace varve::h5
