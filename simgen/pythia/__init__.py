"""Pythia 8 as a library: start it, key its random numbers, read its record into columns.

Pythia: C. Bierlich et al., *A comprehensive guide to the physics and usage of PYTHIA 8.3*,
SciPost Phys. Codebases 8 (2022), arXiv:2203.11601. The package is `pythia8mc`.
"""
