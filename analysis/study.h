// What an analysis is handed: one checkpoint, its weights, the probes, and a tokenizer where the series has
// one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "analysis/model/forward.h"
#include "analysis/model/probes.h"
#include "analysis/model/tokenizer.h"
#include "analysis/model/weights.h"
#include "analysis/store/run_store.h"

namespace varve {

class Study {
 public:
  Study(std::shared_ptr<const RunStore> store, const CheckpointRecord& checkpoint,
        std::shared_ptr<const Probes> probes, std::shared_ptr<const Tokenizer> tokenizer, Compute compute);
  const CheckpointRecord& checkpoint() const { return *checkpoint_; }
  const ModelSpec& spec() const { return weights_->spec(); }
  const Weights& weights() const { return *weights_; }
  const Probes& probes() const { return *probes_; }
  Compute compute() const { return compute_; }
  void be_frugal() { weights_->set_frugal(true); }  // where memory is short: see Weights
  std::string piece(int64_t id) const;              // as people read it; "#17" where there is no tokenizer

 private:
  std::shared_ptr<const RunStore> store_;
  const CheckpointRecord* checkpoint_;
  std::shared_ptr<const Probes> probes_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  Compute compute_;
  std::unique_ptr<Weights> weights_;
};

Weights weights_of(std::shared_ptr<const RunStore> store, const CheckpointRecord& checkpoint);

}  // namespace varve
