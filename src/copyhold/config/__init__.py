"""Settings, start-up and wiring: the only floor that chooses an adapter and reads the clock and the generator."""
