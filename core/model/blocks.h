// What the logical blocks of one namespace may hold. Every write that could have reached a block is a version
// of it; a version is possible from the submission of its write until a later write surely replaced it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "engine/cow_map.h"
#include "engine/hash.h"
#include "model/facts.h"

namespace polypath::model {

/// How a write ended. Only `applied` says that it had its effect.
enum class WriteEnd : std::uint8_t {
  open,      ///< not yet
  initial,   ///< no write: what the block held at the start
  applied,   ///< Success
  refused,   ///< failed a check before execution: no effect at all
  failed,    ///< error: effect or not, none later
  reset,     ///< dropped by a reset, which is over
  detached,  ///< its namespace was detached under it
  aborted,   ///< aborted at once
  advised,   ///< Success of a command that only advises: effect or not, none later
};

struct Version {
  std::uint64_t value = 0;                  ///< digest of the logical block
  std::uint64_t known = ~std::uint64_t{0};  ///< bits of it that are; metadata may be open
  Seq writer = 0;                           ///< submission of its write, 0: was there at the start
  Seq settled = 0;                          ///< end of its write, kNow while open
  Seq gone = kNow;                          ///< when it stopped being possible
  std::uint16_t controller = 0xFFFF;
  WriteEnd end = WriteEnd::initial;
  bool unknown = false;   ///< the value is not known: anything matches
  bool learned = false;   ///< the value is known from a read only
  bool zeroes = false;    ///< written by Write Zeroes
  bool copied = false;    ///< written by Copy
  bool emptied = false;   ///< its zone was reset
  bool durable = false;   ///< when it was written: FUA, or no cache
  bool excluded = false;  ///< gone because a read decided for another one

  bool live() const { return gone == kNow; }
  /// May the bits of `shown` in a value be those of this one?
  bool holds(std::uint64_t of, std::uint64_t shown = ~std::uint64_t{0}) const {
    return ((value ^ of) & known & shown) == 0;
  }
};

struct Block {
  Version a, b;            ///< `a` is the settled one where there is only one
  std::uint32_t more = 0;  ///< further versions: index in Blocks' spare plus 1
  std::uint8_t used = 0;   ///< bit 0: a, bit 1: b
};

/// Stands for the digest of a block that Write Uncorrectable spoilt: no data has it.
inline constexpr std::uint64_t kUncorrectable = 0xBADB10C0BADB10C0;

/// What a read of a block found.
enum class Match : std::uint8_t {
  possible,
  unknown,  ///< cannot be judged
  impossible,
};

class Blocks {
 public:
  /// What blocks hold that nobody wrote yet.
  enum class Unwritten : std::uint8_t { zeros, stable };
  /// `known`: bits of the digest of a block that nobody wrote.
  void start(Unwritten unwritten, std::uint64_t zero_digest, std::uint64_t known = ~std::uint64_t{0}) {
    *this = {};
    unwritten_ = unwritten;
    zero_ = zero_digest;
    zero_known_ = known;
  }
  std::uint64_t zero() const { return zero_; }

