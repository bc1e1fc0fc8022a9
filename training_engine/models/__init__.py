"""Loading models and making them fast: adapters, attention over packed samples, kernels."""
