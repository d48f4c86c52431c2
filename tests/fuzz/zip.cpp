// Fuzz target: zip archives, every member unpacked.
#include "loaders/zip_archive.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return varve::fuzz::answered([&] {
    const varve::ZipArchive archive(varve::fuzz::as_text(data, size), "input");
    for (const varve::ZipMember& member : archive.members())
      varve::fuzz::answered([&] { archive.read(member); });
  });
}
