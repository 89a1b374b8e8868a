#include "validation/difference_map.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <vector>

namespace assay::validation {
namespace {

/// The map of a (rows, columns) tensor that is wrong where `bad` says.
DifferenceMap map_of(std::int64_t rows, std::int64_t columns,
                     const std::function<bool(std::int64_t, std::int64_t)>& bad) {
  std::vector<std::int64_t> wrong;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c)
      if (bad(r, c)) wrong.push_back(r * columns + c);
  return map_differences({rows, columns}, wrong);
}

TEST(DifferenceMap, NamesWhatALoopLeavesOut) {
  const auto where = [](std::int64_t rows, std::int64_t columns, auto bad) {
    return map_of(rows, columns, bad).where;
  };
  EXPECT_EQ(where(4, 200, [](auto, auto c) { return c >= 188; }), "the last 12 of 200 columns, in every row");
  EXPECT_EQ(where(20, 8, [](auto r, auto) { return r == 3 || (r >= 7 && r <= 9); }), "rows 3, 7 to 9, whole");
  EXPECT_EQ(where(20, 8, [](auto r, auto) { return r == 19; }), "the last of 20 rows, whole");
  EXPECT_EQ(where(3, 128, [](auto, auto c) { return c % 32 == 5; }),
            "every 32nd column from 5 on, in every row");
  EXPECT_EQ(where(64, 128, [](auto r, auto c) { return r >= 16 && r < 32 && c >= 32 && c < 64; }),
            "columns 32 to 63 of rows 16 to 31");
  EXPECT_EQ(where(2, 2, [](auto, auto) { return true; }), "everywhere");
  EXPECT_EQ(where(1, 100, [](auto, auto c) { return c % 2 == 1; }), "every other element from 1 on");
  EXPECT_EQ(where(10, 10, [](auto r, auto c) { return r == c; }),
            "scattered over 10 of 10 rows (0 to 9) and 10 of 10 columns (0 to 9)");
}

TEST(DifferenceMap, DrawsATileThatIsLost) {
  const DifferenceMap map = map_of(4, 8, [](auto r, auto c) { return r >= 2 && c >= 4; });
  EXPECT_EQ(map.picture,
            "4 rows x 8 columns, a cell up to 1 x 1: '.' some are wrong, '+' half or more, '#' all\n"
            "       0 |        |\n"
            "       1 |        |\n"
            "       2 |    ####|\n"
            "       3 |    ####|");
}

TEST(DifferenceMap, BinsHoldEveryElementOnce) {
  for (const std::int64_t rows : {1, 15, 16, 17, 1000})
    for (const std::int64_t columns : {1, 63, 64, 65, 8191}) {
      if (rows * columns < 16) continue;
      // all but the first element: every cell full but the first, which is not empty where it holds more
      const DifferenceMap all = map_of(rows, columns, [](auto r, auto c) { return r + c > 0; });
      const std::string cells = all.picture.substr(all.picture.find('\n'));
      EXPECT_LE(std::count(cells.begin(), cells.end(), '+') + std::count(cells.begin(), cells.end(), '.'), 1)
          << rows << " x " << columns;
      EXPECT_LE(std::count(cells.begin(), cells.end(), ' '), 8 * 16 + 1 + 16);  // of the labels, and one cell
      EXPECT_NE(cells.find('#'), std::string::npos);
      const DifferenceMap one =
          map_of(rows, columns, [&](auto r, auto c) { return r == rows - 1 && c == columns - 1; });
      EXPECT_NE(one.picture.find_first_of(".+#", one.picture.find('\n')), std::string::npos);
    }
}

TEST(DifferenceMap, LaysOutMoreDimensionsWithTheLastAcross) {
  const std::vector<std::int64_t> wrong{23};
  EXPECT_EQ(map_differences({2, 3, 4}, wrong).where, "the last of 4 columns of the last of 6 rows");
  EXPECT_EQ(map_differences({}, std::vector<std::int64_t>{0}).where, "its one element");
}

}  // namespace
}  // namespace assay::validation
