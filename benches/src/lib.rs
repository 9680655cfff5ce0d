//! Seeded workloads, the limit of the machine and ourselves side by side.
