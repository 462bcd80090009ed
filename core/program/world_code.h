// The part of the binary form before the steps: topology, profile, hosts. A world of a simple shape is a few
// bytes, so that a fuzzer changes its structure with one; any other world follows an escape, in words.
#pragma once

#include "program/program.h"
#include "program/wire.h"

namespace polypath::program {

void write_world(WireWriter& out, const Program& program);
/// Sets profile, topology, hosts. Words that are no topology, or one without controllers, give the smallest
/// one.
void read_world(WireReader& in, Program& program);
/// One controller with one namespace.
Topology smallest_topology();

}  // namespace polypath::program
