//! Whole-program tests without a window.

mod generated_types;