  /// A write of `value` by the command submitted at `writer`; `quiet` is a moment before which no open reader
  /// began.
  enum class Written : std::uint8_t { data, zeroes, unknown, copied, emptied };
  void begin(std::uint64_t lba, std::uint64_t value, Seq writer, std::uint16_t controller, Written what,
             Seq quiet, bool durable = false, std::uint64_t known = ~std::uint64_t{0});
  /// The write's window ends at `now`.
  void end(std::uint64_t lba, Seq writer, WriteEnd how, Seq now, Seq quiet);
  /// Is `value` what a reader that began at `since` may have found? `sizes` grows by the number of possible
  /// values. Where nothing is under way the read decides.
  /// `shown`: the bits of the value that the read shows; where they are not all, it decides nothing.
  Match read(std::uint64_t lba, std::uint64_t value, Seq since, Seq now, std::uint64_t& sizes,
             std::uint64_t shown = ~std::uint64_t{0});
  /// May a reader that began at `since` have found something else in the bits that it looked at?
  bool may_differ(std::uint64_t lba, std::uint64_t value, Seq since,
                  std::uint64_t shown = ~std::uint64_t{0}) const;
  /// May a reader that began at `since` have met this value, and surely nothing else?
  struct Met {
    bool possible = false, surely = false;
  };
  Met met(std::uint64_t lba, std::uint64_t value, Seq since) const;
  /// The write, by its submission, that alone can have given a reader that began at `since` this value, and
  /// gave it once; kNow when there may be several.
  Seq sole_source(std::uint64_t lba, std::uint64_t value, Seq since,
                  std::uint64_t shown = ~std::uint64_t{0}) const;
  /// What a reader that began at `since` surely met; none when several values are possible, or it is not
  /// known.
  struct Sole {
    std::uint64_t value = 0, known = 0;  ///< and which bits of it
    bool unwritten = false;
  };
  std::optional<Sole> sole_value(std::uint64_t lba, Seq since) const;
  /// The value of a write by `writer` is known now.
  void settle(std::uint64_t lba, Seq writer, std::uint64_t value, std::uint64_t known = ~std::uint64_t{0});
  /// Nobody knows any more what a write by `writer` puts there.
  void doubt(std::uint64_t lba, Seq writer);
  /// The version, live or gone, that holds this value (the youngest), and how many are possible; for
  /// explanations.
  struct Story {
    const Version* same = nullptr;
    const Version* expected = nullptr;  ///< the youngest possible one
    std::uint32_t possible = 0;
  };
  Story story(std::uint64_t lba, std::uint64_t value) const;
  /// Power was lost. A block with one possible value, of which `durable(version)` holds, keeps it; of others
  /// nothing is known any more. False in the answer: there was none that had to keep what was written.
  bool lose_power(const std::function<bool(const Version&)>& durable, Seq now, Seq quiet);
  /// Blocks that may hold this value.
  void each_with(std::uint64_t value, const std::function<void(std::uint64_t lba)>& f) const;
  /// A write of unknown data has ended at `now`: anything matches until a later one replaced it. `quiet` as
  /// in begin().
  void taint(std::uint64_t lba, Seq now, Seq quiet);

  void hash(engine::Hasher& hasher) const;

 private:
  struct Page {
    std::array<Block, 8> blocks;
  };
  struct Spare {
    std::array<Version, 24> versions;
    std::uint8_t used = 0;
    std::uint32_t next_free = 0;
  };
  template <class F>
  void each(const Block& block, F&& f) const;
  template <class F>
  void each(Block& block, F&& f);
  Block& edit(std::uint64_t lba);
  const Block* find(std::uint64_t lba) const;
  void add(Block& block, const Version& version, Seq quiet);
  void tidy(Block& block, Seq quiet);
  void free_spare(Block& block);

  engine::CowMap<Page> pages_;
  std::vector<Spare> spare_;
  std::uint32_t free_spare_ = 0;
  std::uint64_t zero_ = 0, zero_known_ = ~std::uint64_t{0};
  Unwritten unwritten_ = Unwritten::zeros;
};

/// Bound for the oldest open reader, in two generations: exact enough to forget old versions, without a list.
class Readers {
 public:
  /// Gives the generation, which the reader hands back at its end.
  std::uint8_t begin(Seq now) {
    if (open_[!current_] == 0) {
      current_ = !current_;  // the older generation ran out: a new one starts here
      oldest_ = started_;
      started_ = now;
    }
    ++open_[current_];
    return current_ ? 1 : 0;
  }
  void end(std::uint8_t generation) { --open_[generation != 0]; }
  /// No open reader began before this moment.
  Seq quiet() const { return open_[0] == 0 && open_[1] == 0 ? kNow : oldest_; }

 private:
  std::array<std::uint32_t, 2> open_{};
  Seq started_ = 0, oldest_ = 0;
  bool current_ = false;
};

}  // namespace polypath::model
