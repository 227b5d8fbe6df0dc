//! What a simulator is started with. Everything that may change while it runs is in
//! [`crate::switches`] or behind [`crate::Simulator`].

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A contract with one PG, as the console shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// `channel-key-…`, chosen by the browser.
    pub key: String,
    /// `channel-id-…`.
    pub id: String,
    /// The console's label.
    pub name: String,
    /// One of PortOne's `PgProvider`, such as `TOSSPAYMENTS`.
    pub pg_provider: String,
    /// The shop's number at the PG.
    pub pg_merchant_id: String,
    /// Whether money moves.
    pub kind: ChannelKind,
    /// The window ends with a `paymentToken`, and the server's `/confirm` approves.
    #[serde(default)]
    pub manual_approval: bool,
}

impl Channel {
    /// A channel of `kind` with the given key; the rest is made up.
    #[must_use]
    pub fn new(key: impl Into<String>, kind: ChannelKind) -> Self {
        let key = key.into();
        let test = kind == ChannelKind::Test;
        Self {
            id: key.replace("channel-key-", "channel-id-"),
            name: if test { "테스트 채널" } else { "실연동 채널" }.to_owned(),
            pg_provider: "TOSSPAYMENTS".to_owned(),
            pg_merchant_id: if test { "tosstest" } else { "im_simulator" }.to_owned(),
            kind,
            manual_approval: false,
            key,
        }
    }
}

/// `SelectedChannelType` of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChannelKind {
    /// Money moves.
    Live,
    /// Nothing is charged.
    Test,
}

impl ChannelKind {
    /// The other kind.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Live => Self::Test,
            Self::Test => Self::Live,
        }
    }

    /// As on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "LIVE",
            Self::Test => "TEST",
        }
    }
}

/// Where webhooks of one environment go, and what signs them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookTarget {
    /// The console's URL; without one nothing is sent unless a payment brings `noticeUrls`.
    pub url: Option<String>,
    /// `whsec_…` or plain base64. Each adds a `v1` entry to the signature header; PortOne keeps at most two.
    pub secrets: Vec<String>,
}

/// What a simulator starts with. [`Default`] is a store with one LIVE and one TEST channel.
#[derive(Clone, Debug)]
pub struct SimulatorConfig {
    /// How browsers reach it, without a trailing slash; from the listener's address when empty.
    pub public_url: String,
    /// Accepted in `Authorization: PortOne <secret>`.
    pub api_secrets: Vec<String>,
    /// `merchantId` of every payment.
    pub merchant_id: String,
    /// The default store of the credential: a call without `storeId` is about its payments only
    /// (`GetPayment` and `CancelPaymentBody`, member `storeId`, of PortOne's V2 schema).
    pub store_id: String,
    /// Further stores of the company that the credential may name in `storeId`; any other is 403 FORBIDDEN.
    pub sub_stores: Vec<String>,
    /// The channels a browser may choose.
    pub channels: Vec<Channel>,
    /// Webhooks of LIVE channels.
    pub webhook: WebhookTarget,
    /// Webhooks of TEST channels; `None` sends them where the LIVE ones go.
    pub test_webhook: Option<WebhookTarget>,
    /// Where V1 is served when [`Simulator::start`](crate::Simulator::start) binds it, beside V2's address; 0 is any
    /// free port.
    pub v1_port: u16,
    /// How browsers and servers reach V1, without a trailing slash; from its listener's address when empty.
    pub v1_public_url: String,
    /// `imp_key` of V1's `POST /users/getToken`.
    pub v1_api_key: String,
    /// `imp_secret` that goes with it.
    pub v1_api_secret: String,
    /// Where V1's webhooks go; without one nothing is sent unless a payment brings a `notice_url`.
    pub v1_webhook_url: Option<String>,
    /// Payments survive a restart in this file; written by rename shortly after each change.
    pub state_file: Option<PathBuf>,
    /// Virtual seconds in a real one: 60 turns the retry minutes into seconds. Stamps stay wall time.
    pub clock_speed: u32,
    /// Identifiers and jitter repeat with the seed; `None` differs every time.
    pub seed: Option<u64>,
}

impl SimulatorConfig {
    /// A company credential: `default` is the store of a call without `storeId`, and the credential may name
    /// `others` too.
    #[must_use]
    pub fn with_stores<I>(self, default: impl Into<String>, others: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let sub_stores = others.into_iter().map(Into::into).collect();
        Self { store_id: default.into(), sub_stores, ..self }
    }
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            public_url: String::new(),
            api_secrets: vec!["simulator-api-secret".to_owned()],
            merchant_id: "merchant-5f1d8a52-61f4-4f2a-9a53-0a4c7d1c7f10".to_owned(),
            store_id: "store-4ff4af41-85e3-4559-8eb8-0d08a2c6ceec".to_owned(),
            sub_stores: Vec::new(),
            channels: vec![
                Channel::new("channel-key-893597d6-e62d-410f-83f9-119f530b4b11", ChannelKind::Live),
                Channel::new("channel-key-8e7b8ab4-9ca5-4d6a-bdc3-5fbaabb1b2a4", ChannelKind::Test),
            ],
            webhook: WebhookTarget::default(),
            test_webhook: None,
            v1_port: 0,
            v1_public_url: String::new(),
            v1_api_key: "simulator-v1-key".to_owned(),
            v1_api_secret: "simulator-v1-secret".to_owned(),
            v1_webhook_url: None,
            state_file: None,
            clock_speed: 1,
            seed: None,
        }
    }
}
