"""What programs report by OpenTelemetry's protocol: messages in, samples and batches out."""
