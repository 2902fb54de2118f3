"""What model servers say of themselves in their metrics: one data file each, and what is read from it."""
