// An HDF5 file under construction, held in memory.
#include "analysis/store/draft.h"

#include <algorithm>
#include <array>

#include "analysis/core/digest.h"

namespace varve::h5 {

Draft::Draft() {
  quiet();
  open_file(H5F_ACC_TRUNC, 1);
}

void Draft::open_file(unsigned create, int64_t alignment) {
  const std::string what = "starting a new file";
  const char* name = "draft";  // of no file
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, what);
  check(H5Pset_libver_bounds(access.id(), H5F_LIBVER_V18, H5F_LIBVER_V110), what);
  check(H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG), what);
  keep_in_memory(access.id(), memory_);
  if (alignment > 1) check(H5Pset_alignment(access.id(), 1, static_cast<hsize_t>(alignment)), what);
  if (create == 0) {
    file_ = Handle(H5Fopen(name, H5F_ACC_RDWR, access.id()), H5Fclose, what);
    return;
  }
  const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, what);
  check(H5Pset_obj_track_times(creation.id(), false), what);
  const unsigned order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
  check(H5Pset_link_creation_order(creation.id(), order), what);
  check(H5Pset_attr_creation_order(creation.id(), order), what);
  file_ = Handle(H5Fcreate(name, create, creation.id(), access.id()), H5Fclose, what);
}

void Draft::align(int64_t bytes) {
  file_.close("finishing the tables of a new file");
  open_file(0, bytes);
}

int64_t Draft::reserve(hid_t dataset) {
  const std::string what = "reserving space in a new file";
  const Handle space(H5Dget_space(dataset), H5Sclose, what);
  const hssize_t points = H5Sget_simple_extent_npoints(space.id());
  if (points <= 0) return 0;
  // The first write gives a dataset its space; one element is enough and costs one page of memory.
  const Handle type(H5Dget_type(dataset), H5Tclose, what);
  const Handle one = simple_space({});
  const int rank = H5Sget_simple_extent_ndims(space.id());
  if (rank > 0) {
    const std::vector<hsize_t> origin(static_cast<size_t>(rank), 0);
    const std::vector<hsize_t> count(static_cast<size_t>(rank), 1);
    check(H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, origin.data(), nullptr, count.data(), nullptr),
          what);
  }
  const std::array<char, 16> zero{};
  check(H5Dwrite(dataset, type.id(), one.id(), space.id(), H5P_DEFAULT, zero.data()), what);
  const haddr_t offset = H5Dget_offset(dataset);
  if (offset == HADDR_UNDEF) fail("{} failed inside HDF5", what);
  const auto bytes = static_cast<int64_t>(points) * static_cast<int64_t>(H5Tget_size(type.id()));
  reserved_.emplace_back(static_cast<int64_t>(offset), bytes);
  return static_cast<int64_t>(offset);
}

void Draft::close() {
  file_.close("finishing a new file");
  std::sort(reserved_.begin(), reserved_.end());
}

void Draft::visit(const std::function<void(int64_t, std::span<const char>)>& seen) const {
  constexpr int64_t block = int64_t{1} << 20;
  std::vector<char> buffer;
  const auto visit_between = [&](int64_t from, int64_t to) {
    for (int64_t at = from; at < to; at += block) {
      buffer.resize(static_cast<size_t>(std::min(block, to - at)));
      memory_.read(at, buffer.data(), static_cast<int64_t>(buffer.size()));
      seen(at, buffer);
    }
  };
  int64_t at = 0;
  for (const auto& [first, count] : reserved_) {
    visit_between(at, first);
    at = std::max(at, first + count);
  }
  visit_between(at, memory_.size());
}

void Draft::copy_into(PublishedFile& file) const {
  visit([&file](int64_t offset, std::span<const char> bytes) {
    file.write(offset, bytes.data(), static_cast<int64_t>(bytes.size()));
  });
}

std::string Draft::digest(std::string_view behind) const {
  Digest digest;
  visit([&digest](int64_t, std::span<const char> bytes) {
    digest.add(static_cast<const void*>(bytes.data()), bytes.size());
  });
  if (!behind.empty()) digest.add(static_cast<const void*>(behind.data()), behind.size());
  return digest.hex();
}

}  // namespace varve::h5
