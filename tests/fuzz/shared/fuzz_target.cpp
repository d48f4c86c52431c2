// What the fuzz targets share: hostile bytes as a file, and the one kind of exception that is an answer.
#include "tests/fuzz/fuzz_target.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "analysis/core/error.h"

namespace varve::fuzz {

std::filesystem::path as_file(const uint8_t* data, size_t size) {
  static const int file = memfd_create("input", MFD_CLOEXEC);
  if (file < 0 || ftruncate(file, 0) != 0) std::abort();
  for (size_t done = 0; done < size;) {
    const ssize_t written = pwrite(file, data + done, size - done, static_cast<off_t>(done));
    if (written <= 0) std::abort();
    done += static_cast<size_t>(written);
  }
  return "/proc/self/fd/" + std::to_string(file);
}

int answered(const std::function<void()>& read) {
  try {
    read();
  } catch (const Error& error) {
    // An Error without a word helps nobody.
    if (std::string_view(error.what()).empty()) std::abort();
  }
  return 0;
}

void touch(const TensorFile& file) {
  volatile uint8_t sum = 0;
  for (const FilePart& part : file.parts())
    for (const FileTensor& tensor : part.tensors)
      for (const std::byte byte : tensor.view.bytes)
        sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(byte));
}

}  // namespace varve::fuzz
