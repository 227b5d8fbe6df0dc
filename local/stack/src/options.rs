//! What a local system is started with.

use std::{collections::BTreeMap, path::PathBuf};

use lambda_gateway::LogSink;
use serde_json::Value;

/// Which kind of PortOne channel the shop uses, and which payments the functions accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PaymentMode {
    /// A LIVE channel; payments of TEST channels are refused.
    #[default]
    Live,
    /// A TEST channel; payments of LIVE channels are refused.
    Test,
}

impl PaymentMode {
    /// The value of the variable PAYMENT_MODE.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "LIVE",
            Self::Test => "TEST",
        }
    }
}

/// What is in the catalogue at the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Products {
    /// The demo shop's. Products that a kept table already has are left as they are.
    #[default]
    Demo,
    /// A catalogue file; what it says replaces what the table has.
    File(PathBuf),
    /// Nothing is written.
    None,
}

/// What Secrets Manager has at the start.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum InitialSecret {
    /// Random values, kept with the data.
    #[default]
    Generated,
    /// This text, whatever it is.
    Text(String),
    /// The generated secret with these members replaced; `null` removes one.
    Changed(BTreeMap<String, Value>),
    /// No secret.
    Missing,
}

/// How operators sign in, as the template's parameters choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Operators {
    /// With this machine's keys, by SigV4.
    #[default]
    Keys,
    /// With tokens of the provider at `/login`.
    Tokens,
}

/// What a local system is started with. [`StackOptions::new`] suits tests: free ports, in memory.
pub struct StackOptions {
    /// The folder with `template.yaml`, `shop/` and `console/`; this repository's root by default.
    pub root: PathBuf,
    /// The folder with the functions' executables, as `<name>` or `<name>/bootstrap`.
    pub functions: PathBuf,
    /// Shop and API on this port and the others on the next five; `None` takes free ports.
    pub base_port: Option<u16>,
    /// Where data is kept; `None` keeps nothing.
    pub data: Option<PathBuf>,
    /// Starts empty, whatever is kept in `data`.
    pub fresh: bool,
    /// PAYMENT_MODE, and the kind of the shop's channel.
    pub payment_mode: PaymentMode,
    /// How operators sign in.
    pub operators: Operators,
    /// The catalogue.
    pub products: Products,
    /// The secret.
    pub secret: InitialSecret,
    /// How many times faster than real time PortOne's retries come; 1 is real time.
    pub clock_speed: u32,
    /// Whether the template's schedules run by themselves. Stories run them by hand.
    pub run_schedules: bool,
    /// Whether the table has its stream and the pipe to the bus runs. The embedded DynamoDB looks through the
    /// whole stream at every write (2 ms after 10,000 of them), so a test of many writes does without.
    pub stream: bool,
    /// Another DynamoDB, by its URL, in place of the embedded one. The stack makes a table of its own there,
    /// with its stream, and deletes it in the end.
    pub dynamodb: Option<String>,
    /// Variables that every function gets; they win over all others.
    pub extra_env: BTreeMap<String, String>,
    /// The default store of PortOne's API secret and the merchant's other stores. One store of the simulator's own if
    /// empty. The functions' store is the last one.
    pub stores: Vec<String>,
    /// Where it is written down what the functions ask of their roles (`ROLES_RECORD`, if the suite sets it).
    pub roles_record: Option<PathBuf>,
    /// Most environments of one function at once.
    pub max_environments: usize,
    /// Takes the functions' output.
    pub log: LogSink,
}

impl StackOptions {
    /// Free ports, in memory, LIVE, the demo catalogue, and the executables of `functions`.
    pub fn new(functions: impl Into<PathBuf>) -> Self {
        Self {
            root: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")),
            functions: functions.into(),
            base_port: None,
            data: None,
            fresh: false,
            payment_mode: PaymentMode::default(),
            operators: Operators::default(),
            products: Products::default(),
            secret: InitialSecret::default(),
            clock_speed: 1,
            run_schedules: false,
            stream: true,
            dynamodb: None,
            extra_env: BTreeMap::new(),
            stores: Vec::new(),
            roles_record: std::env::var_os("ROLES_RECORD").map(PathBuf::from),
            max_environments: 64,
            log: LogSink::discard(),
        }
    }
}
