// The fuzz program `attach_fuzz`.
#include "fuzz_target.h"

const polypath::fuzz::Target& fuzz_target() { return polypath::fuzz::attach_target(); }
