//! The local system from outside. One binary, one file per subject.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod objects;
mod pipe;
mod place;
mod program;
mod roles;
mod system;
mod wire;
