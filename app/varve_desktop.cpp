// The desktop program.
#include "app/desktop/desktop.h"

int main(int argc, char** argv) { return varve::run_desktop(argc, argv); }
