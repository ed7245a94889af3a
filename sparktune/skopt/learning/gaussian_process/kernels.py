"""scikit-learn's kernels, and a kernel for categories."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.gaussian_process.kernels import (
    RBF,
    CompoundKernel,
    ConstantKernel,
    DotProduct,
    Exponentiation,
    ExpSineSquared,
    Hyperparameter,
    Kernel,
    Matern,
    NormalizedKernelMixin,
    PairwiseKernel,
    Product,
    RationalQuadratic,
    StationaryKernelMixin,
    Sum,
    WhiteKernel,
)

__all__ = [
    "RBF",
    "CompoundKernel",
    "ConstantKernel",
    "DotProduct",
    "ExpSineSquared",
    "Exponentiation",
    "HammingKernel",
    "Kernel",
    "Matern",
    "PairwiseKernel",
    "Product",
    "RationalQuadratic",
    "Sum",
    "WhiteKernel",
]


class HammingKernel(StationaryKernelMixin, NormalizedKernelMixin, Kernel):  # type: ignore[misc]
    """The Hamming kernel: exp(-sum of l_j over the columns j in which two rows differ).

    Args:
        length_scale: l, one number for all columns, or one for each column.
        length_scale_bounds: bounds of l for its maximum-likelihood estimate, or "fixed".
    """

    def __init__(self, length_scale: Any = 1.0, length_scale_bounds: Any = (1e-5, 1e5)) -> None:
        self.length_scale = length_scale
        self.length_scale_bounds = length_scale_bounds

    @property
    def hyperparameter_length_scale(self) -> Any:
        """The length scale l as a hyperparameter of scikit-learn."""
        n = np.size(self.length_scale)
        return Hyperparameter("length_scale", "numeric", self.length_scale_bounds, n)

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:
        """Compute the kernel (n, m) between rows X (n, p) and Y (m, p); None: Y = X. With
        `eval_gradient`, its gradient (n, n, g) with respect to log l is returned, too.
        """
        X = np.atleast_2d(X)
        differ = (X[:, None, :] != (X if Y is None else np.atleast_2d(Y))[None]).astype(float)
        scaled = differ * np.asarray(self.length_scale, dtype=float)
        K = np.exp(-scaled.sum(axis=2))
        if not eval_gradient:
            return K
        if self.hyperparameter_length_scale.fixed:
            return K, np.empty((*K.shape, 0))
        each = scaled if np.iterable(self.length_scale) else scaled.sum(axis=2, keepdims=True)
        return K, -K[:, :, None] * each
