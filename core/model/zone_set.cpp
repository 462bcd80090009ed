#include "model/zone_set.h"

#include <fmt/format.h>

#include <algorithm>

namespace polypath::model {
namespace {

using spec::Status;
using spec::ZoneState;

using Guesses = std::vector<ZoneGuess>;

bool writable(ZoneState state) { return zone_has_pointer(state); }

// To which zones a command for all applies: sheet 05b, section 7.
bool selects(ZoneVerb verb, ZoneState state) {
  switch (verb) {
    case ZoneVerb::close:
      return zone_open(state);
    case ZoneVerb::finish:
      return zone_active(state);
    case ZoneVerb::open:
      return state == ZoneState::closed;
    case ZoneVerb::reset:
      return zone_active(state) || state == ZoneState::full;
    case ZoneVerb::offline:
      return state == ZoneState::read_only;
    default:
      return true;
  }
}

// States from which the action is legal: the same table.
bool legal(ZoneVerb verb, ZoneState state) {
  switch (verb) {
    case ZoneVerb::close:
      return zone_active(state);
    case ZoneVerb::finish:
    case ZoneVerb::reset:
      return writable(state) || state == ZoneState::full;
    case ZoneVerb::open:
      return writable(state);
    case ZoneVerb::offline:
      return state == ZoneState::read_only || state == ZoneState::offline;
    case ZoneVerb::extend:
      return state == ZoneState::empty;
    case ZoneVerb::write:
    case ZoneVerb::append:
      return writable(state);
  }
  return false;
}

ZoneGuess applied(const ZoneCommand& command, const ZoneGuess& from, std::uint64_t capacity) {
  ZoneGuess to = from;
  switch (command.verb) {
    case ZoneVerb::write:
    case ZoneVerb::append:
      to.wp = from.wp + command.blocks;
      if (from.state != ZoneState::explicitly_open) to.state = ZoneState::implicitly_open;
      if (to.wp == capacity) to.state = ZoneState::full;
      break;
    case ZoneVerb::close:
    case ZoneVerb::extend:
      to.state = ZoneState::closed;
      to.extension = to.extension || command.verb == ZoneVerb::extend;
      break;
    case ZoneVerb::finish:
      to.state = ZoneState::full;
      break;
    case ZoneVerb::open:
      to.state = ZoneState::explicitly_open;
      break;
    case ZoneVerb::reset:
      to.state = ZoneState::empty;
      to.wp = 0;
      to.extension = false;
      break;
    case ZoneVerb::offline:
      to.state = ZoneState::offline;
      break;
  }
  if (!zone_has_pointer(to.state)) to.wp = 0;
  return to;
}

// Calls f(guess) for each way in which the command can succeed. Without effect is one for a command that
// names all zones.
template <class F>
void successes(const ZoneCommand& command, const ZoneGuess& from, std::uint64_t capacity, F&& f) {
  if (command.all) {
    // An implicitly opened zone may have been closed to make room, which nobody sees.
    const bool implicit = from.state == ZoneState::implicitly_open;
    const bool reaches = selects(command.verb, from.state) || (implicit && command.verb == ZoneVerb::open);
    if (!reaches || (implicit && command.verb == ZoneVerb::open)) f(from);
    if (reaches) f(applied(command, from, capacity));
    return;
  }
  if (!legal(command.verb, from.state)) return;
  const bool write = command.verb == ZoneVerb::write || command.verb == ZoneVerb::append;
  if (write && (from.wp > capacity || command.blocks > capacity - from.wp)) return;
  if (command.verb == ZoneVerb::write && command.at != from.wp) return;
  f(applied(command, from, capacity));
}

// Errors of the sheet that a command may have met in this state. Resources are another matter.
void add_errors(const ZoneCommand& command, ZoneState state, std::uint64_t wp, std::uint64_t capacity,
                std::vector<Status>& errors) {
  if (command.all) return;
  const bool write = command.verb == ZoneVerb::write, append = command.verb == ZoneVerb::append;
  if (!write && !append) {
    if (!legal(command.verb, state)) errors.push_back(Status::invalid_zone_transition);
    return;
  }
  if (state == ZoneState::read_only) errors.push_back(Status::zone_read_only);
  if (state == ZoneState::offline) errors.push_back(Status::zone_offline);
  const std::uint64_t from = write ? command.at : writable(state) ? wp : 0;
  if (from > capacity || command.blocks > capacity - from) errors.push_back(Status::zone_boundary_error);
  if (state == ZoneState::full) errors.push_back(Status::zone_full);
  if (write && writable(state) && command.at != wp) errors.push_back(Status::zone_invalid_write);
}

/// May a zone in the one state have come into the other by itself?
bool worn(bool by_itself, ZoneState from, ZoneState to) {
  if (!by_itself) return false;
  return to == ZoneState::offline || (to == ZoneState::read_only && from != ZoneState::offline);
}

bool shows(const ZoneGuess& guess, bool by_itself, ZoneState state, std::uint64_t wp, bool extension) {
  if (worn(by_itself, guess.state, state)) return true;
  if (state == ZoneState::offline && guess.state == state) return true;  // its extension may be gone
  if (guess.extension != extension) return false;
  if (zone_has_pointer(state) && guess.wp != wp) return false;
  // Closed, perhaps, to make room.
  return guess.state == state || (guess.state == ZoneState::implicitly_open && state == ZoneState::closed);
}

}  // namespace

bool zone_open(ZoneState state) {
  return state == ZoneState::implicitly_open || state == ZoneState::explicitly_open;
}
bool zone_active(ZoneState state) { return zone_open(state) || state == ZoneState::closed; }
bool zone_has_pointer(ZoneState state) { return state == ZoneState::empty || zone_active(state); }

const ZoneGuess::Applied* ZoneGuess::find(Seq submitted) const {
  for (std::size_t i = 0; i < count; ++i) {
    if (applied[i].submitted == submitted) return &applied[i];
  }
  return nullptr;
}

void ZoneGuess::forget(Seq submitted) {
  for (std::size_t i = 0; i < count; ++i) {
    if (applied[i].submitted != submitted) continue;
    for (std::size_t k = i + 1; k < count; ++k) applied[k - 1] = applied[k];
    applied[--count] = {};
    return;
  }
}

void ZoneSet::forget(Seq now) {
  known_ = false;
  guesses_.clear();
  past_.clear();
  touched_ = blurred_ = now;
  active_until_ = open_until_ = kNow;
  offline_since_ = kNow;
}

void ZoneSet::start(ZoneState state, std::uint64_t wp, bool extension, std::uint64_t capacity, Seq now) {
  ZoneGuess guess;
  guess.state = state;
  guess.wp = zone_has_pointer(state) ? wp : 0;
  guess.extension = extension;
  capacity_ = capacity;
  known_ = true;
  settle_guesses({guess}, now);
}

void ZoneSet::wear(ZoneState state, Seq now) {
  touched_ = now;
  if (!known_) return;
  Guesses all;
  if (!explore(0, all)) {
    forget(now);
    return;
  }
  keep(all, true, now);
  for (ZoneGuess& guess : all) {
    if (guess.state == ZoneState::offline) continue;
    guess.state = state;
    guess.wp = 0;
  }
  settle_guesses(std::move(all), now);
}

const ZoneCommand* ZoneSet::find(Seq submitted) const {
  for (const ZoneCommand& command : open_) {
    if (command.submitted == submitted) return &command;
  }
  return nullptr;
}

void ZoneSet::begin(const ZoneCommand& command, Seq now) {
  open_.push_back(command);
  touched_ = now;
  active_until_ = open_until_ = kNow;
}

void ZoneSet::lose(Seq submitted) {
  for (ZoneCommand& command : open_) {
    if (command.submitted == submitted) command.lost = true;
  }
}

void ZoneSet::drop(Seq submitted) {
  std::erase_if(open_, [&](const ZoneCommand& command) { return command.submitted == submitted; });
}

// All guesses that come of taking in commands under way but one, each at most once, in any order. False when
// there are more than the model follows.
bool ZoneSet::explore(Seq without, Guesses& out) const {
  out.assign(guesses_.begin(), guesses_.end());
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (const ZoneCommand& command : open_) {
      if (command.submitted == without || out[i].find(command.submitted) != nullptr) continue;
      const ZoneGuess from = out[i];
      bool room = true;
      successes(command, from, capacity_, [&](ZoneGuess to) {
        if (to.count == ZoneGuess::kMostApplied) {
          room = false;
          return;
        }
        // One order of places for equal sets, so that what was reached in several ways is one guess.
        std::size_t at = to.count++;
        for (; at > 0 && to.applied[at - 1].submitted > command.submitted; --at)
          to.applied[at] = to.applied[at - 1];
        to.applied[at] = {command.submitted, command.verb == ZoneVerb::append ? from.wp : 0};
        if (std::find(out.begin(), out.end(), to) == out.end()) out.push_back(to);
      });
      if (!room || out.size() > kMostGuesses) return false;
    }
  }
  return true;
}

