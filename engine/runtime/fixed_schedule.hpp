#pragma once

namespace assay {

/// While one lives, chunk c of every ThreadPool::parallel_for in this process is run by worker c mod threads,
/// each worker's chunks in rising order, rather than by whichever worker is free. Results are the same either
/// way; what differs is which chunks a worker has seen before. A wrong body whose answer hangs on that fails
/// alike in every run under it: for the replays of the harness. Slower where chunks take unequal times.
class FixedSchedule {
 public:
  FixedSchedule();
  ~FixedSchedule();
  FixedSchedule(const FixedSchedule&) = delete;
  FixedSchedule& operator=(const FixedSchedule&) = delete;

  /// Whether one lives: asked once a parallel_for.
  static bool active();
};

}  // namespace assay
