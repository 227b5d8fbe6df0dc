//! API Gateway and AWS Lambda on one machine, for real function processes.
//!
//! Functions are started as they are deployed, as executables that speak the Lambda Runtime API, and are
//! reached through the routes of the SAM template. What the cloud does to them happens here too: one event
//! at a time in each environment, deadlines that kill, crashes that fail one invocation and are replaced,
//! throttling, events of payload format 2.0, CORS.
//!
//! | module | owns |
//! |---|---|
//! | [`template`] | what the SAM template says, resolved as far as one machine can |
//! | [`gateway`] | the running whole: start, invoke, kill, shut down |
//! | `http_api` | routes, API Gateway's own answers |
//! | [`authorizer`], `token` | SigV4 and JWT on the routes of operators |
//! | `event`, `answer`, `cors` | request → event, answer → response, cross-origin rules |
//! | `pool`, `environment` | the processes of one function, and one of them |
//! | [`scheduler`] | schedules: when a function runs by itself |
//! | `runtime_api` | the Runtime API that processes poll |
//! | [`invocation`] | how one invocation ends, and what is counted |
//! | [`log`] | where the functions' output goes |
//!
//! Deliberately absent: Lambda's retry of a failed init and of asynchronous invocations, freezing between invocations, extensions,
//! memory limits, API Gateway's throttling and access logs.

mod answer;
pub mod authorizer;
mod cors;
mod environment;
mod event;
pub mod gateway;
mod http_api;
pub mod invocation;
pub mod log;
mod pool;
mod runtime_api;
pub mod scheduler;
pub mod template;
mod token;

pub use authorizer::OperatorKeys;
pub use gateway::{Gateway, GatewayConfig, Permit, StartError};
pub use invocation::{Counters, Invocation, InvokeError};
pub use log::{CapturedLog, LogLine, LogSink, Stream};
pub use scheduler::ScheduleError;
pub use template::{ACCOUNT_ID, REGION, Template, TemplateError};
