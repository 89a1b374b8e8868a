#include "engine/runtime/workspace.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>

namespace assay {
namespace {

TEST(Workspace, PiecesAreAlignedAndDoNotOverlap) {
  Workspace workspace(MemorySpace::host, -1);
  const Workspace::Frame frame(workspace);
  std::byte* previous_end = nullptr;
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{1}, std::size_t{255}, std::size_t{256}, std::size_t{257}}) {
    std::byte* piece = workspace.take_bytes(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(piece) % 256, 0u);
    EXPECT_GE(piece, previous_end);
    std::memset(piece, 1, bytes);
    previous_end = piece + bytes;
  }
}

TEST(Workspace, GrowsAndThenAllocatesNoMore) {
  Workspace workspace(MemorySpace::host, -1);
  const auto call = [&] {
    const Workspace::Frame frame(workspace);
    const auto small = workspace.take<float>(100);
    const auto large = workspace.take<double>(1 << 16);
    small[99] = 1;
    large[(1 << 16) - 1] = 1;
    std::memset(small.data(), 7, small.size_bytes());
    EXPECT_EQ(large[(1 << 16) - 1], 1.0);
  };
  for (int warm_up = 0; warm_up < 3; ++warm_up) call();
  const std::size_t allocations = workspace.allocations();
  const std::size_t capacity = workspace.capacity();
  for (int repeat = 0; repeat < 10; ++repeat) call();
  EXPECT_EQ(workspace.allocations(), allocations);
  EXPECT_EQ(workspace.capacity(), capacity);
  EXPECT_GE(capacity, sizeof(double) << 16);
}

TEST(Workspace, EarlierPiecesStayValidWhileItGrows) {
  Workspace workspace(MemorySpace::host, -1);
  const Workspace::Frame frame(workspace);
  const auto first = workspace.take<int>(1000);
  for (int index = 0; index < 1000; ++index) first[index] = index;
  const auto second = workspace.take<int>(1 << 20);
  std::memset(second.data(), 0, second.size_bytes());
  for (int index = 0; index < 1000; ++index) ASSERT_EQ(first[index], index);
}

TEST(Workspace, FramesNestAndGiveBackWhatWasTakenInThem) {
  Workspace workspace(MemorySpace::host, -1);
  const Workspace::Frame outer(workspace);
  const std::byte* kept = workspace.take_bytes(10);
  std::byte* inside = nullptr;
  {
    const Workspace::Frame inner(workspace);
    inside = workspace.take_bytes(10);
    EXPECT_NE(inside, kept);
  }
  EXPECT_EQ(workspace.take_bytes(10), inside);
}

TEST(Workspace, RefusesRequestsOutsideAFrameAndThoseThatOverflow) {
  Workspace workspace(MemorySpace::host, -1);
  EXPECT_THROW(workspace.take_bytes(1), std::logic_error);
  {
    const Workspace::Frame frame(workspace);
    EXPECT_THROW(workspace.take<double>(SIZE_MAX / 4), std::length_error);
    EXPECT_THROW(workspace.take_bytes(SIZE_MAX - 1), std::length_error);
  }
  EXPECT_THROW(workspace.take_bytes(1), std::logic_error);
}

}  // namespace
}  // namespace assay
