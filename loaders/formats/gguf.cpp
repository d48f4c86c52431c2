// Reads GGUF files: float tensors where they lie, Q8_0 widened to f32, and what the file says of its network.
#include <deque>
#include <memory>

#include "analysis/core/error.h"
#include "analysis/core/mapped_file.h"
#include "loaders/format.h"
#include "loaders/gguf_file.h"

namespace varve {
namespace {

// Q8_0 as f32 takes almost four times the room, in memory: meant for small models and for looking at one.
constexpr uint64_t most_widened = 8'000'000'000;

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

std::optional<TensorType> type_of(const std::string& name) {
  static constexpr std::pair<const char*, TensorType> types[] = {
      {"F64", TensorType::f64},   {"F32", TensorType::f32}, {"F16", TensorType::f16},
      {"BF16", TensorType::bf16}, {"I64", TensorType::i64}, {"I32", TensorType::i32},
      {"I16", TensorType::i16},   {"I8", TensorType::i8}};
  for (const auto& [known, type] : types)
    if (name == known) return type;
  return std::nullopt;
}

// Numbers, texts and short lists; vocabularies are no part of a network's description.
std::string config_of(const nlohmann::json& metadata) {
  constexpr size_t longest_list = 1000;
  nlohmann::json config = {{"model_type", "gguf"}};
  for (const auto& [key, value] : metadata.items())
    if (!value.is_array() || value.size() <= longest_list) config[key] = value;
  if (const auto tokens = metadata.find("tokenizer.ggml.tokens"); tokens != metadata.end())
    config["tokenizer.ggml.tokens"] = tokens->size();
  return config.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

class GgufFile : public TensorFile {
 public:
  explicit GgufFile(const std::filesystem::path& path) : file_(path) {
    const GgufContent content = read_gguf(text_of(file_), path.string());
    uint64_t widened = 0;
    FilePart& part = parts_.front();
    for (const GgufTensor& tensor : content.tensors) {
      FileTensor found;
      found.name = tensor.name;
      found.view.shape = tensor.shape;
      const std::span<const std::byte> raw = file_.bytes().subspan(tensor.begin, tensor.bytes);
      if (const std::optional<TensorType> type = type_of(ggml_type_name(tensor.type))) {
        found.view.type = *type;
        found.view.bytes = raw;
        found.view.mapped = true;
        found.offset = static_cast<int64_t>(tensor.begin);
      } else {
        widened += tensor.bytes / 34 * 128;
        if (widened > most_widened)
          fail("{}: its Q8_0 tensors take more than {} bytes as f32; convert the model to F16 or BF16",
               path.string(), most_widened);
        widened_.push_back(dequantized_q8_0(text_of(file_).substr(tensor.begin, tensor.bytes)));
        found.view.type = TensorType::f32;
        found.view.bytes = std::as_bytes(std::span(widened_.back()));
        found.offset = -1;
      }
      part.tensors.push_back(std::move(found));
    }
    if (widened > 0) part.notes.push_back("tensors in Q8_0 are widened to f32");
    part.config = config_of(content.metadata);
    part.tokenizer = gguf_tokenizer(content.metadata);
    const std::string gap = gguf_tokenizer_gap(content.metadata);
    if (!gap.empty()) part.notes.push_back(gap);
  }
  const std::vector<FilePart>& parts() const override { return parts_; }
  void check_bytes(const std::function<void(int64_t)>&) const override {}  // there are no checksums

 private:
  MappedFile file_;
  std::deque<std::vector<float>> widened_;
  std::vector<FilePart> parts_{1};
};

}  // namespace

void add_gguf(FormatCatalog& catalog) {
  catalog.add({.name = "gguf",
               .summary = "GGUF 2 and 3 with F32, F16, BF16 or Q8_0 tensors, network and vocabulary included",
               .endings = {".gguf"},
               .recognises =
                   [](const std::filesystem::path& path) {
                     const MappedFile file(path);
                     return text_of(file).starts_with("GGUF");
                   },
               .open = [](const std::filesystem::path& path) -> std::unique_ptr<TensorFile> {
                 return std::make_unique<GgufFile>(path);
               }});
}

}  // namespace varve
