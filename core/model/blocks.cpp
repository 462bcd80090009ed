#include "model/blocks.h"

#include <utility>

namespace polypath::model {

template <class F>
void Blocks::each(const Block& block, F&& f) const {
  if ((block.used & 1U) != 0) f(block.a);
  if ((block.used & 2U) != 0) f(block.b);
  if (block.more == 0) return;
  const Spare& spare = spare_[block.more - 1];
  for (std::size_t i = 0; i < spare.used; ++i) f(spare.versions[i]);
}

template <class F>
void Blocks::each(Block& block, F&& f) {
  std::as_const(*this).each(block, [&](const Version& version) { f(const_cast<Version&>(version)); });
}

const Block* Blocks::find(std::uint64_t lba) const {
  const Page* page = pages_.find(lba / 8);
  if (page == nullptr) return nullptr;
  const Block& block = page->blocks[lba % 8];
  return block.used == 0 && block.more == 0 ? nullptr : &block;
}

Block& Blocks::edit(std::uint64_t lba) {
  Block& block = pages_.edit(lba / 8).blocks[lba % 8];
  if (block.used == 0 && block.more == 0) {
    block.a = {};
    block.a.value = zero_;
    block.a.known = zero_known_;
    block.a.unknown = unwritten_ == Unwritten::stable;
    block.used = 1;
  }
  return block;
}

void Blocks::free_spare(Block& block) {
  if (block.more == 0) return;
  Spare& spare = spare_[block.more - 1];
  spare.used = 0;
  spare.next_free = free_spare_;
  free_spare_ = block.more;
  block.more = 0;
}

/// Brings the versions back into the block where they fit: the live one and the youngest that is gone.
void Blocks::tidy(Block& block, Seq quiet) {
  if (block.more == 0) return;
  const Version* live = nullptr;
  const Version* gone = nullptr;
  bool fits = true;
  each(std::as_const(block), [&](const Version& version) {
    if (version.live()) {
      fits = fits && live == nullptr;
      live = &version;
    } else {
      fits = fits && version.gone < quiet;  // else an open reader may have seen it
      if (gone == nullptr || gone->gone <= version.gone) gone = &version;
    }
  });
  if (!fits || live == nullptr) return;
  const Version keep_live = *live;
  const Version keep_gone = gone == nullptr ? Version{} : *gone;
  const bool both = gone != nullptr;
  free_spare(block);
  block.a = keep_live;
  block.b = keep_gone;
  block.used = both ? 3 : 1;
}

void Blocks::add(Block& block, const Version& version, Seq quiet) {
  // A version that no open reader can have seen makes room.
  const auto forgettable = [&](const Version& v) { return !v.live() && v.gone < quiet; };
  for (unsigned bit : {1U, 2U}) {
    Version& place = bit == 1U ? block.a : block.b;
    if ((block.used & bit) == 0 || forgettable(place)) {
      place = version;
      block.used |= static_cast<std::uint8_t>(bit);
      return;
    }
  }
  if (block.more == 0) {
    if (free_spare_ == 0) {
      spare_.emplace_back();
      block.more = static_cast<std::uint32_t>(spare_.size());
    } else {
      block.more = free_spare_;
      free_spare_ = spare_[block.more - 1].next_free;
    }
    spare_[block.more - 1].used = 0;
  }
  Spare& spare = spare_[block.more - 1];
  for (std::size_t i = 0; i < spare.used; ++i) {
    if (forgettable(spare.versions[i])) {
      spare.versions[i] = version;
      return;
    }
  }
  if (spare.used < spare.versions.size()) {
    spare.versions[spare.used++] = version;
    return;
  }
  // More writes to one block than the model follows: its value is lost for good, as nobody knows which of
  // them come last.
  spare.versions.back() = {};
  spare.versions.back().settled = kNow;
  spare.versions.back().unknown = true;
}

void Blocks::begin(std::uint64_t lba, std::uint64_t value, Seq writer, std::uint16_t controller, Written what,
                   Seq quiet, bool durable, std::uint64_t known) {
  Version version;
  version.value = value;
  version.known = known;
  version.writer = writer;
  version.settled = kNow;
  version.controller = controller;
  version.end = WriteEnd::open;
  version.zeroes = what == Written::zeroes;
  version.unknown = what == Written::unknown || what == Written::copied;
  version.copied = what == Written::copied;
  version.emptied = what == Written::emptied;
  version.durable = durable;
  add(edit(lba), version, quiet);
}

void Blocks::end(std::uint64_t lba, Seq writer, WriteEnd how, Seq now, Seq quiet) {
  Block& block = edit(lba);
  Version* ours = nullptr;
  each(block, [&](Version& version) {
    if (version.writer == writer) ours = &version;
  });
  if (ours == nullptr) return;
  if (!ours->live()) {  // a read decided against it while it was in doubt
    if (ours->end == WriteEnd::open) ours->end = how;
    return;
  }
  if (how == WriteEnd::refused) {
    ours->gone = now;
  } else if (how == WriteEnd::applied) {
    each(block, [&](Version& version) {
      if (&version != ours && version.live() && version.settled <= writer) version.gone = now;
    });
  }
  // A write in doubt that succeeds after all keeps the earlier end of its window.
  if (ours->settled == kNow) ours->settled = now;
  ours->end = how;
  tidy(block, quiet);
}

Match Blocks::read(std::uint64_t lba, std::uint64_t value, Seq since, Seq now, std::uint64_t& sizes,
                   std::uint64_t shown) {
  const Block* found = find(lba);
  if (found == nullptr) {
    ++sizes;
    if (unwritten_ == Unwritten::zeros)
      return ((value ^ zero_) & zero_known_ & shown) == 0 ? Match::possible : Match::impossible;
    if (shown != ~std::uint64_t{0}) return Match::unknown;
    Block& block = edit(lba);
    block.a.value = value;
    block.a.unknown = false;
    block.a.learned = true;
    return Match::unknown;
  }
  if (found->used == 1 && found->more == 0 && !found->a.unknown && found->a.live()) {
    ++sizes;
    return found->a.holds(value, shown) ? Match::possible : Match::impossible;
  }
  bool match = false, known = false, quiet = true;
  std::uint32_t live = 0;
  each(*found, [&](const Version& version) {
    if (!version.live() && version.gone < since) return;
    ++sizes;
    if (version.live()) ++live;
    if (!version.live() || version.settled > since) quiet = false;
    if (version.unknown || version.holds(value, shown)) match = true;
    if (!version.unknown && version.holds(value, shown)) known = true;
  });
  if (!match) return Match::impossible;
  if (quiet && shown == ~std::uint64_t{0}) {
    // Nothing was under way while the read was: what it found is what the block holds.
    bool undecided = live > 1;
    each(*found, [&](const Version& version) { undecided |= version.live() && version.unknown; });
    if (undecided) {
      // Whose value it is may be open: a command that ended by a detach can still be refused, and then the
      // value was another's. So every version that may have it has it, unless one is there for good.
      bool settled = false;
      each(*found, [&](const Version& version) {
        settled |= version.live() && !version.unknown && version.holds(value) &&
                   (version.end == WriteEnd::applied || version.end == WriteEnd::initial);
      });
      each(edit(lba), [&](Version& version) {
        if (!version.live()) return;
        if (!version.unknown && version.holds(value)) return;
        if (version.unknown && !settled) {
          version.value = value;
          version.unknown = false;
          version.learned = version.writer == 0;
          return;
        }
        version.gone = now;
        version.excluded = true;
      });
    }
  }
  return known ? Match::possible : Match::unknown;
}

bool Blocks::may_differ(std::uint64_t lba, std::uint64_t value, Seq since, std::uint64_t shown) const {
  const Block* found = find(lba);
  if (found == nullptr)
    return unwritten_ == Unwritten::stable || (shown & ~zero_known_) != 0 || ((value ^ zero_) & shown) != 0;
  bool differs = false;
  each(*found, [&](const Version& version) {
    if (version.live() || version.gone >= since) {
      differs |= version.unknown || (shown & ~version.known) != 0 || ((version.value ^ value) & shown) != 0;
    }
  });
  return differs;
}

Blocks::Met Blocks::met(std::uint64_t lba, std::uint64_t value, Seq since) const {
  const Block* found = find(lba);
  if (found == nullptr) {
    const bool zeros = unwritten_ == Unwritten::zeros;
    return {!zeros || value == zero_, zeros && value == zero_};
  }
  Met met{false, true};
  each(*found, [&](const Version& version) {
    if (!version.live() && version.gone < since) return;
    met.possible |= version.unknown || version.value == value;
    met.surely &= !version.unknown && version.value == value;
  });
  met.surely &= met.possible;
  return met;
}

Seq Blocks::sole_source(std::uint64_t lba, std::uint64_t value, Seq since, std::uint64_t shown) const {
  const Block* found = find(lba);
  if (found == nullptr) {
    const bool zeros = unwritten_ == Unwritten::zeros && ((value ^ zero_) & zero_known_ & shown) == 0;
    return zeros ? 0 : kNow;
  }
  Seq source = kNow;
  std::uint32_t candidates = 0;
  each(*found, [&](const Version& version) {
    if (!version.live() && version.gone < since) return;
    if (!version.unknown && !version.holds(value, shown)) return;
    ++candidates;
    source = version.unknown ? kNow : version.writer;
  });
  return candidates == 1 ? source : kNow;
}

std::optional<Blocks::Sole> Blocks::sole_value(std::uint64_t lba, Seq since) const {
  const Block* found = find(lba);
  if (found == nullptr)
    return unwritten_ == Unwritten::zeros ? std::optional<Sole>({zero_, zero_known_, true}) : std::nullopt;
  std::optional<Sole> sole;
  bool sure = true;
  each(*found, [&](const Version& version) {
    if (!version.live() && version.gone < since) return;
    sure &= !version.unknown && (!sole || (sole->value == version.value && sole->known == version.known));
    const bool unwritten = version.end == WriteEnd::initial && !version.learned;
    sole = Sole{version.value, version.known, unwritten && (!sole || sole->unwritten)};
  });
  return sure ? sole : std::nullopt;
}

void Blocks::settle(std::uint64_t lba, Seq writer, std::uint64_t value, std::uint64_t known) {
  each(edit(lba), [&](Version& version) {
    if (version.writer != writer || !version.unknown) return;
    version.unknown = false;
    version.value = value;
    version.known = known;
  });
}

void Blocks::doubt(std::uint64_t lba, Seq writer) {
  each(edit(lba), [&](Version& version) { version.unknown |= version.writer == writer && !version.zeroes; });
}

Blocks::Story Blocks::story(std::uint64_t lba, std::uint64_t value) const {
  Story story;
  const Block* found = find(lba);
  if (found == nullptr) return story;
  each(*found, [&](const Version& version) {
    if (!version.unknown && version.value == value &&
        (story.same == nullptr || story.same->writer <= version.writer)) {
      story.same = &version;
    }
    if (!version.live()) return;
    ++story.possible;
    if (story.expected == nullptr || story.expected->writer <= version.writer) story.expected = &version;
  });
  return story;
}

bool Blocks::lose_power(const std::function<bool(const Version&)>& durable, Seq now, Seq quiet) {
  std::vector<std::uint64_t> doubtful;
  bool kept = false;
  pages_.for_each([&](std::uint64_t key, const Page& page) {
    for (std::size_t i = 0; i < page.blocks.size(); ++i) {
      const Block& block = page.blocks[i];
      std::uint32_t live = 0;
      bool sure = true, written = false;
      each(block, [&](const Version& version) {
        if (!version.live()) return;
        ++live;
        written |= version.end != WriteEnd::initial;
        // What only a read showed may have been written, and not made durable, before anybody followed it.
        const bool stays = version.end == WriteEnd::initial && !version.learned;
        sure &= stays || (version.end == WriteEnd::applied && durable(version));
      });
      if (live == 0) continue;
      if (live > 1 || !sure) {
        doubtful.push_back(key * page.blocks.size() + i);
      } else {
        kept |= written;
      }
    }
  });
  for (const std::uint64_t lba : doubtful) taint(lba, now, quiet);
  return kept;
}

void Blocks::each_with(std::uint64_t value, const std::function<void(std::uint64_t lba)>& f) const {
  pages_.for_each([&](std::uint64_t key, const Page& page) {
    for (std::size_t i = 0; i < page.blocks.size(); ++i) {
      bool any = false;
      each(page.blocks[i], [&](const Version& version) {
        any |= version.live() && !version.unknown && version.value == value;
      });
      if (any) f(key * page.blocks.size() + i);
    }
  });
}

void Blocks::taint(std::uint64_t lba, Seq now, Seq quiet) {
  // Writes that are still open may come last, so they stay. The others are what earlier readers may still
  // report: what a later read shows must not rewrite them.
  Block& block = edit(lba);
  each(block, [&](Version& version) {
    if (version.live() && version.settled != kNow) version.gone = now;
  });
  Version version;
  version.writer = version.settled = now;
  version.end = WriteEnd::failed;
  version.unknown = true;
  add(block, version, quiet);
  tidy(block, quiet);
}

void Blocks::hash(engine::Hasher& hasher) const {
  pages_.for_each([&](std::uint64_t key, const Page& page) {
    hasher.add(key);
    for (const Block& block : page.blocks) {
      each(block, [&](const Version& version) {
        hasher.add(version.value);
        hasher.add(version.writer);
        hasher.add(version.settled);
        hasher.add(version.gone);
        hasher.add(static_cast<std::uint64_t>(version.end) | (version.unknown ? 256U : 0U));
      });
    }
  });
}

}  // namespace polypath::model
