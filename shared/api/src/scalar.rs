//! Single values: ids, moments, currencies and amounts.

use serde::{Serialize, Serializer};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// An order's id.
#[derive(Clone, Copy, Debug)]
pub struct OrderId(pub order::OrderId);

/// A moment as RFC 3339 UTC with milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Moment(pub order::Timestamp);

/// An ISO 4217 code.
#[derive(Clone, Copy, Debug)]
pub struct Currency(pub order::Currency);

/// Money in the currency's minor unit.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(transparent)]
pub struct Amount(pub u64);

/// What money came to over a time, in the currency's minor unit; negative where more went back.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(transparent)]
pub struct Sum(pub i128);

/// A day in Korea.
#[derive(Clone, Copy, Debug)]
pub struct Day(pub order::day::Day);

impl Moment {
    /// As it is written.
    pub fn text(self) -> String {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0.as_millis()) * 1_000_000);
        at.ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
    }
}

impl Serialize for OrderId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.code())
    }
}

#[cfg(feature = "schema")]
mod schema {
    use std::borrow::Cow;

    use order::money::AMOUNT_MAX;
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{Amount, Currency, Day, Moment, OrderId, Sum};

    macro_rules! described {
        ($type:ident: $schema:tt) => {
            impl JsonSchema for $type {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($type).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!($schema)
                }
            }
        };
    }

    described!(OrderId: {
        "description": "주문 번호(ULID). V2의 paymentId, V1의 merchant_uid이기도 합니다. / The order's id, a ULID; V2's paymentId and V1's merchant_uid.",
        "type": "string",
        "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$",
        "examples": ["01JDABCDEFGHJKMNPQRSTVWXYZ"],
    });
    described!(Moment: {
        "description": "시각, RFC 3339 UTC / A moment, RFC 3339 UTC",
        "type": "string",
        "format": "date-time",
        "examples": ["2026-11-23T06:30:00.123Z"],
    });
    described!(Currency: {
        "description": "통화, ISO 4217 / Currency, ISO 4217",
        "type": "string",
        "pattern": "^[A-Z]{3}$",
        "examples": ["KRW"],
    });
    described!(Amount: {
        "description": "금액: 통화의 최소 단위 정수(KRW는 원, USD는 센트) / Money: a whole number of the currency's minor unit (won for KRW, cents for USD)",
        "type": "integer",
        "format": "int64",
        "minimum": 0,
        "maximum": AMOUNT_MAX,
        "examples": [2000],
    });
    described!(Sum: {
        "description": "합계: 통화의 최소 단위 정수, 나간 돈은 음수 / A sum in the currency's minor unit; what went back is negative",
        "type": "integer",
        "examples": [-2000],
    });
    described!(Day: {
        "description": "한국의 하루 / A day in Korea",
        "type": "string",
        "format": "date",
        "examples": ["2026-11-23"],
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_utc_with_its_milliseconds() {
        let text = |ms| Moment(order::Timestamp::from_millis(ms)).text();
        assert_eq!(text(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
        assert_eq!(text(1_700_000_000_000), "2023-11-14T22:13:20Z");
    }
}