void ZoneSet::keep(const Guesses& before, bool history, Seq now) {
  if (!history && open_.empty()) {
    past_.clear();
    return;
  }
  for (const ZoneGuess& guess : before) {
    const auto same = std::find_if(past_.begin(), past_.end(), [&](const ZonePast& old) {
      return old.state == guess.state && old.extension == guess.extension && old.wp == guess.wp;
    });
    if (same != past_.end()) {
      same->gone = now;
    } else if (past_.size() < kMostPast) {
      past_.push_back({guess.state, guess.extension, guess.wp, now});
    } else {
      past_.clear();
      blurred_ = now;
      return;
    }
  }
}

void ZoneSet::settle_guesses(Guesses&& guesses, Seq now) {
  guesses_.clear();
  for (const ZoneGuess& guess : guesses) {
    if (std::find(guesses_.begin(), guesses_.end(), guess) == guesses_.end()) guesses_.push_back(guess);
  }
  touched_ = now;
  const auto any = [&](auto&& f) {
    return !known_ || !open_.empty() ||
           std::any_of(guesses_.begin(), guesses_.end(), [&](const ZoneGuess& g) { return f(g.state); });
  };
  const bool offline = known_ && std::all_of(guesses_.begin(), guesses_.end(), [](const ZoneGuess& g) {
                         return g.state == ZoneState::offline;
                       });
  offline_since_ = offline ? std::min(offline_since_, now) : kNow;
  // What was possible until now counts for commands that are under way.
  active_until_ = any(zone_active) ? kNow : std::min(active_until_, now);
  open_until_ = any(zone_open) ? kNow : std::min(open_until_, now);
}

