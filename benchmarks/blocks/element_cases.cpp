#include "benchmarks/blocks/element_cases.hpp"

#include <string>
#include <utility>

namespace assay::benchmarks::blocks {

void add_element_cases(Suite& suite, BlockFormat format, std::int64_t checked_rows, bool quick,
                       const MatrixArguments& arguments) {
  const auto add = [&](std::int64_t rows, std::int64_t columns, bool in_quick_runs) {
    Case item;
    item.label = "rows=" + std::to_string(rows) + ",columns=" + std::to_string(columns) + "," +
                 std::string(layout_of(format).name);
    item.size = static_cast<double>(rows * columns);
    item.size_name = "elements";
    item.make = [=](std::uint64_t seed) { return arguments(format, rows, columns, seed); };
    item.check_with = [=](std::uint64_t seed) { return arguments(format, checked_rows, columns, seed); };
    item.quick = in_quick_runs;
    suite.add(std::move(item));
  };
  add(4096, 14336, quick);
  add(5760, layout_of(format).length == 256 ? 2816 : 2880, false);
}

}  // namespace assay::benchmarks::blocks
