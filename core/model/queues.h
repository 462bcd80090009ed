// Rings, doorbells and interrupts.
#pragma once

#include "model/scene.h"

namespace polypath::model {

/// The Admin queues begin with CC.EN = 1, of the sizes in AQA.
void open_admin_queue(const Scene& scene);
/// All queues are gone after a reset.
void close_queues(const Scene& scene);

/// `from`: submission of the command that creates it.
void open_sq(const Scene& scene, std::uint16_t qid, std::uint32_t entries, std::uint16_t cqid,
             std::uint64_t base, bool contiguous, Seq from);
void open_cq(const Scene& scene, std::uint16_t qid, std::uint32_t entries, bool interrupts,
             std::uint16_t vector, std::uint64_t base, bool contiguous, Seq from);
void close_sq(const Scene& scene, std::uint16_t qid, bool by_reset);
void close_cq(const Scene& scene, std::uint16_t qid, bool by_reset);

/// Where its tail is, or how long it is, is not known any more.
void lose_track(SubmissionQueue& sq);

/// Null when no queue of this number was ever heard of.
SubmissionQueue* find_sq(Controller& c, std::uint16_t qid);
CompletionQueue* find_cq(Controller& c, std::uint16_t qid);
/// Makes an entry, of a queue that does not exist.
SubmissionQueue& edit_sq(Controller& c, std::uint16_t qid);
CompletionQueue& edit_cq(Controller& c, std::uint16_t qid);

void on_sq_doorbell(const Scene& scene);
void on_cq_doorbell(const Scene& scene);
void on_fetched(const Scene& scene);
void on_interrupt(const Scene& scene);
void on_vector_mask(const Scene& scene);
/// INTMS or INTMC was written: what masks a pin.
void on_pin_mask(const Scene& scene);

/// The ring's part of a submission: position of the command in its queue.
void place_submission(SubmissionQueue& sq, Command& command, std::uint32_t index);
/// The ring's part of a completion: slot, phase, room, interrupt.
void place_completion(const Scene& scene, const spec::CompletionEntry& entry, bool status_only);
/// SQHD of a completion of this command.
void check_sqhd(const Scene& scene, SubmissionQueue& sq, const Command& command,
                const spec::CompletionEntry& entry);

/// At the end of the trace: interrupts that never came.
void finish_vectors(const Scene& scene);

}  // namespace polypath::model
