// SMART of one namespace: LPA bit 0 of Identify Controller says whether a host may ask for it.
#include <gtest/gtest.h>

#include "history.h"

namespace polypath::model {
namespace {

bool passes(std::uint8_t lpa, std::uint32_t nsid, spec::Status status) {
  History h;
  h.enable(0);
  h.identify(0, [&](spec::IdentifyController& id) { id.lpa = lpa; });
  spec::SubmissionEntry entry = log_entry(0x02, 512);
  entry.nsid = nsid;
  History::How how;
  how.status = status;
  if (status == spec::Status::success) {
    how.data.resize(512);
  } else {
    how.dma = false;
  }
  h.run(0, 0, entry, how);
  return h.judge().verdict() == Verdict::pass;
}

TEST(InvQ33, SmartOfAnActiveNamespaceIsNotRefusedWhereItIsAnnounced) {
  EXPECT_TRUE(passes(spec::kLpaSmartPerNamespace, 1, spec::Status::success));
  EXPECT_FALSE(passes(spec::kLpaSmartPerNamespace, 1, spec::Status::invalid_field));
}

TEST(InvQ33, SmartOfANamespaceMayBeRefusedElsewhere) {
  EXPECT_TRUE(passes(0, 1, spec::Status::invalid_field));
  EXPECT_TRUE(passes(0, 1, spec::Status::success));
  EXPECT_TRUE(passes(spec::kLpaSmartPerNamespace, 4, spec::Status::invalid_field));
}

}  // namespace
}  // namespace polypath::model
