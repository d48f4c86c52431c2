// The headless program. It links no Qt: the linker proves "headless".
#include "app/verbs/verb.h"

int main(int argc, char** argv) { return varve::run_program(argc, argv); }
