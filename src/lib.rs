//! Browser module.
