// No implemented command is beyond the model: a status that no command can have is noticed on each.
#include <gtest/gtest.h>

#include <algorithm>

#include "history.h"
#include "model/rules.h"
#include "spec/commands.h"

namespace polypath::model {
namespace {

TEST(EveryCommand, ThatIsImplementedHasAStatusRule) {
  for (const spec::CommandRow& row : spec::commands()) {
    if (!row.implemented) continue;
    History h({.zoned = row.announced == spec::Announced::zoned});
    h.enable(0);
    h.identify(0, [&](spec::IdentifyController& id) {
      const auto bit = static_cast<std::uint16_t>(1U << row.bit);
      if (row.announced == spec::Announced::oacs) id.oacs |= bit;
      if (row.announced == spec::Announced::oncs) id.oncs |= bit;
    });
    h.create_queues(0);
    const std::uint16_t queue = row.set == spec::CommandSet::admin ? 0 : 1;
    spec::SubmissionEntry entry;
    entry.opcode = row.opcode;
    entry.nsid = row.nsid == spec::NsidUse::required ? 1 : 0;
    if (row.name == "create_cq" || row.name == "create_sq") entry.cdw10 = 0x00070003;
    if (row.name == "set_features" || row.name == "get_features") entry.cdw10 = 0x07;
    History::How how;
    how.status = static_cast<spec::Status>(0x3FE);  // of asymmetric access, and of no command
    how.dma = false;
    h.run(0, queue, entry, how);
    const Monitor judged = h.judge();
    const bool noticed =
        std::any_of(judged.findings().begin(), judged.findings().end(),
                    [](const Finding& finding) { return finding.scope() == Scope::standard; });
    EXPECT_TRUE(noticed) << row.name;
  }
}

}  // namespace
}  // namespace polypath::model
