// THE table of step kinds and the table of their operands. Text, binary form, JSON Schema and reference
// documentation all derive from them. Numbers and the order of a row's operands are permanent; new ones go
// last.
#include <array>

#include "program/program.h"

namespace polypath::program {
namespace {

constexpr std::uint64_t kAny = ~std::uint64_t{0};
constexpr std::uint64_t kDword = 0xFFFFFFFF;
constexpr std::uint64_t kLongestData = 1U << 20U;

using enum FieldType;
constexpr std::array<FieldRow, 56> kFields{{
    {Field::host, "host", host, 0, 0, "the host that does it; may be left out when there is only one"},
    {Field::ns, "ns", ns, 0, kDword, "a namespace: its id, a bound name, an NSID, or {live: k}"},
    {Field::lba, "lba", number, 0, kAny, "first logical block"},
    {Field::blocks, "blocks", number, 1, 65536,
     "logical blocks of one request; at most 256 MiB of them, 1 MiB in a workload"},
    {Field::tag, "tag", text, 0, kLongestName, "what is written: every tag gives its own content"},
    {Field::equals, "equals", text, 0, kLongestName, "the tag whose content the data must have"},
    {Field::via, "via", controller, 0, kDword, "the controller that processes the command"},
    {Field::controllers, "controllers", controllers, 0, 2047, "the controllers that the command names"},
    {Field::controller, "controller", controller, 0, kDword, "a controller: its id, its index, or {live: k}"},
    {Field::opcode, "opcode", opcode, 0, 255, "a command's name or its opcode"},
    {Field::nsid, "nsid", ns, 0, kDword, "NSID of the entry: a number, a namespace's id, or {live: k}"},
    {Field::cdw2, "cdw2", number, 0, kDword, "command dword 2"},
    {Field::cdw3, "cdw3", number, 0, kDword, "command dword 3"},
    {Field::cdw10, "cdw10", number, 0, kDword, "command dword 10"},
    {Field::cdw11, "cdw11", number, 0, kDword, "command dword 11"},
    {Field::cdw12, "cdw12", number, 0, kDword, "command dword 12"},
    {Field::cdw13, "cdw13", number, 0, kDword, "command dword 13"},
    {Field::cdw14, "cdw14", number, 0, kDword, "command dword 14"},
    {Field::cdw15, "cdw15", number, 0, kDword, "command dword 15"},
    {Field::length, "length", number, 0, kAny,
     "bytes of the data buffer; of a workload: blocks of its range"},
    {Field::data, "data", bytes, 0, kLongestData, "bytes to send, as hexadecimal digits"},
    {Field::queue, "queue", queue, 0, 65535, "queue identifier, or {live: k}"},
    {Field::depth, "depth", number, 1, 65536, "entries of a queue; of a workload: requests in flight"},
    {Field::offset, "offset", number, 0, kDword, "byte offset of a register"},
    {Field::value, "value", number, 0, kAny, "value of a register or doorbell"},
    {Field::bytes, "bytes", number, 1, 8, "width of a register access"},
    {Field::policy, "policy", policy, 0, 0, "path policy: numa or round-robin"},
    {Field::size, "size", size, 0, kMostNamespaceBytes, "bytes of a namespace (128MiB)"},
    {Field::shared, "shared", flag, 0, 1, "may be attached to several controllers (yes unless it says no)"},
    {Field::block_size, "block_size", size, 512, kMostBlockBytes, "bytes of a logical block"},
    {Field::duration, "duration", duration, 0, kLongestDuration, "virtual time (5ms)"},
    {Field::rate, "rate", number, 1, 1'000'000'000, "requests per second"},
    {Field::read_percent, "read_percent", number, 0, 100, "share of reads; the others are writes"},
    {Field::seed, "seed", number, 0, kAny, "varies the requests of a workload"},
    {Field::status, "status", status, 0, 0x47FF, "status of the completion entry"},
    {Field::error, "error", error, 0, 4095, "errno that the application sees"},
    {Field::list, "list", list_map, 0, 4096, "namespaces that each controller lists"},
    {Field::heads, "heads", list_map, 0, 4096, "controllers through which their hosts reach each namespace"},
    {Field::fault, "fault", text, 1, kLongestName, "id of a planted fault"},
    {Field::enabled, "enabled", flag, 0, 1, "on (unless it says no) or off"},
    {Field::vector, "vector", number, 0, 2047, "interrupt vector"},
    {Field::masked, "masked", flag, 0, 1, "masked (unless it says no) or unmasked"},
    {Field::abrupt, "abrupt", flag, 0, 1, "abrupt instead of normal shutdown"},
    {Field::cq, "cq", flag, 0, 1, "the head doorbell of a completion queue instead of a tail doorbell"},
    {Field::cid, "cid", number, 0, 65535, "command identifier; the next free one when left out"},
    {Field::prp1, "prp1", number, 0, kAny, "PRP entry 1 as it is; a buffer is made when left out"},
    {Field::prp2, "prp2", number, 0, kAny, "PRP entry 2 as it is"},
    {Field::result, "result", number, 0, kAny, "dword 0 of the completion entry, or the value read"},
    {Field::flags, "flags", number, 0, 255, "command dword 0, bits 15:8 (FUSE, PSDT)"},
    {Field::controller_list, "controller_list", controllers, 0, 2047,
     "what a recorded Namespace Attachment named, as inferred"},
    {Field::completes_at, "completes_at", duration, 0, kLongestDuration,
     "virtual time of the recorded completion"},
    {Field::ring, "ring", flag, 0, 1,
     "the tail doorbell is rung (unless it says no: then the next command of the queue rings it)"},
    {Field::sgl, "sgl", text, 1, kLongestSgl,
     "a Scatter Gather List: `block N`, `bucket N`, `segment`, `raw TYPE ADDRESS N` with commas between "
     "them"},
    {Field::priority, "priority", number, 0, 3,
     "of a submission queue under weighted round robin: 0 urgent, 1 high, 2 medium, 3 low"},
    {Field::spoil, "spoil", text, 1, kLongestName,
     "what is wrong with the metadata of the last block that is sent: guard, application, reference, "
     "storage, "
     "metadata"},
    {Field::contiguous, "contiguous", flag, 0, 1,
     "the queues lie in one piece each (yes, unless it says no: then in pages apart, where CAP.CQR is 0)"},
}};

constexpr bool kRequired = true, kOptional = false;
using F = StepFieldRow;
constexpr std::array<F, 8> kWrite{{{Field::ns, kRequired},
                                   {Field::host, kRequired},
                                   {Field::lba, kOptional},
                                   {Field::blocks, kOptional},
                                   {Field::tag, kOptional},
                                   {Field::error, kOptional},
                                   {Field::status, kOptional},
                                   {Field::data, kOptional}}};
constexpr std::array<F, 7> kRead{{{Field::ns, kRequired},
                                  {Field::host, kRequired},
                                  {Field::lba, kOptional},
                                  {Field::blocks, kOptional},
                                  {Field::equals, kOptional},
                                  {Field::error, kOptional},
                                  {Field::status, kOptional}}};
constexpr std::array<F, 4> kFlush{{{Field::ns, kRequired},
                                   {Field::host, kRequired},
                                   {Field::error, kOptional},
                                   {Field::status, kOptional}}};
constexpr std::array<F, 8> kCompare{{{Field::ns, kRequired},
                                     {Field::host, kRequired},
                                     {Field::lba, kOptional},
                                     {Field::blocks, kOptional},
                                     {Field::equals, kOptional},
                                     {Field::error, kOptional},
                                     {Field::status, kOptional},
                                     {Field::data, kOptional}}};
constexpr std::array<F, 6> kWriteZeroes{{{Field::ns, kRequired},
                                         {Field::host, kRequired},
                                         {Field::lba, kOptional},
                                         {Field::blocks, kOptional},
                                         {Field::error, kOptional},
                                         {Field::status, kOptional}}};
constexpr std::array<F, 10> kWorkload{{{Field::ns, kRequired},
                                       {Field::host, kRequired},
                                       {Field::rate, kOptional},
                                       {Field::duration, kOptional},
                                       {Field::depth, kOptional},
                                       {Field::read_percent, kOptional},
                                       {Field::blocks, kOptional},
                                       {Field::lba, kOptional},
                                       {Field::length, kOptional},
                                       {Field::seed, kOptional}}};
constexpr std::array<F, 4> kAttach{{{Field::via, kRequired},
                                    {Field::ns, kRequired},
                                    {Field::controllers, kRequired},
                                    {Field::status, kOptional}}};
constexpr std::array<F, 6> kCreate{{{Field::via, kRequired},
                                    {Field::size, kRequired},
                                    {Field::shared, kOptional},
                                    {Field::block_size, kOptional},
                                    {Field::status, kOptional},
                                    {Field::result, kOptional}}};
constexpr std::array<F, 3> kDelete{
    {{Field::via, kRequired}, {Field::ns, kRequired}, {Field::status, kOptional}}};
constexpr std::array<F, 2> kPolicy{{{Field::policy, kRequired}, {Field::host, kRequired}}};
constexpr std::array<F, 1> kController{{{Field::controller, kRequired}}};
constexpr std::array<F, 2> kShutdown{{{Field::controller, kRequired}, {Field::abrupt, kOptional}}};
constexpr std::array<F, 25> kAdmin{
    {{Field::controller, kRequired}, {Field::opcode, kRequired},     {Field::nsid, kOptional},
     {Field::cdw10, kOptional},      {Field::cdw11, kOptional},      {Field::controllers, kOptional},
     {Field::status, kOptional},     {Field::ns, kOptional},         {Field::cdw12, kOptional},
     {Field::cdw13, kOptional},      {Field::cdw14, kOptional},      {Field::cdw15, kOptional},
     {Field::cdw2, kOptional},       {Field::cdw3, kOptional},       {Field::length, kOptional},
     {Field::data, kOptional},       {Field::flags, kOptional},      {Field::cid, kOptional},
     {Field::size, kOptional},       {Field::block_size, kOptional}, {Field::shared, kOptional},
     {Field::result, kOptional},     {Field::prp1, kOptional},       {Field::prp2, kOptional},
     {Field::sgl, kOptional}}};
constexpr std::array<F, 27> kIo{
    {{Field::controller, kRequired}, {Field::opcode, kRequired}, {Field::nsid, kOptional},
     {Field::lba, kOptional},        {Field::blocks, kOptional}, {Field::queue, kOptional},
     {Field::tag, kOptional},        {Field::equals, kOptional}, {Field::status, kOptional},
     {Field::ns, kOptional},         {Field::cdw10, kOptional},  {Field::cdw11, kOptional},
     {Field::cdw12, kOptional},      {Field::cdw13, kOptional},  {Field::cdw14, kOptional},
     {Field::cdw15, kOptional},      {Field::cdw2, kOptional},   {Field::cdw3, kOptional},
     {Field::length, kOptional},     {Field::data, kOptional},   {Field::flags, kOptional},
     {Field::cid, kOptional},        {Field::result, kOptional}, {Field::prp1, kOptional},
     {Field::prp2, kOptional},       {Field::sgl, kOptional},    {Field::spoil, kOptional}}};
constexpr std::array<F, 34> kSubmit{
    {{Field::controller, kRequired},   {Field::queue, kRequired},       {Field::opcode, kRequired},
     {Field::nsid, kOptional},         {Field::cdw10, kOptional},       {Field::cdw11, kOptional},
     {Field::cdw12, kOptional},        {Field::lba, kOptional},         {Field::blocks, kOptional},
     {Field::cid, kOptional},          {Field::controllers, kOptional}, {Field::controller_list, kOptional},
     {Field::completes_at, kOptional}, {Field::tag, kOptional},         {Field::equals, kOptional},
     {Field::status, kOptional},       {Field::ns, kOptional},          {Field::cdw13, kOptional},
     {Field::cdw14, kOptional},        {Field::cdw15, kOptional},       {Field::cdw2, kOptional},
     {Field::cdw3, kOptional},         {Field::length, kOptional},      {Field::data, kOptional},
     {Field::flags, kOptional},        {Field::prp1, kOptional},        {Field::prp2, kOptional},
     {Field::result, kOptional},       {Field::size, kOptional},        {Field::block_size, kOptional},
     {Field::shared, kOptional},       {Field::ring, kOptional},        {Field::sgl, kOptional},
     {Field::spoil, kOptional}}};
constexpr std::array<F, 4> kRegisterWrite{{{Field::controller, kRequired},
                                           {Field::offset, kRequired},
                                           {Field::value, kRequired},
                                           {Field::bytes, kOptional}}};
constexpr std::array<F, 4> kRegisterRead{{{Field::controller, kRequired},
                                          {Field::offset, kRequired},
                                          {Field::bytes, kOptional},
                                          {Field::value, kOptional}}};
constexpr std::array<F, 4> kDoorbell{{{Field::controller, kRequired},
                                      {Field::queue, kRequired},
                                      {Field::value, kRequired},
                                      {Field::cq, kOptional}}};
constexpr std::array<F, 7> kCreateQueuePair{{{Field::controller, kRequired},
                                             {Field::queue, kOptional},
                                             {Field::depth, kOptional},
                                             {Field::vector, kOptional},
                                             {Field::status, kOptional},
                                             {Field::priority, kOptional},
                                             {Field::contiguous, kOptional}}};
constexpr std::array<F, 3> kDeleteQueuePair{
    {{Field::controller, kRequired}, {Field::queue, kOptional}, {Field::status, kOptional}}};
constexpr std::array<F, 3> kEnable{
    {{Field::controller, kRequired}, {Field::depth, kOptional}, {Field::value, kOptional}}};
constexpr std::array<F, 3> kMaskVector{
    {{Field::controller, kRequired}, {Field::vector, kRequired}, {Field::masked, kOptional}}};
constexpr std::array<F, 3> kZone{
    {{Field::controller, kRequired}, {Field::ns, kRequired}, {Field::lba, kRequired}}};
constexpr std::array<F, 1> kWait{{{Field::duration, kRequired}}};
constexpr std::array<F, 2> kExpect{{{Field::list, kOptional}, {Field::heads, kOptional}}};
constexpr std::array<F, 2> kFault{{{Field::fault, kRequired}, {Field::enabled, kOptional}}};

constexpr std::array<StepRow, 38> kSteps{{
    {StepKind::nothing, "nothing", "does nothing; what a step of a newer version becomes", {}},
    {StepKind::write, "write", "an application writes blocks through the multipath head", kWrite},
    {StepKind::read, "read", "an application reads blocks through the multipath head", kRead},
    {StepKind::flush, "flush", "an application flushes a namespace", kFlush},
    {StepKind::compare, "compare", "an application compares blocks with the content of a tag", kCompare},
    {StepKind::write_zeroes, "write_zeroes", "an application writes zeroes", kWriteZeroes},
    {StepKind::workload, "workload", "a load of reads and writes beside the steps that follow", kWorkload},
    {StepKind::attach, "attach", "Namespace Attachment, attach, through a host's driver", kAttach},
    {StepKind::detach, "detach", "Namespace Attachment, detach, through a host's driver", kAttach},
    {StepKind::create_ns, "create", "Namespace Management, create; `as` binds the NSID", kCreate},
    {StepKind::delete_ns, "delete", "Namespace Management, delete", kDelete},
    {StepKind::policy, "policy", "sets the path policy of a host", kPolicy},
    {StepKind::reset, "reset", "the host's driver resets a controller and sets it up again", kController},
    {StepKind::shutdown, "shutdown", "the host's driver shuts a controller down; the path is gone",
     kShutdown},
    {StepKind::rescan, "rescan", "the host's driver reads the namespace list again", kController},
    {StepKind::admin, "admin", "any admin command, any dword, and waits for its completion", kAdmin},
    {StepKind::io, "io", "any I/O command on a raw driver's queue, and waits for its completion", kIo},
    {StepKind::submit, "submit", "any command on any queue by number, and does not wait", kSubmit},
    {StepKind::register_write, "register_write", "writes a controller register", kRegisterWrite},
    {StepKind::register_read, "register_read", "reads a controller register; `value` is what it must read",
     kRegisterRead},
    {StepKind::doorbell, "doorbell", "writes any value to a doorbell", kDoorbell},
    {StepKind::create_queue_pair, "create_queue_pair", "a raw driver creates an I/O queue pair",
     kCreateQueuePair},
    {StepKind::delete_queue_pair, "delete_queue_pair", "a raw driver deletes an I/O queue pair",
     kDeleteQueuePair},
    {StepKind::take, "take", "the raw driver takes a controller from its host", kController},
    {StepKind::give, "give", "the raw driver gives a controller back to its host", kController},
    {StepKind::enable, "enable", "a raw driver sets CC.EN and waits for CSTS.RDY", kEnable},
    {StepKind::disable, "disable", "a raw driver clears CC.EN and waits for CSTS.RDY", kController},
    {StepKind::mask_vector, "mask_vector", "masks or unmasks an interrupt vector", kMaskVector},
    {StepKind::reap, "reap", "a raw driver consumes the completion entries that are there", kController},
    {StepKind::wait, "wait", "lets virtual time pass", kWait},
    {StepKind::expect, "expect",
     "checks what controllers list and through which paths hosts reach namespaces", kExpect},
    {StepKind::fault, "fault", "switches a planted fault on or off", kFault},
    {StepKind::flr, "flr", "resets a controller's PCI function (Function Level Reset)", kController},
    {StepKind::hot_reset, "hot_reset", "resets the link of a controller (Conventional Reset)", kController},
    {StepKind::power_cycle, "power_cycle", "a controller's subsystem loses power and has it again",
     kController},
    {StepKind::fatal, "fatal", "a controller fails (CSTS.CFS) and needs a reset", kController},
    {StepKind::zone_read_only, "zone_read_only", "the zone of a block can be written no more", kZone},
    {StepKind::zone_offline, "zone_offline", "the zone of a block can neither be read nor written", kZone},
}};

}  // namespace

std::span<const FieldRow> field_rows() { return kFields; }
std::span<const StepRow> step_rows() { return kSteps; }

const FieldRow* find_field(Field field) {
  // Numbers are dense from 1, in the order of the table (a test says so).
  const auto number = static_cast<std::size_t>(field);
  return number >= 1 && number <= kFields.size() ? &kFields[number - 1] : nullptr;
}

const FieldRow* find_field(std::string_view name) {
  for (const FieldRow& row : kFields) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

const StepRow* find_step(StepKind kind) {
  for (const StepRow& row : kSteps) {
    if (row.kind == kind) return &row;
  }
  return nullptr;
}

const StepRow* find_step(std::string_view name) {
  for (const StepRow& row : kSteps) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace polypath::program
