// Random programs for properties: some from random bytes, some put together operand by operand with hostile
// texts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/hash.h"
#include "program/program.h"

namespace polypath::program {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(engine::mix(seed, 1)) {}
  std::uint64_t word() { return state_ = engine::mix(state_, 7); }
  std::uint64_t below(std::uint64_t n) { return word() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

inline std::vector<std::byte> random_bytes(Dice& dice, std::size_t most) {
  std::vector<std::byte> bytes(dice.below(most + 1));
  for (auto& b : bytes) b = static_cast<std::byte>(dice.one_in(3) ? dice.below(256) : dice.below(48));
  return bytes;
}

inline std::string random_text(Dice& dice) {
  static const char* const kPieces[] = {"a",
                                        "B",
                                        "null",
                                        "true",
                                        "0x10",
                                        "12",
                                        "- ",
                                        ": ",
                                        "#",
                                        "\"",
                                        "'",
                                        "\\",
                                        "\n",
                                        "\n\n",
                                        "  ",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        ",",
                                        "&x",
                                        "*y",
                                        "!t",
                                        "|",
                                        ">",
                                        "%",
                                        "@",
                                        "`",
                                        "?",
                                        "~",
                                        "\xC3\xA9",
                                        "\xE2\x80\xA8",
                                        "\xEF\xBB\xBF",
                                        "\xF0\x9F\x98\x80",
                                        "\xC2\xA0",
                                        "\xFF",
                                        "\x01",
                                        "\t",
                                        "---",
                                        "...",
                                        "=",
                                        "<<"};
  std::string text;
  for (std::uint64_t i = dice.below(6); i > 0; --i) text += kPieces[dice.below(std::size(kPieces))];
  return text;
}

inline std::string random_name(Dice& dice) {
  static const char* const kNames[] = {"nvme0", "nvme1", "nvme2", "ns1",  "ns2",  "host0",
                                       "l1",    "n1",    "a1",    "null", "true", "yes",
                                       "x.y",   "y",     "main",  "zz-z", "no",   "nope"};
  return dice.one_in(8) ? random_text(dice) : kNames[dice.below(std::size(kNames))];
}

inline Value random_value(Dice& dice, int depth = 0) {
  Value value;
  value.form = static_cast<Form>(dice.below(3));
  value.number = dice.one_in(3) ? dice.word() >> dice.below(64) : dice.below(40);
  value.text = dice.one_in(2) ? random_name(dice) : random_text(dice);
  for (std::uint64_t i = depth < 2 ? dice.below(4) : 0; i > 0; --i)
    value.list.push_back(random_value(dice, depth + 1));
  return value;
}

/// A program that nobody has checked, on a topology that is one.
inline Program random_program(std::uint64_t seed) {
  Dice dice(seed);
  Program p;
  if (dice.one_in(2)) {
    p = decode(random_bytes(dice, 40));
  } else {
    TopologyOptions options;
    options.serial_per_controller = true;
    p.profile = "qemu-2021";
    p.topology = parse_topology(
        {"nvme-subsys,id=subsys0", "nvme,serial=foo,subsys=subsys0", "nvme,serial=bar,subsys=subsys0",
         "nvme,serial=qux", "nvme-ns,size=128MiB,subsys=subsys0", "nvme-ns,size=4MiB,bus=nvme1",
         "nvme-ns,id=y,size=8MiB,bus=nvme2,shared=on,detached=on"},
        {}, options);
  }
  p.name = random_text(dice);
  p.description = random_text(dice) + "\n" + random_text(dice);
  p.seed = dice.one_in(2) ? dice.word() : dice.below(9);
  for (std::uint64_t i = dice.below(3); i > 0; --i) p.faults.push_back(random_text(dice));
  for (std::uint64_t i = dice.below(3); i > 0; --i) {
    HostSpec host;
    host.id = random_name(dice);
    host.policy = random_name(dice);
    for (std::uint64_t j = dice.below(4); j > 0; --j) host.paths.push_back(random_name(dice));
    host.queues = static_cast<std::uint16_t>(dice.below(80));
    host.queue_depth = static_cast<std::uint16_t>(dice.below(200));
    host.io_timeout = dice.word() >> dice.below(64);
    host.later = dice.below(4) == 0;
    p.hosts.push_back(host);
  }
  const auto rows = step_rows();
  for (std::uint64_t i = dice.below(12); i > 0; --i) {
    Step step;
    const StepRow& row = rows[dice.below(rows.size())];
    step.kind = dice.one_in(20) ? static_cast<StepKind>(dice.below(256)) : row.kind;
    step.id = dice.one_in(3) ? static_cast<std::uint32_t>(dice.below(20)) : 0;
    step.latitude = static_cast<std::uint8_t>(dice.one_in(4) ? dice.below(256) : 0);
    step.nowait = dice.one_in(4);
    if (dice.one_in(4)) step.at = dice.word() >> dice.below(64);
    if (dice.one_in(3)) step.actor = random_name(dice);
    if (dice.one_in(3)) step.label = random_name(dice);
    if (dice.one_in(3)) step.after = random_name(dice);
    if (dice.one_in(3)) step.as = random_name(dice);
    for (const StepFieldRow& f : row.fields) {
      if (dice.one_in(2)) step.operands.push_back({f.field, random_value(dice)});
    }
    if (dice.one_in(6)) step.operands.push_back({static_cast<Field>(dice.below(70)), random_value(dice)});
    p.steps.push_back(std::move(step));
  }
  for (std::uint64_t i = dice.below(2); i > 0; --i) {
    p.overrides.push_back({static_cast<std::uint32_t>(dice.word()), static_cast<engine::Site>(dice.word()),
                           static_cast<std::uint32_t>(dice.below(5)), dice.word()});
  }
  return p;
}

}  // namespace polypath::program
