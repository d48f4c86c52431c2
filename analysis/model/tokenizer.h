// Hugging Face tokenizer.json with ByteLevel BPE. Ids are the record; nothing is added that the text does not
// say.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace varve {

struct Token {
  int64_t id = 0;
  int64_t begin = 0, end = 0;  // byte range in the text
};

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view tokenizer_json);  // throws Error: what it is, what is supported
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  std::vector<Token> encode(std::string_view text) const;
  std::string decode(const std::vector<int64_t>& ids) const;  // bytes; an unknown id is an Error
  std::string piece(int64_t id) const;            // the bytes of one token, "" where the id has none
  int64_t size() const;                           // largest id + 1
  const std::vector<std::string>& notes() const;  // what the file asks for and this does not do, as sentences

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

// As people read it: leading space U+2423, newline U+23CE, tab U+21E5, other control and stray bytes \x0a.
std::string show_piece(std::string_view bytes);

}  // namespace varve
