// The fuzz program `zoned_fuzz`.
#include "fuzz_target.h"

const polypath::fuzz::Target& fuzz_target() { return polypath::fuzz::zoned_target(); }
