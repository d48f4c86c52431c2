// How much memory this process and this machine have, in bytes.
#pragma once

#include <cstdint>

namespace varve {

int64_t resident_bytes();  // what this process holds now, mapped pages included
int64_t physical_bytes();  // what the machine has

// Large buffers go back to the system as soon as they are freed, instead of being kept for the next one. The
// price is that each is filled with zeros anew. For a program's main, where memory was promised.
void return_freed_memory();

}  // namespace varve
