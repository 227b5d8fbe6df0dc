//! The local system from outside. One binary, one file per subject.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod pipe;
mod program;
mod system;
mod wire;
