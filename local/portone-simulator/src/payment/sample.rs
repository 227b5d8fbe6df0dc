//! A payment for the tests of this module.

use serde_json::Value;

use super::{Amount, Method, PayMethod, Payment, Transaction, Version, attempt::PgDetails};
use crate::{
    clock::Timestamp,
    config::{Channel, ChannelKind},
    raw::RawTexts,
};

pub(super) const T1: Timestamp = Timestamp::from_millis(1_000);

pub(super) fn card() -> PgDetails {
    PgDetails { pg_tx_id: "pg-1".to_owned(), method: Method::Card { approval_number: "1".to_owned() } }
}

/// A payment of 1,000 of which 300 are tax-free, with a window open for each id.
pub(super) fn opened(ids: &[&str]) -> Payment {
    let transaction = |id: &&str| {
        let channel = Channel::new("channel-key-1", ChannelKind::Live);
        let amount = Amount::new(1000, 300, None).unwrap();
        Transaction::ready((*id).to_owned(), channel, PayMethod::Card, amount, T1)
    };
    Payment {
        id: "p".to_owned(),
        merchant_id: "m".to_owned(),
        store_id: "s".to_owned(),
        version: Version::V2,
        created_at: T1,
        transactions: ids.iter().map(transaction).collect(),
        cancel_mode: None,
        cancel_mode_left: None,
        patch: Value::Null,
        raw_texts: RawTexts::new(),
    }
}