ZoneSet::Verdict ZoneSet::judge(Seq submitted) const {
  Verdict verdict;
  const ZoneCommand* command = find(submitted);
  if (!known_ || command == nullptr || blurred_ >= submitted) return verdict;
  Guesses all;
  if (!explore(submitted, all)) return verdict;
  verdict.judged = true;
  for (const ZoneGuess& guess : all) {
    if (guess.find(submitted) != nullptr) {
      verdict.success = true;
      continue;
    }
    successes(*command, guess, capacity_, [&](const ZoneGuess&) { verdict.success = true; });
    add_errors(*command, guess.state, guess.wp, capacity_, verdict.errors);
  }
  if (by_itself_) {  // as in a zone that nobody knows to be worn
    add_errors(*command, ZoneState::read_only, 0, capacity_, verdict.errors);
    add_errors(*command, ZoneState::offline, 0, capacity_, verdict.errors);
    verdict.success |= command->verb == ZoneVerb::offline;
  }
  for (const ZonePast& old : past_) {
    if (old.gone >= submitted) add_errors(*command, old.state, old.wp, capacity_, verdict.errors);
  }
  return verdict;
}

bool ZoneSet::may_be_at(Seq submitted, std::uint64_t at) const {
  const ZoneCommand* command = find(submitted);
  Guesses all;
  if (!known_ || command == nullptr || blurred_ >= submitted || !explore(submitted, all)) return true;
  return std::any_of(all.begin(), all.end(), [&](const ZoneGuess& guess) {
    if (const auto* done = guess.find(submitted)) return done->at == at;
    bool there = false;
    successes(*command, guess, capacity_, [&](const ZoneGuess&) { there = guess.wp == at; });
    return there;
  });
}

bool ZoneSet::succeed(Seq submitted, const std::uint64_t* at, bool history, Seq now) {
  const ZoneCommand* found = find(submitted);
  if (found == nullptr) return true;
  const ZoneCommand command = *found;
  Guesses all;
  if (!known_ || !explore(submitted, all)) {
    drop(submitted);
    forget(now);
    return true;
  }
  Guesses after;
  for (const ZoneGuess& guess : all) {
    if (const auto* done = guess.find(submitted)) {
      if (at != nullptr && done->at != *at) continue;
      ZoneGuess to = guess;
      to.forget(submitted);
      after.push_back(to);
      continue;
    }
    if (at != nullptr && guess.wp != *at) continue;
    successes(command, guess, capacity_, [&](const ZoneGuess& to) { after.push_back(to); });
  }
  drop(submitted);
  if (after.empty()) {
    forget(now);
    return false;
  }
  keep(all, history, now);
  settle_guesses(std::move(after), now);
  return true;
}

