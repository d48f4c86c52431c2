// A seal ends every file of the store and tells a whole file from one cut short or changed.
#include "analysis/store/seal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "analysis/core/digest.h"
#include "analysis/core/error.h"
#include "analysis/core/mapped_file.h"

namespace varve {

namespace {

constexpr std::string_view opening = "varve-seal 1 ";
constexpr int64_t line_bytes = 13 + 17 + 17 + 33 + 33;

class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& file) : id_(open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (id_ < 0) fail("{}: could not be opened: {}", file.string(), std::strerror(errno));
  }
  ~Descriptor() { close(id_); }
  Descriptor(const Descriptor&) = delete;
  int64_t size() const {
    struct stat about = {};
    return fstat(id_, &about) == 0 && S_ISREG(about.st_mode) ? about.st_size : -1;
  }
  // The bytes asked for, or none where the file does not give them.
  std::optional<std::string> read(int64_t offset, int64_t count) const {
    std::string bytes(static_cast<size_t>(count), '\0');
    int64_t done = 0;
    while (done < count) {
      const ssize_t got = pread(id_, bytes.data() + done, static_cast<size_t>(count - done), offset + done);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return std::nullopt;
      done += got;
    }
    return bytes;
  }

 private:
  int id_;
};

struct Line {
  int64_t body_bytes = 0, note_bytes = 0;
  std::string body_digest, note_digest;
};

std::optional<int64_t> hex_number(const std::string& text) {
  if (text.find_first_not_of("0123456789abcdef") != std::string::npos || text[0] > '7') return std::nullopt;
  return static_cast<int64_t>(std::stoull(text, nullptr, 16));
}

std::optional<Line> read_line(const Descriptor& file) {
  const int64_t size = file.size();
  if (size < line_bytes) return std::nullopt;
  const std::optional<std::string> text = file.read(size - line_bytes, line_bytes);
  if (!text || !text->starts_with(opening) || text->back() != '\n') return std::nullopt;
  const std::optional<int64_t> body = hex_number(text->substr(13, 16));
  const std::optional<int64_t> note = hex_number(text->substr(30, 16));
  if (!body || !note || *body > size || *note > size || *body + *note + line_bytes != size)
    return std::nullopt;
  return Line{*body, *note, text->substr(47, 32), text->substr(80, 32)};
}

}  // namespace

std::string digest_around(const std::byte* mapped, int64_t count, std::vector<Stretch> left_out) {
  constexpr int64_t block = int64_t{4} << 20;
  std::sort(left_out.begin(), left_out.end());
  Digest digest;
  const auto add = [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; at += block) {
      const std::span<const std::byte> bytes(mapped + at, static_cast<size_t>(std::min(block, end - at)));
      digest.add(bytes.data(), bytes.size());
      done_with(bytes);
    }
  };
  int64_t at = 0;
  for (const auto& [first, length] : left_out) {
    if (first > at) add(at, std::min(first, count));
    at = std::min(count, std::max(at, first + length));
  }
  if (at < count) add(at, count);
  return digest.hex();
}

void write_seal(PublishedFile& file, const Seal& seal) {
  const std::string line =
      fmt::format("{}{:016x} {:016x} {} {}\n", opening, seal.body_bytes, seal.note.size(), seal.body_digest,
                  digest_of(seal.note.data(), seal.note.size()));
  file.write(seal.body_bytes, seal.note.data(), static_cast<int64_t>(seal.note.size()));
  file.write(seal.body_bytes + static_cast<int64_t>(seal.note.size()), line.data(), line_bytes);
}

bool looks_sealed(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return false;
  return read_line(Descriptor(file)).has_value();
}

Seal read_seal(const std::filesystem::path& file) {
  const Descriptor descriptor(file);
  const std::optional<Line> line = read_line(descriptor);
  if (!line) fail("{}: its seal is missing: it was cut short, or varve did not write it", file.string());
  const std::optional<std::string> note = descriptor.read(line->body_bytes, line->note_bytes);
  if (!note || digest_of(note->data(), note->size()) != line->note_digest)
    fail("{}: it was changed or damaged after it was written (its note does not fit its seal)",
         file.string());
  return {line->body_bytes, line->body_digest, *note};
}

void check_body(const std::filesystem::path& file, const Seal& seal, const std::vector<Stretch>& left_out) {
  const MappedFile mapped(file);
  const bool fits = static_cast<int64_t>(mapped.bytes().size()) >= seal.body_bytes &&
                    digest_around(mapped.bytes().data(), seal.body_bytes, left_out) == seal.body_digest;
  if (!fits)
    fail("{}: it was changed or damaged after it was written (its bytes do not fit its seal)", file.string());
}

}  // namespace varve
