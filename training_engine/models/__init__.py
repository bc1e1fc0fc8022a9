"""Loading, adapters, attention and kernels: where the speed is."""
