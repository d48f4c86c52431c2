// The element types a stored tensor may have, their sizes, and the digest that names a tensor.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "analysis/core/digest.h"
#include "analysis/core/error.h"
#include "analysis/core/mapped_file.h"
#include "analysis/store/tensor_bytes.h"

namespace varve {

namespace {

struct TypeRow {
  std::string_view name;
  int64_t size;
};
// In the order of the enumeration; stored files hold the names, so the order may grow but not change.
constexpr std::array<TypeRow, 10> rows{{{"f64", 8},
                                        {"f32", 4},
                                        {"f16", 2},
                                        {"bf16", 2},
                                        {"i64", 8},
                                        {"i32", 4},
                                        {"i16", 2},
                                        {"i8", 1},
                                        {"u8", 1},
                                        {"bool", 1}}};

}  // namespace

std::string_view name_of(TensorType type) { return rows.at(static_cast<size_t>(type)).name; }

int64_t size_of(TensorType type) { return rows.at(static_cast<size_t>(type)).size; }

std::optional<TensorType> tensor_type_named(std::string_view name) {
  for (size_t place = 0; place < rows.size(); ++place)
    if (rows[place].name == name) return static_cast<TensorType>(place);
  return std::nullopt;
}

int64_t bytes_needed(TensorType type, const std::vector<int64_t>& shape, const std::string& whose) {
  int64_t bytes = size_of(type);
  bool nothing = false;
  for (int64_t extent : shape) {
    if (extent < 0) fail("{}: an axis has the impossible extent {}", whose, extent);
    if (extent == 0) nothing = true;
  }
  if (nothing) return 0;
  for (int64_t extent : shape) {
    if (bytes > std::numeric_limits<int64_t>::max() / extent)
      fail("{}: the shape asks for more bytes than any file can hold", whose);
    bytes *= extent;
  }
  return bytes;
}

int64_t TensorView::count() const { return bytes_needed(type, shape, "tensor") / size_of(type); }

std::string tensor_digest(const TensorView& tensor) {
  return tensor_digest(tensor, [](int64_t) {});
}

std::string tensor_digest(const TensorView& tensor, const std::function<void(int64_t bytes)>& advanced) {
  constexpr size_t block = size_t{4} << 20;
  Digest digest;
  std::string form(name_of(tensor.type));
  for (int64_t extent : tensor.shape) form += fmt::format(" {}", extent);
  digest.add(form);
  for (size_t at = 0; at < tensor.bytes.size(); at += block) {
    const size_t count = std::min(block, tensor.bytes.size() - at);
    digest.add(tensor.bytes.data() + at, count);
    if (tensor.mapped) done_with(tensor.bytes.subspan(at, count));
    advanced(static_cast<int64_t>(count));
  }
  return digest.hex();
}

void require_digest(const std::string& digest, const std::string& whose) {
  const bool good = digest.size() == 32 && digest.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!good) fail("{}: '{}' is no digest; it should be 32 hexadecimal digits", whose, digest);
}

}  // namespace varve
