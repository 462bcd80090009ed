// Which cases ask which command: read off the cases themselves.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "conform/needs.h"
#include "conform/suite.h"
#include "spec/commands.h"

namespace polypath::conform {

/// What each world of a suite announces, by its name.
using ByWorld = std::map<std::string, Announced>;
ByWorld ask_worlds(const Suite& suite);

/// Ids of the cases that are not skipped and have the command among their own steps, by command.
using Coverage = std::map<std::pair<spec::CommandSet, std::uint8_t>, std::vector<std::string>>;
Coverage covering_cases(const Suite& suite, const ByWorld& worlds);

}  // namespace polypath::conform
