// The target that a fuzz program is for; entry.cpp asks, each target's own file answers.
#pragma once

#include "fuzz/target.h"

const polypath::fuzz::Target& fuzz_target();
