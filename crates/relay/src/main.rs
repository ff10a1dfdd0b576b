//! The relay as a program of its own.

fn main() {}
