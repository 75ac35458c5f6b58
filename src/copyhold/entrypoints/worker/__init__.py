"""Takes queued jobs and rings clocks."""
