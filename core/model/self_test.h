// Device Self-test and its log. Base: Device Self-test.
#pragma once

#include "model/commands.h"
#include "model/scene.h"

namespace polypath::model {

void begin_self_test(const Scene& scene, const Command& command);
void end_self_test(const Scene& scene, const Command& command, End end);
void allow_self_test(const Scene& scene, const Command& command, Allowed& allowed);
/// A namespace was surely formatted, by a command submitted at `since`: tests that include it have ended,
/// unless they began after that.
void end_tests_of(const Scene& scene, const Namespace& ns, Seq since);
/// A sanitize surely began, by a command submitted at `since`: every test has ended.
void end_all_tests(const Scene& scene, Seq since);
/// After a Controller Level Reset: a short test has ended, an extended one goes on.
void reset_self_test(const Scene& scene);
void check_self_test_log(const Scene& scene, const Command& command, std::span<const std::byte> data);

}  // namespace polypath::model
