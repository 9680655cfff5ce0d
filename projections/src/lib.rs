//! What is shown: one keyed fold a file.
