//! One program for all targets: `FUZZ_TARGET` says which. README.md says how to run it.

#![no_main]

mod catalogue;
mod delivery;
mod payment;
mod request;

use std::sync::LazyLock;

/// What is fuzzed: a name, which is also its corpus's folder, and what reads the bytes.
const TARGETS: [(&str, fn(&[u8])); 10] = [
    ("webhook-body", delivery::body),
    ("webhook-signature", delivery::signature),
    ("v1-payment", payment::v1),
    ("v2-payment", payment::v2),
    ("event", request::event),
    ("create-order", request::create_order),
    ("cancel-order", request::cancel_order),
    ("idempotency-key", request::idempotency_key),
    ("redirect-url", request::redirect_url),
    ("catalogue", catalogue::file),
];

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let wanted = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let names: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
    match TARGETS.iter().find(|(name, _)| *name == wanted) {
        Some((_, target)) => *target,
        None => panic!("FUZZ_TARGET is one of {}", names.join(", ")),
    }
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET)(data));
