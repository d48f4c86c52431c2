// A seal ends every file of the store: what the file holds at a glance, and a digest that tells a file cut
// short or changed from a whole one before HDF5 ever parses it. Readers of HDF5 ignore bytes after the end.
//
//   1. body: the HDF5 file; of a Dataset followed by its table (dataset_table.h)
//   2. note: JSON text
//   3. line: "varve-seal 1 <body bytes> <note bytes> <body digest> <note digest>\n", numbers as 16 hex digits
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "analysis/store/published_file.h"

namespace varve {

struct Seal {
  int64_t body_bytes = 0;
  std::string body_digest;
  std::string note;
};

using Stretch = std::pair<int64_t, int64_t>;  // first byte, count

// Digest of bytes [0, count) of a mapped file without some stretches, which have digests of their own. Pages
// leave memory behind it.
std::string digest_around(const std::byte* mapped, int64_t count, std::vector<Stretch> left_out);

void write_seal(PublishedFile& file, const Seal& seal);
// Reads the end of the file only; throws Error where the file was cut short or is none of ours.
Seal read_seal(const std::filesystem::path& file);
// True where the last line is in place and fits the file's size: cheap, finds files cut short.
bool looks_sealed(const std::filesystem::path& file);
// Throws Error where a byte of the body, outside the stretches left out, is not as it was sealed.
void check_body(const std::filesystem::path& file, const Seal& seal, const std::vector<Stretch>& left_out);

}  // namespace varve
