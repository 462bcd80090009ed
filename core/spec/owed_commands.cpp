#include "spec/owed_commands.h"

#include <array>

namespace polypath::spec {
namespace {

constexpr auto kAdmin = CommandSet::admin;
constexpr auto kNvm = CommandSet::nvm;
constexpr std::string_view kMultipath = "issue 5, multipath", kRest = "later: the rest of the controller";

constexpr std::array<OwedCommand, 31> kOwed{{
    {kAdmin, 0x19, "Directive Send", kRest},
    {kAdmin, 0x1A, "Directive Receive", kRest},
    {kAdmin, 0x1C, "Virtualization Management", kRest},
    {kAdmin, 0x1D, "NVMe-MI Send", kRest},
    {kAdmin, 0x1E, "NVMe-MI Receive", kRest},
    {kAdmin, 0x20, "Capacity Management", kRest},
    {kAdmin, 0x21, "Discovery Information Management", kMultipath},
    {kAdmin, 0x22, "Fabric Zoning Receive", kMultipath},
    {kAdmin, 0x24, "Lockdown", kRest},
    {kAdmin, 0x25, "Fabric Zoning Lookup", kMultipath},
    {kAdmin, 0x28, "Clear Exported NVM Resource Configuration", kRest},
    {kAdmin, 0x29, "Fabric Zoning Send", kMultipath},
    {kAdmin, 0x2A, "Create Exported NVM Subsystem", kRest},
    {kAdmin, 0x2D, "Manage Exported NVM Subsystem", kRest},
    {kAdmin, 0x31, "Manage Exported Namespace", kRest},
    {kAdmin, 0x35, "Manage Exported Port", kRest},
    {kAdmin, 0x3D, "Track Send", kRest},
    {kAdmin, 0x3E, "Track Receive", kRest},
    {kAdmin, 0x41, "Migration Send", kRest},
    {kAdmin, 0x42, "Migration Receive", kRest},
    {kAdmin, 0x45, "Controller Data Queue", kRest},
    {kAdmin, 0x7F, "Fabrics commands", kMultipath},
    {kAdmin, 0x81, "Security Send", kRest},
    {kAdmin, 0x82, "Security Receive", kRest},
    {kNvm, 0x0D, "Reservation Register", kMultipath},
    {kNvm, 0x0E, "Reservation Report", kMultipath},
    {kNvm, 0x11, "Reservation Acquire", kMultipath},
    {kNvm, 0x12, "I/O Management Receive", kRest},
    {kNvm, 0x15, "Reservation Release", kMultipath},
    {kNvm, 0x18, "Cancel", kRest},
    {kNvm, 0x1D, "I/O Management Send", kRest},
}};

}  // namespace

std::span<const OwedCommand> owed_commands() { return kOwed; }

const OwedCommand* find_owed(CommandSet set, std::uint8_t opcode) {
  for (const OwedCommand& owed : kOwed) {
    if (owed.set == set && owed.opcode == opcode) return &owed;
  }
  return nullptr;
}

}  // namespace polypath::spec
