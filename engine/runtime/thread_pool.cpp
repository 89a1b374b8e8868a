#include "engine/runtime/thread_pool.hpp"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/runtime/cpu_quota.hpp"
#include "engine/runtime/fixed_schedule.hpp"

namespace assay {

namespace {

using Body = std::function<void(std::int64_t, std::int64_t, unsigned)>;

// Which pool's chunk this thread is in, and as which of its workers: how a nested call is told.
struct Place {
  const void* pool = nullptr;
  unsigned worker = 0;
};
thread_local Place place;

}  // namespace

struct ThreadPool::State {
  unsigned threads = 1;
  std::vector<std::thread> workers;

  std::mutex calls;  // one parallel_for at a time
  std::mutex mutex;  // guards what follows
  std::condition_variable started;
  std::condition_variable finished;
  std::uint64_t round = 0;  // counts the jobs, so that a worker takes part in each once
  unsigned working = 0;     // workers that have not left the current job
  bool stop = false;
  std::exception_ptr error;
  std::int64_t error_chunk = 0;

  // The job: written under the mutex before a round starts, only read while it runs.
  const Body* body = nullptr;
  std::int64_t count = 0;
  std::int64_t grain = 1;
  std::int64_t chunks = 0;
  bool fixed = false;  // FixedSchedule
  std::atomic<std::int64_t> next{0};

  // Chunks are handed out in rising order, so every chunk below a failed one is run: the failure with the
  // lowest index, which is the one kept, does not depend on timing. Under a fixed schedule a failure stops
  // its own worker alone, which keeps that.
  void work(unsigned worker) {
    const Place before = place;
    place = {this, worker};
    for (std::int64_t own = worker; true; own += threads) {
      const std::int64_t chunk = fixed ? own : next.fetch_add(1, std::memory_order_relaxed);
      if (chunk >= chunks) break;
      try {
        const std::int64_t begin = chunk * grain;
        const std::int64_t end = count - begin < grain ? count : begin + grain;
        (*body)(begin, end, worker);
      } catch (...) {
        if (!fixed) next.store(chunks, std::memory_order_relaxed);
        const std::lock_guard lock(mutex);
        if (!error || chunk < error_chunk) {
          error = std::current_exception();
          error_chunk = chunk;
        }
        if (fixed) break;
      }
    }
    place = before;
  }

  void serve(unsigned worker) {
    std::uint64_t seen = 0;
    std::unique_lock lock(mutex);
    while (true) {
      started.wait(lock, [&] { return stop || round != seen; });
      if (stop) return;
      seen = round;
      lock.unlock();
      work(worker);
      lock.lock();
      if (--working == 0) finished.notify_one();
    }
  }

  void shut_down() noexcept {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    started.notify_all();
    for (std::thread& worker : workers) worker.join();
  }
};

ThreadPool::ThreadPool(unsigned threads) : state_(std::make_unique<State>()) {
  state_->threads = threads == 0 ? usable_cpus() : threads;
  try {
    for (unsigned worker = 1; worker < state_->threads; ++worker)
      state_->workers.emplace_back([state = state_.get(), worker] { state->serve(worker); });
  } catch (...) {  // the system refused a thread: the ones that run must end before the state does
    state_->shut_down();
    throw;
  }
}

ThreadPool::~ThreadPool() {
  state_->shut_down();
}

unsigned ThreadPool::threads() const {
  return state_->threads;
}

void ThreadPool::parallel_for(std::int64_t count, std::int64_t grain, const Body& body) {
  if (count < 0 || grain < 1)
    throw std::invalid_argument(
        "parallel_for: expected a count of at least 0 and a grain of at least 1, not " +
        std::to_string(count) + " and " + std::to_string(grain));
  if (count == 0) return;
  State& state = *state_;
  const bool nested = place.pool == &state;
  const std::int64_t chunks = (count - 1) / grain + 1;
  if (nested || chunks == 1 || state.threads == 1) {
    std::unique_lock<std::mutex>
        one_call;  // a worker's scratch belongs to one call at a time, serial calls included
    if (!nested) one_call = std::unique_lock(state.calls);
    const Place before = place;
    if (!nested) place = {&state, 0};
    struct Restore {
      Place before;
      ~Restore() { place = before; }
    } restore{before};
    for (std::int64_t begin = 0; begin < count; begin += grain) {
      const std::int64_t end = count - begin < grain ? count : begin + grain;
      body(begin, end, place.worker);
      if (end == count) break;  // begin + grain may not fit
    }
    return;
  }

  const std::lock_guard one_call(state.calls);
  {
    const std::lock_guard lock(state.mutex);
    state.body = &body;
    state.count = count;
    state.grain = grain;
    state.chunks = chunks;
    state.fixed = FixedSchedule::active();
    state.next.store(0, std::memory_order_relaxed);
    state.error = nullptr;
    state.working = state.threads - 1;
    ++state.round;
  }
  state.started.notify_all();
  state.work(0);
  std::unique_lock lock(state.mutex);
  state.finished.wait(lock, [&] { return state.working == 0; });
  if (state.error) std::rethrow_exception(std::exchange(state.error, nullptr));
}

}  // namespace assay
