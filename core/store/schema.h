// Tables of the store: made in a new file, brought up to date in an older one, refused in anything else.
#pragma once

#include "store/sqlite.h"
#include "trace/trace.h"

namespace polypath::store {

/// Throws StoreError when the file is no store, or a newer one.
void prepare_schema(const Connection& connection);

/// Writes the trace of a run: an index row and the compressed bytes.
void insert_trace(const Connection& connection, std::int64_t run, const trace::Trace& trace);

}  // namespace polypath::store
