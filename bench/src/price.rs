//! What an order costs, by a dated list of prices. Whole numbers of a millionth of a millionth of a dollar.

use anyhow::Context as _;
use serde::Deserialize;

use crate::{exact::Cost, timing::Row};

/// `bench/prices.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Prices {
    /// The day they were true.
    pub date: String,
    /// Where.
    pub region: String,
    /// Whose they are.
    pub source: String,
    /// Won for a dollar.
    pub won_per_usd: u64,
    /// The functions' memory.
    pub memory_mb: u64,
    pico_usd: PicoUsd,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PicoUsd {
    lambda_request: u64,
    lambda_gb_second_arm64: u64,
    http_api_call: u64,
    read_unit: u64,
    write_unit: u64,
    log_byte: u64,
}

/// What one call of an operation costs, in 10⁻¹² USD.
#[derive(Debug, Clone, Copy, Default)]
pub struct Price {
    /// Requests and time of Lambda.
    pub lambda: u64,
    /// The call through API Gateway.
    pub api: u64,
    /// Read and write units.
    pub table: u64,
    /// Log lines.
    pub logs: u64,
}

impl Price {
    /// Everything.
    pub fn total(self) -> u64 {
        self.lambda + self.api + self.table + self.logs
    }

    /// Both.
    pub fn plus(self, other: Self) -> Self {
        Self {
            lambda: self.lambda + other.lambda,
            api: self.api + other.api,
            table: self.table + other.table,
            logs: self.logs + other.logs,
        }
    }
}

impl Prices {
    /// The list that is checked in.
    pub fn read() -> anyhow::Result<Self> {
        serde_json::from_str(include_str!("../prices.json")).context("bench/prices.json")
    }

    /// One call through API Gateway, with realistic backends.
    pub fn of(&self, cost: &Cost, row: &Row) -> Price {
        let price = &self.pico_usd;
        // Lambda charges each begun millisecond.
        let millis = u64::try_from(row.realistic.whole.p50.as_micros()).unwrap_or(u64::MAX).div_ceil(1000);
        let time = price.lambda_gb_second_arm64 * self.memory_mb * millis / 1024 / 1000;
        Price {
            lambda: price.lambda_request + time,
            api: price.http_api_call,
            table: price.read_unit * u64::from(cost.half_reads) / 2
                + price.write_unit * u64::from(cost.writes),
            logs: price.log_byte * row.log_bytes,
        }
    }
}