void ZoneSet::fail(Seq submitted, Status status, bool history, Seq now) {
  if (find(submitted) == nullptr) return;
  Guesses after;
  for (const ZoneGuess& guess : guesses_) {
    if (guess.find(submitted) == nullptr) after.push_back(guess);
  }
  drop(submitted);
  // An error that media made shows the state that they left.
  if (by_itself_ && (status == Status::zone_read_only || status == Status::zone_offline)) {
    ZoneGuess guess;
    guess.state = status == Status::zone_read_only ? ZoneState::read_only : ZoneState::offline;
    if (known_ && open_.empty()) after = {guess};
    if (!open_.empty()) {
      forget(now);
      return;
    }
  }
  if (!known_ || after.empty()) {
    forget(now);
    return;
  }
  keep(guesses_, history, now);
  settle_guesses(std::move(after), now);
}

void ZoneSet::settle(Seq submitted, bool history, Seq now) {
  if (find(submitted) == nullptr) return;
  Guesses all;
  if (!known_ || !explore(0, all)) {
    drop(submitted);
    forget(now);
    return;
  }
  drop(submitted);
  for (ZoneGuess& guess : all) guess.forget(submitted);
  keep(all, history, now);
  settle_guesses(std::move(all), now);
}

void ZoneSet::settle_lost(std::uint16_t controller, bool history, Seq now) {
  std::vector<Seq> lost;
  for (const ZoneCommand& command : open_) {
    if (command.lost && command.controller == controller) lost.push_back(command.submitted);
  }
  for (const Seq submitted : lost) settle(submitted, history, now);
}

void ZoneSet::doubt(Seq submitted, Seq now) {
  drop(submitted);
  forget(now);
}

bool ZoneSet::may_show(ZoneState state, std::uint64_t wp, bool extension, Seq since) const {
  Guesses all;
  if (!known_ || blurred_ >= since || !explore(0, all)) return true;
  const auto fits = [&](const ZoneGuess& guess) { return shows(guess, by_itself_, state, wp, extension); };
  if (std::any_of(all.begin(), all.end(), fits)) return true;
  return std::any_of(past_.begin(), past_.end(), [&](const ZonePast& old) {
    ZoneGuess guess;
    guess.state = old.state;
    guess.extension = old.extension;
    guess.wp = old.wp;
    return old.gone >= since && shows(guess, by_itself_, state, wp, extension);
  });
}

bool ZoneSet::may_show_state(ZoneState state, Seq since) const {
  Guesses all;
  if (!known_ || blurred_ >= since || !explore(0, all)) return true;
  const auto fits = [&](ZoneState one) {
    return one == state || worn(by_itself_, one, state) ||
           (one == ZoneState::implicitly_open && state == ZoneState::closed);
  };
  if (std::any_of(all.begin(), all.end(), [&](const ZoneGuess& guess) { return fits(guess.state); }))
    return true;
  return std::any_of(past_.begin(), past_.end(),
                     [&](const ZonePast& old) { return old.gone >= since && fits(old.state); });
}

bool ZoneSet::may_show_other(ZoneState state, Seq since) const {
  Guesses all;
  if (!known_ || blurred_ >= since || !explore(0, all)) return true;
  // What media may do at any time is no reason to leave a zone out that did not change.
  const auto other = [&](ZoneState one) { return one != state || one == ZoneState::implicitly_open; };
  return std::any_of(all.begin(), all.end(), [&](const ZoneGuess& guess) { return other(guess.state); }) ||
         std::any_of(past_.begin(), past_.end(),
                     [&](const ZonePast& old) { return old.gone >= since && other(old.state); });
}

void ZoneSet::decide(ZoneState state, std::uint64_t wp, bool extension, bool history, Seq now) {
  keep(Guesses(guesses_), history, now);
  const Seq touched = touched_;
  ZoneGuess guess;
  guess.state = state;
  guess.wp = zone_has_pointer(state) ? wp : 0;
  guess.extension = extension;
  settle_guesses({guess}, now);
  touched_ = touched;  // it has been so since then
}

void ZoneSet::close_all(bool surely, bool maybe_full, Seq now) {
  if (!known_) {
    std::erase_if(open_, [](const ZoneCommand& command) { return command.lost; });
    touched_ = now;
    return;
  }
  Guesses all;
  if (!explore(0, all)) {
    forget(now);
    return;
  }
  Guesses after;
  for (ZoneGuess guess : all) {
    if (surely) {
      guess.count = 0;
      guess.applied = {};
    }
    if (!surely || !zone_active(guess.state)) after.push_back(guess);
    if (!zone_active(guess.state)) continue;
    if (maybe_full) {
      ZoneGuess full = guess;
      full.state = ZoneState::full;
      full.wp = 0;
      after.push_back(full);
    }
    guess.state = guess.wp != 0 || guess.extension ? ZoneState::closed : ZoneState::empty;
    after.push_back(guess);
  }
  if (surely) open_.clear();
  keep(all, true, now);
  settle_guesses(std::move(after), now);
}

