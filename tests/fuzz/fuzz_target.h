// What the fuzz targets share: hostile bytes as a file, and the one kind of exception that is an answer.
//
// A target reads its bytes as one of the files that people hand to Varve. It must return: with what the file
// says, or after an Error. Any other exception, a crash, a sanitizer's report or a memory blow-up is a bug.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "loaders/format.h"

// libFuzzer's entry; in the plain tests each target has a name of its own instead.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace varve::fuzz {

// The bytes as a file in memory, the same one every time.
std::filesystem::path as_file(const uint8_t* data, size_t size);

inline std::string_view as_text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Runs `read`; an Error is an answer.
int answered(const std::function<void()>& read);

// Every byte of every tensor is touched, so that a sanitizer sees a view that leaves its file.
void touch(const TensorFile& file);

}  // namespace varve::fuzz
