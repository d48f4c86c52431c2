// A thin layer over the HDF5 C interface: handles that close themselves, and errors instead of return codes.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "analysis/core/error.h"

namespace varve::h5 {

// Turns off the library's own printing of errors; it is kept per thread, so every entry calls this.
void quiet();

// Throws Error where a call answered "no"; `what` is the file and the deed: "x.h5: reading 'loss'".
inline void check(herr_t result, const std::string& what) {
  if (result < 0) fail("{} failed inside HDF5", what);
}

class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close closer, const std::string& what) : id_(id), close_(closer) {
    if (id < 0) fail("{} failed inside HDF5", what);
  }
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, -1)), close_(std::exchange(other.close_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    reset();
    id_ = std::exchange(other.id_, -1);
    close_ = std::exchange(other.close_, nullptr);
    return *this;
  }
  hid_t id() const { return id_; }
  // Closing a file can fail; a destructor could not say so.
  void close(const std::string& what) {
    const hid_t id = std::exchange(id_, -1);
    if (id >= 0) check(close_(id), what);
  }

 private:
  void reset() {
    if (id_ >= 0) close_(id_);
    id_ = -1;
  }
  hid_t id_ = -1;
  Close close_ = nullptr;
};

Handle text_type();  // variable-length UTF-8
Handle simple_space(const std::vector<int64_t>& shape);
void write_attribute(hid_t object, const std::string& name, const std::string& text);

// Creation properties under which equal content gives equal bytes: no time stamps.
Handle plain_dataset_properties();

}  // namespace varve::h5
