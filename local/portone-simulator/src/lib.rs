//! PortOne on one machine: REST, payment window, webhooks and a console, for development and tests.
//!
//! ```no_run
//! # async fn demo() -> anyhow::Result<()> {
//! use portone_simulator::{Simulator, SimulatorConfig};
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let simulator = Simulator::start(listener, SimulatorConfig::default()).await?;
//! println!("API and console: {}", simulator.url());
//! println!("browser SDK:     {}", simulator.sdk_url());
//! # Ok(()) }
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | [`payment`] | states, attempts, cancellations, money; no HTTP |
//! | [`v2`] | the V2 REST API over it |
//! | [`v1`] | the V1 (Iamport) REST API over it, on a listener of its own, and its browser script |
//! | [`checkout`] | browser SDK, payment window, confirm process |
//! | [`webhook`] | bodies, signatures, retries, disturbances |
//! | [`control`] | `/_simulator/…`: everything a test or the console page may do |
//! | [`simulator`] | the running whole, and the same control for Rust |
//! | [`switches`], [`fault`], [`raw`] | what may be set: unknown behaviour, disturbed answers, unexpected text |
//! | [`clock`], [`timekeeper`](self) | a clock that can be sped up, and what it sets off |

pub mod checkout;
pub mod clock;
pub mod config;
pub mod control;
pub mod desk;
pub mod fault;
pub mod payment;
pub mod raw;
pub mod simulator;
pub mod spec;
pub mod switches;
pub mod v1;
pub mod v2;
pub mod webhook;

mod assets;
mod calls;
mod chance;
mod guard;
mod json;
mod server;
mod store;
mod timekeeper;
mod world;

use axum::Router;

pub use calls::Call;
pub use checkout::{CheckoutError, Press, WindowResult};
pub use clock::{Clock, Timestamp};
pub use config::{Channel, ChannelKind, SimulatorConfig, WebhookTarget};
pub use desk::Act;
pub use fault::{FaultReply, FaultRule};
pub use payment::{CancelMode, CancellableBalance, RefundStatus, Refusal, RetainOption, Status, Version};
pub use raw::RawText;
pub use simulator::Simulator;
pub use spec::PaymentSpec;
pub use switches::{ListWithoutStore, Switches};
pub use v1::{Prepared, WindowRefused};
pub use webhook::{Delivery, DeliveryState, Event, ReleaseOrder, WebhookRules};

/// Every route of the V2 listener.
fn app(simulator: &Simulator) -> Router {
    Router::new()
        .merge(v2::router(simulator))
        .merge(pages(simulator))
        .fallback(|| async { v2::error::ApiError::no_route() })
        .with_state(simulator.clone())
}

/// Every route of the V1 listener.
fn app_v1(simulator: &Simulator) -> Router {
    Router::new()
        .merge(v1::router(simulator))
        .merge(pages(simulator))
        .fallback(|| async { v1::no_route() })
        .with_state(simulator.clone())
}

/// What a browser asks for, on either listener.
fn pages(simulator: &Simulator) -> Router<Simulator> {
    Router::new()
        .merge(checkout::router())
        .merge(v1::browser_router())
        .merge(control::router(simulator))
        .merge(assets::router())
}
