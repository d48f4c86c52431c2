// A checkpoint of a store, ready to be read: its weights by canonical name, the probes, the tokenizer.
#include "analysis/study.h"

#include <unordered_map>

#include "analysis/core/error.h"

namespace varve {
namespace {

RawType raw_type(TensorType type, const std::string& name) {
  switch (type) {
    case TensorType::f64:
      return RawType::f64;
    case TensorType::f32:
      return RawType::f32;
    case TensorType::f16:
      return RawType::f16;
    case TensorType::bf16:
      return RawType::bf16;
    default:
      break;
  }
  fail("tensor '{}' is {}, and weights must be f64, f32, f16 or bf16. Was a buffer taken for a weight?", name,
       name_of(type));
}

}  // namespace

Weights weights_of(std::shared_ptr<const RunStore> store, const CheckpointRecord& checkpoint) {
  auto by_name = std::make_shared<std::unordered_map<std::string, const TensorRecord*>>();
  for (const TensorRecord& record : checkpoint.tensors) by_name->emplace(record.name, &record);
  const int64_t step = checkpoint.step;
  const auto record = [by_name, step](const std::string& name) -> const TensorRecord& {
    const auto found = by_name->find(name);
    if (found == by_name->end())
      fail("step {} holds no tensor '{}', which its recipe asks for. Import it again.", step, name);
    return *found->second;
  };
  TensorSource source = [store, record](const std::string& name) {
    const TensorView view = store->tensor(record(name));
    return RawTensor{raw_type(view.type, name), view.shape, view.bytes, view.mapped, view.owned};
  };
  StretchSource stretches = [store, record](const std::string& name) { return store->stored(record(name)); };
  return Weights(spec_from_json(checkpoint.spec), recipe_from_json(checkpoint.recipe), std::move(source),
                 std::move(stretches));
}

Study::Study(std::shared_ptr<const RunStore> store, const CheckpointRecord& checkpoint,
             std::shared_ptr<const Probes> probes, std::shared_ptr<const Tokenizer> tokenizer,
             Compute compute)
    : store_(std::move(store)),
      checkpoint_(&checkpoint),
      probes_(std::move(probes)),
      tokenizer_(std::move(tokenizer)),
      compute_(compute),
      weights_(std::make_unique<Weights>(weights_of(store_, checkpoint))) {}

std::string Study::piece(int64_t id) const {
  if (!tokenizer_) return fmt::format("#{}", id);
  const std::string bytes = tokenizer_->piece(id);
  return bytes.empty() ? fmt::format("#{}", id) : show_piece(bytes);
}

}  // namespace varve
