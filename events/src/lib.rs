//! What is said: values, event types, their JSON form, upcasters and published schemas.
