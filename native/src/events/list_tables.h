// Tables of what the lists of a capture contain, and of the capture itself.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/summary.h"
#include "events/field_rows.h"
#include "scap/input.h"

namespace sfkit::events {

// Users, groups or interfaces: those of the lists, and those that events added. Equal ones make one
// row.
Status tabulate_lists(scap::Input& input, const std::string& name, output::Table table,
                      FieldRows& rows, const std::atomic<bool>& cancel, InputSummary& summary);

// Containers in the order in which the capture names them, with their last description.
Status tabulate_containers(scap::Input& input, const std::string& name,
                           const std::vector<FieldRows::Wanted>& wanted, FieldRows& rows,
                           const std::atomic<bool>& cancel, InputSummary& summary);

// The row of the capture, or its places of damage.
Status tabulate_capture(scap::Input& input, const std::string& name, output::Table table,
                        FieldRows& rows, const std::atomic<bool>& cancel, InputSummary& summary);

}  // namespace sfkit::events
