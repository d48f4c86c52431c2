// GGUF files: metadata and tensors of one model in one file, as llama.cpp keeps them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace varve {

struct GgufTensor {
  std::string name;
  std::vector<int64_t> shape;  // row-major: the file's dimensions turned round
  uint32_t type = 0;           // ggml's number: 0 F32, 1 F16, 8 Q8_0, 30 BF16 ...
  uint64_t begin = 0;          // of its bytes in the file
  uint64_t bytes = 0;
};

struct GgufContent {
  nlohmann::json metadata;  // key -> number, bool, text or list
  std::vector<GgufTensor> tensors;
};

// `where` names the file in errors. Throws Error; trusts no size and no offset.
GgufContent read_gguf(std::string_view bytes, const std::string& where);

std::string ggml_type_name(uint32_t type);  // "Q4_K"; "type 99" where it is not known

// Blocks of 32: a 2-byte float scale and 32 signed bytes, 34 bytes in all.
std::vector<float> dequantized_q8_0(std::string_view blocks);

// tokenizer.json of the vocabulary in the metadata; "" where there is none of a kind that is read.
std::string gguf_tokenizer(const nlohmann::json& metadata);
// Why a vocabulary that is there is not read, and what to try; "" where it is read or there is none.
std::string gguf_tokenizer_gap(const nlohmann::json& metadata);

}  // namespace varve
