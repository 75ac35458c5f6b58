"""How much of a value's noise falls into the window that a written number stands for."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

FINEST = 1e-3  # least window of an observation, in gaps of its pair: rounding of a unit conversion stays inside it
TIE = 1e-6  # an observation this close to the edge of its window, in windows, belongs half to it


def mass_in_window(
    distance: NDArray[np.float64], window: NDArray[np.float64], sigma: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mass of N(value, sigma^2) in the window around the observation, at `distance` from the value."""
    half = window / 2
    edge = TIE * window
    exact = np.where(np.abs(distance - half) <= edge, 0.5, np.where(distance < half, 1.0, 0.0))
    spread = np.where(sigma > 0, sigma, 1.0)
    noisy = ndtr((half - distance) / spread) - ndtr((-half - distance) / spread)
    return np.where(sigma > 0, noisy, exact).astype(np.float64)