void ZoneSet::fall_back(std::uint64_t least, Seq now) {
  if (!known_) return;
  Guesses after;
  for (const ZoneGuess& guess : guesses_) {
    after.push_back(guess);
    if (!zone_active(guess.state)) continue;
    if (guess.wp > least && guess.wp - least > kMostGuesses) {
      forget(now);
      return;
    }
    for (std::uint64_t wp = least; wp < guess.wp; ++wp) {
      ZoneGuess back = guess;
      back.wp = wp;
      back.state = wp != 0 || guess.extension ? ZoneState::closed : ZoneState::empty;
      after.push_back(back);
    }
  }
  if (after.size() > kMostGuesses) {
    forget(now);
    return;
  }
  settle_guesses(std::move(after), now);
}

bool ZoneSet::may_be_active(Seq since) const { return active_until_ >= since; }
bool ZoneSet::may_be_open(Seq since) const { return open_until_ >= since; }

bool ZoneSet::surely_active() const {
  return known_ && open_.empty() && std::all_of(guesses_.begin(), guesses_.end(), [](const ZoneGuess& g) {
           return zone_active(g.state);
         });
}
bool ZoneSet::surely_explicit() const {
  return known_ && open_.empty() && std::all_of(guesses_.begin(), guesses_.end(), [](const ZoneGuess& g) {
           return g.state == ZoneState::explicitly_open;
         });
}
bool ZoneSet::surely_empty() const {
  return known_ && std::all_of(guesses_.begin(), guesses_.end(),
                               [](const ZoneGuess& g) { return g.state == ZoneState::empty; });
}

std::uint64_t ZoneSet::least_pointer() const {
  if (!known_) return 0;
  std::uint64_t least = capacity_;
  for (const ZoneGuess& guess : guesses_) least = std::min(least, guess.wp);
  return least;
}

std::uint64_t ZoneSet::greatest_pointer() const {
  std::uint64_t greatest = 0;
  for (const ZoneGuess& guess : guesses_) greatest = std::max(greatest, guess.wp);
  return greatest;
}

bool ZoneSet::verb_open(ZoneVerb verb) const {
  return std::any_of(open_.begin(), open_.end(), [&](const ZoneCommand& c) { return c.verb == verb; });
}

std::string zone_text(ZoneState state, std::uint64_t wp) {
  const char* name = "state 0";
  switch (state) {
    case ZoneState::empty:
      name = "empty";
      break;
    case ZoneState::implicitly_open:
      name = "implicitly opened";
      break;
    case ZoneState::explicitly_open:
      name = "explicitly opened";
      break;
    case ZoneState::closed:
      name = "closed";
      break;
    case ZoneState::read_only:
      name = "read only";
      break;
    case ZoneState::full:
      name = "full";
      break;
    case ZoneState::offline:
      name = "offline";
      break;
  }
  return zone_has_pointer(state) ? fmt::format("{}, {} blocks written", name, wp) : std::string(name);
}

std::string ZoneSet::text() const {
  if (!known_) return "anything";
  std::string out;
  for (const ZoneGuess& guess : guesses_) {
    const std::string one = zone_text(guess.state, guess.wp);
    if (out.find(one) != std::string::npos) continue;
    if (!out.empty()) out += "; ";
    out += one;
    if (out.size() > 200) return out + "; ...";
  }
  if (!open_.empty()) out += fmt::format("; or what {} commands under way make of it", open_.size());
  return out;
}

void ZoneSet::hash(engine::Hasher& hasher) const {
  hasher.add(known_ ? 1 : 0);
  hasher.add(touched_);
  for (const ZoneGuess& guess : guesses_) {
    hasher.add(static_cast<std::uint64_t>(guess.state) | (guess.extension ? 256U : 0U));
    hasher.add(guess.wp);
    for (std::size_t i = 0; i < guess.count; ++i) hasher.add(guess.applied[i].submitted);
  }
  for (const ZoneCommand& command : open_) hasher.add(command.submitted);
  for (const ZonePast& old : past_) hasher.add(old.gone);
}

}  // namespace polypath::model
