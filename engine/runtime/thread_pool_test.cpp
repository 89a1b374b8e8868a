#include "engine/runtime/thread_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace assay {
namespace {

TEST(ThreadPool, RunsEveryItemOnceInChunksThatDoNotDependOnThreads) {
  for (const unsigned threads : {1u, 2u, 3u, 8u}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const std::int64_t count : {1, 2, 63, 64, 65, 1000}) {
      for (const std::int64_t grain : {1, 7, 64, 5000}) {
        std::vector<std::atomic<int>> visits(count);
        std::atomic<bool> good{true};
        pool.parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end, unsigned worker) {
          if (worker >= threads || begin % grain != 0 || end != std::min(count, begin + grain)) good = false;
          for (std::int64_t item = begin; item < end; ++item) ++visits[item];
        });
        EXPECT_TRUE(good);
        for (const auto& visit : visits) ASSERT_EQ(visit, 1);
      }
    }
  }
}

TEST(ThreadPool, NoTwoCallsOfABodyShareAWorkerAtOneTime) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> busy(4);
  std::atomic<bool> shared{false};
  pool.parallel_for(400, 1, [&](std::int64_t, std::int64_t, unsigned worker) {
    if (busy[worker].fetch_add(1) != 0) shared = true;
    std::this_thread::yield();
    busy[worker].fetch_sub(1);
  });
  EXPECT_FALSE(shared);
}

TEST(ThreadPool, NothingToDoCallsNothing) {
  ThreadPool pool(2);
  bool called = false;
  pool.parallel_for(0, 1, [&](std::int64_t, std::int64_t, unsigned) { called = true; });
  EXPECT_FALSE(called);
}

TEST(ThreadPool, RefusesNegativeCountsAndGrainsBelowOne) {
  ThreadPool pool(2);
  const auto body = [](std::int64_t, std::int64_t, unsigned) {};
  EXPECT_THROW(pool.parallel_for(-1, 1, body), std::invalid_argument);
  EXPECT_THROW(pool.parallel_for(5, 0, body), std::invalid_argument);
}

TEST(ThreadPool, CountsNearTheLargestIntegerDoNotOverflow) {
  ThreadPool pool(2);
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::atomic<int> calls{0};
  std::atomic<std::int64_t> last{0};
  const auto body = [&](std::int64_t, std::int64_t end, unsigned) {
    ++calls;
    if (end == most) last = end;
  };
  pool.parallel_for(most, most / 2 + 1, body);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(last, most);
  ThreadPool(1).parallel_for(most, most / 2 + 1, body);
  EXPECT_EQ(calls, 4);
}

TEST(ThreadPool, TheFailureWithTheLowestIndexIsRethrownAndThePoolStaysUsable) {
  ThreadPool pool(4);
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::string message;
    try {
      pool.parallel_for(100, 1, [&](std::int64_t begin, std::int64_t, unsigned) {
        if (begin == 20) std::this_thread::yield();
        if (begin >= 20) throw std::runtime_error("item " + std::to_string(begin));
      });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    ASSERT_EQ(message, "item 20");
  }
  std::atomic<int> sum{0};
  pool.parallel_for(10, 1,
                    [&](std::int64_t begin, std::int64_t, unsigned) { sum += static_cast<int>(begin); });
  EXPECT_EQ(sum, 45);
}

TEST(ThreadPool, ANestedCallRunsSeriallyOnItsWorker) {
  ThreadPool pool(3);
  std::atomic<bool> strayed{false};
  std::atomic<int> items{0};
  pool.parallel_for(30, 1, [&](std::int64_t, std::int64_t, unsigned outer) {
    const auto thread = std::this_thread::get_id();
    pool.parallel_for(10, 3, [&](std::int64_t begin, std::int64_t end, unsigned inner) {
      if (inner != outer || std::this_thread::get_id() != thread) strayed = true;
      items += static_cast<int>(end - begin);
    });
  });
  EXPECT_FALSE(strayed);
  EXPECT_EQ(items, 300);
}

TEST(ThreadPool, CallsFromSeveralThreadsTakeTurns) {
  ThreadPool pool(3);
  std::atomic<int> items{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 50; ++repeat)
        pool.parallel_for(20, 3, [&](std::int64_t begin, std::int64_t end, unsigned) {
          items += static_cast<int>(end - begin);
        });
    });
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(items, 4 * 50 * 20);
}

TEST(ThreadPool, APoolInsideAnotherPoolsBodyStillGivesEachWorkerItsOwnPlace) {
  ThreadPool outer(3);
  ThreadPool inner(2);
  std::vector<std::atomic<int>> busy(2);
  std::atomic<bool> shared{false};
  outer.parallel_for(12, 1, [&](std::int64_t, std::int64_t, unsigned) {
    inner.parallel_for(8, 1, [&](std::int64_t, std::int64_t, unsigned worker) {
      if (busy[worker].fetch_add(1) != 0) shared = true;
      busy[worker].fetch_sub(1);
    });
  });
  EXPECT_FALSE(shared);
}

}  // namespace
}  // namespace assay
