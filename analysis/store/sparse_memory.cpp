// A file in memory that costs only the pages written to, as an HDF5 file driver (HDF5 Virtual File Layer).
#include "analysis/store/sparse_memory.h"

#include <algorithm>
#include <cstring>

namespace varve::h5 {

namespace {

struct DriverInfo {
  SparseMemory* memory;
};

// HDF5 knows it by its first member only.
struct OpenFile {
  H5FD_t common;
  SparseMemory* memory;
  haddr_t allocated;
};

OpenFile* of(H5FD_t* file) { return reinterpret_cast<OpenFile*>(file); }
const OpenFile* of(const H5FD_t* file) { return reinterpret_cast<const OpenFile*>(file); }

H5FD_t* open_memory(const char*, unsigned flags, hid_t access, haddr_t) {
  const auto* info = static_cast<const DriverInfo*>(H5Pget_driver_info(access));
  if (!info) return nullptr;
  auto file = std::make_unique<OpenFile>();
  std::memset(static_cast<void*>(file.get()), 0, sizeof(OpenFile));
  file->memory = info->memory;
  if (flags & H5F_ACC_TRUNC) *file->memory = SparseMemory();
  return &file.release()->common;
}

herr_t close_memory(H5FD_t* file) {
  const std::unique_ptr<OpenFile> gone(of(file));
  return 0;
}

int compare(const H5FD_t* a, const H5FD_t* b) {
  const std::less<const SparseMemory*> before;
  return before(of(a)->memory, of(b)->memory) ? -1 : before(of(b)->memory, of(a)->memory) ? 1 : 0;
}

herr_t query(const H5FD_t*, unsigned long* features) {
  *features = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
              H5FD_FEAT_AGGREGATE_SMALLDATA;
  return 0;
}

haddr_t get_allocated(const H5FD_t* file, H5FD_mem_t) { return of(file)->allocated; }

herr_t set_allocated(H5FD_t* file, H5FD_mem_t, haddr_t end) {
  of(file)->allocated = end;
  return 0;
}

haddr_t get_end(const H5FD_t* file, H5FD_mem_t) { return static_cast<haddr_t>(of(file)->memory->size()); }

herr_t read_bytes(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, size_t count, void* into) {
  of(file)->memory->read(static_cast<int64_t>(at), into, static_cast<int64_t>(count));
  return 0;
}

// Called from C, which no exception may cross.
herr_t write_bytes(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, size_t count, const void* bytes) noexcept {
  try {
    of(file)->memory->write(static_cast<int64_t>(at), bytes, static_cast<int64_t>(count));
  } catch (const std::bad_alloc&) {
    return -1;  // HDF5 turns it into a failed call, and check() into an Error
  }
  return 0;
}

herr_t truncate_to_allocated(H5FD_t* file, hid_t, hbool_t) {
  of(file)->memory->resize(static_cast<int64_t>(of(file)->allocated));
  return 0;
}

hid_t driver() {
  static const H5FD_class_t methods = [] {
    H5FD_class_t made = {};
    made.name = "varve_memory";
    made.maxaddr = (haddr_t{1} << 62) - 1;
    made.fc_degree = H5F_CLOSE_STRONG;
    made.fapl_size = sizeof(DriverInfo);
    made.open = open_memory;
    made.close = close_memory;
    made.cmp = compare;
    made.query = query;
    made.get_eoa = get_allocated;
    made.set_eoa = set_allocated;
    made.get_eof = get_end;
    made.read = read_bytes;
    made.write = write_bytes;
    made.truncate = truncate_to_allocated;
    const H5FD_mem_t map[] = H5FD_FLMAP_DICHOTOMY;
    std::copy(std::begin(map), std::end(map), made.fl_map);
    return made;
  }();
  static const hid_t id = H5FDregister(&methods);
  return id;
}

}  // namespace

void SparseMemory::write(int64_t offset, const void* bytes, int64_t count) {
  const char* from = static_cast<const char*>(bytes);
  for (int64_t done = 0; done < count;) {
    const int64_t at = offset + done, inside = at % page_bytes;
    const int64_t part = std::min(count - done, page_bytes - inside);
    std::unique_ptr<Page>& page = pages_[at / page_bytes];
    if (!page) page = std::make_unique<Page>();
    std::memcpy(page->data() + inside, from + done, static_cast<size_t>(part));
    done += part;
  }
  size_ = std::max(size_, offset + count);
}

void SparseMemory::read(int64_t offset, void* into, int64_t count) const {
  char* to = static_cast<char*>(into);
  for (int64_t done = 0; done < count;) {
    const int64_t at = offset + done, inside = at % page_bytes;
    const int64_t part = std::min(count - done, page_bytes - inside);
    const auto page = pages_.find(at / page_bytes);
    if (page == pages_.end())
      std::memset(to + done, 0, static_cast<size_t>(part));
    else
      std::memcpy(to + done, page->second->data() + inside, static_cast<size_t>(part));
    done += part;
  }
}

void keep_in_memory(hid_t access, SparseMemory& memory) {
  const DriverInfo info{&memory};
  check(H5Pset_driver(access, driver(), &info), "starting a new file in memory");
}

}  // namespace varve::h5
