// An HDF5 file under construction, held in memory (a memfd, which is sparse).
#include "analysis/store/draft.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace varve::h5 {

Draft::Draft() {
  quiet();
  descriptor_ = memfd_create("varve-draft", MFD_CLOEXEC);
  if (descriptor_ < 0) fail("no memory file for a new HDF5 file: {}", std::strerror(errno));
  try {
    open_file(H5F_ACC_TRUNC, 1);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

Draft::~Draft() {
  file_ = Handle();  // before the memory under it goes
  if (mapped_) munmap(const_cast<std::byte*>(mapped_), size_);
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Draft::open_file(unsigned create, int64_t alignment) {
  const std::string what = "starting a new file";
  const std::string path = fmt::format("/proc/self/fd/{}", descriptor_);
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, what);
  check(H5Pset_libver_bounds(access.id(), H5F_LIBVER_V18, H5F_LIBVER_V110), what);
  check(H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG), what);
  if (alignment > 1) check(H5Pset_alignment(access.id(), 1, static_cast<hsize_t>(alignment)), what);
  if (create == 0) {
    file_ = Handle(H5Fopen(path.c_str(), H5F_ACC_RDWR, access.id()), H5Fclose, what);
    return;
  }
  const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, what);
  check(H5Pset_obj_track_times(creation.id(), false), what);
  const unsigned order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
  check(H5Pset_link_creation_order(creation.id(), order), what);
  check(H5Pset_attr_creation_order(creation.id(), order), what);
  file_ = Handle(H5Fcreate(path.c_str(), create, creation.id(), access.id()), H5Fclose, what);
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
  struct stat about = {};
  if (fstat(descriptor_, &about) != 0 || about.st_size <= 0) fail("a new file came out empty");
  size_ = static_cast<size_t>(about.st_size);
  void* place = mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor_, 0);
  if (place == MAP_FAILED) fail("a new file could not be mapped: {}", std::strerror(errno));
  mapped_ = static_cast<const std::byte*>(place);
  std::sort(reserved_.begin(), reserved_.end());
}

void Draft::copy_into(PublishedFile& file) const {
  int64_t at = 0;
  const auto end = static_cast<int64_t>(size_);
  for (const auto& [first, count] : reserved_) {
    if (first > at) file.write(at, mapped_ + at, first - at);
    at = first + count;
  }
  if (at < end) file.write(at, mapped_ + at, end - at);
}

}  // namespace varve::h5
