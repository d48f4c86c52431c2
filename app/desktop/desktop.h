// The desktop program as a function, so that its main is one line.
#pragma once

namespace varve {

int run_desktop(int argc, char** argv);

}  // namespace varve
