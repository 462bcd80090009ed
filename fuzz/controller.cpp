// The fuzz program `controller_fuzz`.
#include "fuzz_target.h"

const polypath::fuzz::Target& fuzz_target() { return polypath::fuzz::controller_target(); }
