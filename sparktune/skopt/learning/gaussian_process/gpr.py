"""The Gaussian process of `sparktune.surrogates` as a scikit-learn regressor."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor as Peer

from sparktune.arguments import is_real
from sparktune.errors import InvalidArgument
from sparktune.skopt.learning.gaussian_process.kernels import (
    ConstantKernel,
    HammingKernel,
    Matern,
    WhiteKernel,
)
from sparktune.skopt.space import Space
from sparktune.surrogates.gp import GP

_STEP = 1e-5
_LEAST = 1e-8


class GaussianProcessRegressor(Peer):  # type: ignore[misc]
    """A Gaussian process regressor.

    Without a kernel it is the process of `sparktune.surrogates.gp`: a Matern-5/2 kernel with a
    length scale for each column, and hyperparameters at the mode of their posterior. With a kernel
    it is scikit-learn's process.

    Args:
        kernel: a kernel; None: our Matern-5/2 kernel.
        alpha, optimizer, n_restarts_optimizer, normalize_y, copy_X_train, random_state: as in
            scikit-learn; ignored without a kernel.
        noise: the variance of the noise as a share of the variance of the targets; "gaussian": the
            variance is estimated; None: no noise.
    """

    kernel: Any

    def __init__(
        self,
        kernel: Any = None,
        alpha: float = 1e-10,
        optimizer: Any = "fmin_l_bfgs_b",
        n_restarts_optimizer: int = 0,
        normalize_y: bool = False,
        copy_X_train: bool = True,
        random_state: Any = None,
        noise: Any = None,
    ) -> None:
        self.noise = noise
        super().__init__(
            kernel=kernel,
            alpha=alpha,
            optimizer=optimizer,
            n_restarts_optimizer=n_restarts_optimizer,
            normalize_y=normalize_y,
            copy_X_train=copy_X_train,
            random_state=random_state,
        )

    @property
    def known_noise(self) -> float | None:
        """The variance of the noise; None if it is to be estimated."""
        return noise_variance(self.noise)

    @property
    def ours(self) -> bool:
        """Whether this is our process, because the user gave no kernel."""
        return self.kernel is None or isinstance(self.kernel, HammingKernel)

    def fit(self, X: Any, y: Any) -> GaussianProcessRegressor:
        """Fit the process to targets y (n,) at the rows X (n, p)."""
        if not self.ours:
            return self._peer(X, y)
        X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
        self.process_ = process = GP(noise=self.known_noise).fit(X, y)
        self.X_train_, self.y_train_ = X, y
        self.n_features_in_ = X.shape[1]
        self.y_train_mean_, self.y_train_std_ = process.offset, process.scale
        self.noise_ = process.sn2
        self.kernel_ = ConstantKernel(process.sf2) * Matern(process.lengths, nu=2.5)
        self.log_marginal_likelihood_value_ = float(
            -0.5 * process.y @ process.alpha[: len(process.y)]
            - np.log(np.diag(process.L)).sum()
            - 0.5 * len(process.y) * np.log(2 * np.pi)
        )
        return self

    def _peer(self, X: Any, y: Any) -> GaussianProcessRegressor:
        given = self.kernel
        try:
            if self.noise is not None:
                known = self.known_noise
                white = WhiteKernel() if known is None else WhiteKernel(known, "fixed")
                self.kernel = given + white
            super().fit(X, y)
        finally:
            self.kernel = given
        self.y_train_std_, self.y_train_mean_ = self._y_train_std, self._y_train_mean
        return self

    def predict(
        self,
        X: Any,
        return_std: bool = False,
        return_cov: bool = False,
        return_mean_grad: bool = False,
        return_std_grad: bool = False,
    ) -> Any:
        """Predict the mean (m,) at the rows X (m, p).

        Standard deviations (m,) or covariances (m, m) are returned, too, if wanted; for one row,
        also the gradients (p,) of mean and standard deviation.

        Raises:
            ValueError: X is not 2-dimensional, or gradients are wanted at several rows.
        """
        X = np.asarray(X, dtype=float)
        if X.ndim != 2:
            raise InvalidArgument(f"X must be 2-dimensional, got the shape {X.shape}")
        if return_mean_grad or return_std_grad:
            return self._with_gradients(X, return_std_grad)
        if not self.ours or not hasattr(self, "process_"):
            return super().predict(X, return_std=return_std, return_cov=return_cov)
        if return_cov:
            return self.process_.mean(X), self._covariance(X)
        mean, sd = self.process_.predict(X) if return_std else (self.process_.mean(X), None)
        return (mean, sd) if return_std else mean

    def _covariance(self, X: Any) -> Any:
        process = self.process_
        V = process.whitened(X)
        return process.scale**2 * (process.prior_covariance(X, X) - V.T @ V)

    def _with_gradients(self, X: Any, std_grad: bool) -> Any:
        if len(X) != 1:
            raise InvalidArgument(f"gradients can be computed at one row only, got {len(X)} rows")
        if self.ours:
            mean, sd, mean_grad, sd_grad = self.process_.gradients(X[0])
        else:
            mean, sd = (each[0] for each in self.predict(X, return_std=True))
            steps = _STEP * np.eye(X.shape[1])
            above, below = (self.predict(X + h, return_std=True) for h in (steps, -steps))
            mean_grad, sd_grad = ((a - b) / (2 * _STEP) for a, b in zip(above, below, strict=True))
        predicted = np.array([mean]), np.array([sd]), mean_grad
        return (*predicted, sd_grad) if std_grad else predicted


def noise_variance(noise: Any) -> float | None:
    """Convert the argument `noise` to a variance; None if the variance is to be estimated.

    Raises:
        ValueError: noise is not "gaussian", None or a number >= 0.
    """
    if isinstance(noise, str) and noise == "gaussian":
        return None
    if noise is not None and not (is_real(noise) and noise >= 0):
        raise InvalidArgument(f"noise must be 'gaussian', None or a number >= 0, got {noise!r}")
    return max(float(noise or 0.0), _LEAST)


def cooked_process(space: Space | None, **kwargs: Any) -> GaussianProcessRegressor:
    """Return the Gaussian process that "GP" stands for; its kernel depends on the space."""
    kernel = HammingKernel() if space is not None and len(space) and space.is_categorical else None
    return GaussianProcessRegressor(
        kernel=kernel, normalize_y=True, noise="gaussian", n_restarts_optimizer=2, **kwargs
    )
