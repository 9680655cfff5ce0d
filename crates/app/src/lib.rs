//! Ledger: the one place where the parts meet.
