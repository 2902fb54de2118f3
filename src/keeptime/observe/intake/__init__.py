"""What programs send to keeptime of their own requests: bytes in, samples and batches out."""
