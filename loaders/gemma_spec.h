// What both Gemma generations share.
#pragma once

#include "loaders/llama_plan.h"

namespace varve {

ModelSpec gemma_spec(const ConfigKeys& config, LlamaDefaults defaults);

}  // namespace varve
