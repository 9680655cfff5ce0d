//! A seeded shop that lives for years in seconds, through the real decisions.
