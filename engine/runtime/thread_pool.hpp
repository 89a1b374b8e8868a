#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace assay {

/// Worker threads of the CPU backend. Our own rather than a task library's because the harness asks for what
/// those do not give: a fixed chunking that never depends on the number of threads (bitwise equal results),
/// one pool a context, and a body that ThreadSanitizer can see through.
class ThreadPool {
 public:
  /// `threads` workers in all, the calling thread included; 0 takes what the machine gives this process.
  explicit ThreadPool(unsigned threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  unsigned threads() const;

  /// Calls body(begin, end, worker) for the chunks [0,grain), [grain,2*grain).. of [0,count), each exactly
  /// once, on all workers; `worker` in [0, threads()). Returns when all are done; the first exception is
  /// rethrown here. Not reentrant: a nested call runs serially on the calling worker.
  void parallel_for(std::int64_t count, std::int64_t grain,
                    const std::function<void(std::int64_t begin, std::int64_t end, unsigned worker)>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay
