#pragma once

#include <Eigen/Core>

#include "reference/dense/softmax.hpp"
#include "reference/quant/dequantize.hpp"

namespace assay::reference::dense {

/// A row of weights, element by element, with no rounding.
inline Eigen::VectorXd weights_of_row(BlockFormat format, quant::Block row, std::int64_t columns) {
  const BlockLayout& layout = layout_of(format);
  Eigen::VectorXd weights(columns);
  for (std::int64_t j = 0; j < columns; ++j)
    weights(j) =
        quant::element(format, row + j / layout.length * layout.bytes, static_cast<int>(j % layout.length));
  return weights;
}

/// y_br = sum_j w_rj x_bj + bias_r. weights: (rows, bytes of a row); x: (batch, columns); bias: (rows);
/// y: (batch, rows) f64
inline void run_gemv(const Arguments& arguments, const Outputs& outputs) {
  const ConstTensorView& weights = arguments.input("weights");
  const ConstTensorView& x = arguments.input("x");
  const BlockFormat format = block_format_named(arguments.text("format")).value();
  const std::int64_t rows = weights.extent(0);
  double* const y = outputs.at("y").as<double>().data();
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto* bytes = reinterpret_cast<quant::Block>(weights.data) + row * weights.strides[0];
    const Eigen::VectorXd w = weights_of_row(format, bytes, x.extent(1));
    for (std::int64_t vector = 0; vector < x.extent(0); ++vector) {
      const Eigen::VectorXd values =
          x.dtype == DType::f16 ? row_as_double<Half>(x, vector) : row_as_double<float>(x, vector);
      y[vector * rows + row] = w.dot(values);
      if (arguments.has("bias"))
        y[vector * rows + row] += reinterpret_cast<const float*>(arguments.input("bias").data)[row];
    }
  }
}

}  // namespace assay::reference::dense
