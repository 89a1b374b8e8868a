#pragma once

#include <Eigen/Core>
#include <cmath>

#include "engine/arguments.hpp"
#include "engine/tensors/half.hpp"

namespace assay::reference::dense {

/// Row r of a (rows, columns) tensor of a 16- or 32-bit floating-point type, exactly, as doubles.
template <typename Element>
Eigen::VectorXd row_as_double(const ConstTensorView& x, std::int64_t row) {
  Eigen::VectorXd values(x.extent(1));
  const auto* elements = reinterpret_cast<const Element*>(x.data) + row * x.strides[0];
  for (std::int64_t column = 0; column < x.extent(1); ++column) values(column) = to_float(elements[column]);
  return values;
}

/// y_j = exp(x_j - max x) / sum_k exp(x_k - max x) (Blanchard, Higham, Higham 2021, equation 1.4), row by
/// row. x: (rows, columns); y: (rows, columns) f64
inline void run_softmax(const Arguments& arguments, const Outputs& outputs) {
  const ConstTensorView& x = arguments.input("x");
  const auto y = outputs.at("y").as<double>();
  const std::int64_t columns = x.extent(1);
  if (columns == 0) return;
  for (std::int64_t row = 0; row < x.extent(0); ++row) {
    const Eigen::VectorXd values = x.dtype == DType::f16    ? row_as_double<Half>(x, row)
                                   : x.dtype == DType::bf16 ? row_as_double<BFloat16>(x, row)
                                                            : row_as_double<float>(x, row);
    const double maximum = values.maxCoeff<Eigen::PropagateNaN>();
    const Eigen::VectorXd numerators =
        values.unaryExpr([&](double value) { return std::exp(value - maximum); });
    Eigen::Map<Eigen::VectorXd>(y.data() + row * columns, columns) = numerators / numerators.sum();
  }
}

}  // namespace assay::reference::dense
