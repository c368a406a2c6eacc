"""What is measured: each part answers figures, by names."""
