//! Orders in the records of the table's stream.

use order::{Order, Timestamp};
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{StoreError, item};

/// What one write did to one item, as the stream tells it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamRecord {
    #[serde(rename = "eventID")]
    id: String,
    event_name: String,
    dynamodb: Images,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Images {
    #[serde(default)]
    keys: serde_json::Value,
    old_image: Option<serde_json::Value>,
    new_image: Option<serde_json::Value>,
    /// Seconds since 1970, as an integer or not; RFC 3339 where a person reads the stream with AWS's CLI.
    #[serde(default)]
    approximate_creation_date_time: serde_json::Value,
}

/// An order before and after a write.
#[derive(Debug)]
pub struct OrderChange {
    /// As it was; nothing if the write made it.
    pub before: Option<Order>,
    /// As it is.
    pub after: Order,
}

impl StreamRecord {
    /// The stream's id of it, the same however often it is read.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The item's partition key.
    pub fn key(&self) -> &str {
        self.dynamodb.keys["PK"]["S"].as_str().unwrap_or_default()
    }

    /// Roughly when the item was written; the beginning of time if the record does not say.
    pub fn written_at(&self) -> Timestamp {
        let said = &self.dynamodb.approximate_creation_date_time;
        if let Some(text) = said.as_str() {
            let at = OffsetDateTime::parse(text, &Rfc3339).map_or(0, OffsetDateTime::unix_timestamp);
            return Timestamp::from_millis(at * 1000);
        }
        let seconds = said.as_f64().unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, reason = "a date in seconds; the cast saturates")]
        Timestamp::from_millis((seconds as i64).saturating_mul(1000))
    }

    /// Whether it tells both sides of its write. If it does not, the stream is not what the template makes.
    pub fn has_its_images(&self) -> bool {
        match self.event_name.as_str() {
            "INSERT" => self.dynamodb.new_image.is_some(),
            "MODIFY" => self.dynamodb.old_image.is_some() && self.dynamodb.new_image.is_some(),
            _ => true,
        }
    }

    /// The order before and after, if it is an order's record and the order is still there.
    pub fn order_change(&self) -> Result<Option<OrderChange>, StoreError> {
        let Some(after) = self.dynamodb.new_image.as_ref().filter(|_| self.key().starts_with("ORDER#"))
        else {
            return Ok(None);
        };
        let before = self.dynamodb.old_image.as_ref().map(|image| self.order(image)).transpose()?;
        Ok(Some(OrderChange { before, after: self.order(after)? }))
    }

    fn order(&self, image: &serde_json::Value) -> Result<Order, StoreError> {
        let broken = || StoreError::Broken { key: self.key().to_owned(), attribute: "an attribute's type" };
        let image = serde_dynamo::Item::deserialize(image).map_err(|_| broken())?;
        let (order, _) = item::to_order(&item::from_json(image))?;
        Ok(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::AttributeValue;
    use base64::{Engine, prelude::BASE64_STANDARD};
    use order::{
        Actor, Cancellation, CancellationOrigin, CancellationStatus, Currency, Customer, Generation,
        Language, Look, Money, OrderId, OrderLine, OrderStatus, PayMethod, Personal, ProductId, RequestMark,
        VirtualAccount,
    };
    use serde_json::{Value, json};

    const AT: Timestamp = Timestamp::from_millis(1_795_395_600_000);

    /// An order with every type of attribute in it.
    fn order() -> Order {
        let order = Order {
            id: OrderId::mint(AT, [7; 10]),
            version: 1,
            status: OrderStatus::VirtualAccountIssued,
            name: "신발".to_owned(),
            total: Money::new(1000, Currency::KRW),
            tax_free: 100,
            lines: vec![OrderLine {
                product_id: ProductId::parse("shoes").unwrap(),
                name: "신발".to_owned(),
                quantity: 1,
                unit_price: 1000,
                unit_tax_free: 100,
                stocked: true,
            }],
            customer: Customer { name: Personal::new("홍길동".to_owned()), email: None, phone: None },
            generation: Generation::V2,
            pay_method: PayMethod::VirtualAccount,
            redirect_url: None,
            unregistered: false,
            created_at: AT,
            updated_at: AT,
            expires_at: AT.plus_minutes(30),
            paid_at: None,
            received: None,
            returned: 0,
            sighting: None,
            virtual_account: Some(VirtualAccount {
                bank: Some("SHINHAN".to_owned()),
                number: "X123".to_owned(),
                holder: None,
                expires_at: None,
                transaction_id: "tx-1".to_owned(),
            }),
            last_failure: None,
            rejections: Vec::new(),
            cancellations: vec![Cancellation {
                number: 1,
                origin: CancellationOrigin::Operator,
                status: CancellationStatus::Failed,
                amount: 10,
                tax_free: 0,
                balance_before: 10,
                everything: true,
                portone_id: None,
                failure: None,
                failure_message: None,
                reason: None,
                request: Some(RequestMark { key: [250; 32], body: [251; 32] }),
                promotion: None,
                refund_account: None,
                at: AT,
                asked_again_at: None,
            }],
            disputes: Vec::new(),
            deposit_refund: None,
            holds_stock: true,
            look_at: None,
            language: Language::English,
            journal: Vec::new(),
            trace: None,
        };
        order.begun(Look { at: AT, by: &Actor::Buyer })
    }

    fn stored(order: &Order) -> item::Item {
        let mut stored = item::fixed_attributes(order, Some(&[255; 32]));
        stored.insert("version".to_owned(), item::number(order.version));
        let journal = order.journal.iter().map(item::journal_entry).collect();
        stored.insert("journal".to_owned(), AttributeValue::L(journal));
        let changing = item::changing_attributes(order).into_iter();
        stored.extend(changing.filter_map(|(name, value)| Some((name.to_owned(), value?))));
        stored
    }

    /// DynamoDB's JSON of an attribute.
    fn json_of(value: &AttributeValue) -> Value {
        match value {
            AttributeValue::S(text) => json!({ "S": text }),
            AttributeValue::N(number) => json!({ "N": number }),
            AttributeValue::B(blob) => json!({ "B": BASE64_STANDARD.encode(blob.as_ref()) }),
            AttributeValue::Bool(value) => json!({ "BOOL": value }),
            AttributeValue::L(values) => json!({ "L": values.iter().map(json_of).collect::<Vec<_>>() }),
            AttributeValue::M(members) => json!({ "M": image(members) }),
            other => panic!("an order has no {other:?}"),
        }
    }

    fn image(item: &item::Item) -> Value {
        item.iter().map(|(name, value)| (name.clone(), json_of(value))).collect()
    }

    fn record(name: &str, old: Option<Value>, new: Option<Value>) -> StreamRecord {
        let mut record = json!({
            "eventID": "e-1", "eventName": name, "eventSource": "aws:dynamodb", "awsRegion": "ap-northeast-2",
            "dynamodb": {
                "ApproximateCreationDateTime": 1.795_395_6E9, "SequenceNumber": "1", "SizeBytes": 9,
                "Keys": { "PK": { "S": "ORDER#0W3GE1R70W3GE1R7" }, "SK": { "S": "ORDER" } },
            },
        });
        for (image, value) in [("OldImage", old), ("NewImage", new)] {
            if let Some(value) = value {
                record["dynamodb"][image] = value;
            }
        }
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn an_order_is_in_its_image_what_it_was_when_it_was_stored() {
        let before = order();
        let after = Order { version: 2, name: "양말".to_owned(), ..before.clone() };
        let both = record("MODIFY", Some(image(&stored(&before))), Some(image(&stored(&after))));
        let change = both.order_change().unwrap().unwrap();
        assert_eq!((change.before, change.after), (Some(before.clone()), after));
        assert_eq!((both.id(), both.key(), both.written_at()), ("e-1", "ORDER#0W3GE1R70W3GE1R7", AT));

        let new = record("INSERT", None, Some(image(&stored(&before))));
        let change = new.order_change().unwrap().unwrap();
        assert_eq!((change.before, change.after), (None, before));
    }

    #[test]
    fn a_record_says_when_it_was_written_in_either_spelling() {
        let written = |at: Value| {
            let mut new = record("INSERT", None, Some(json!({})));
            new.dynamodb.approximate_creation_date_time = at;
            new.written_at()
        };
        assert_eq!(written(json!(1_795_395_600)), AT);
        assert_eq!(written(json!(1.795_395_6E9)), AT);
        assert_eq!(written(json!("2026-11-23T10:00:00+09:00")), AT);
        assert_eq!(written(json!("yesterday")), Timestamp::from_millis(0));
        assert_eq!(written(Value::Null), Timestamp::from_millis(0));
    }

    #[test]
    fn a_deleted_item_and_an_item_that_is_no_order_tell_of_no_order() {
        let old = image(&stored(&order()));
        assert!(record("REMOVE", Some(old.clone()), None).order_change().unwrap().is_none());
        let mut product = record("INSERT", None, Some(old));
        product.dynamodb.keys = json!({ "PK": { "S": "PRODUCT#shoes" }, "SK": { "S": "PRODUCT" } });
        assert!(product.order_change().unwrap().is_none());
    }

    #[test]
    fn a_broken_image_names_its_key_and_attribute() {
        let broken = |name: &str, value: Value| {
            let mut new = image(&stored(&order()));
            new[name] = value;
            record("INSERT", None, Some(new)).order_change().unwrap_err().to_string()
        };
        assert_eq!(
            broken("status", json!({ "S": "SHINY" })),
            "item ORDER#0W3GE1R70W3GE1R7 is broken at status"
        );
        assert_eq!(
            broken("version", json!({ "S": "1" })),
            "item ORDER#0W3GE1R70W3GE1R7 is broken at version"
        );
        let type_ = "item ORDER#0W3GE1R70W3GE1R7 is broken at an attribute's type";
        assert_eq!(broken("more", json!({ "X": 1 })), type_);
        assert_eq!(broken("more", json!({ "M": { "x": { "B": "%" } } })), type_);
    }

    #[test]
    fn attributes_that_this_build_does_not_know_do_not_matter() {
        let mut new = image(&stored(&order()));
        for (name, value) in [
            ("a", json!({ "SS": ["x"] })),
            ("b", json!({ "NS": ["1"] })),
            ("c", json!({ "BS": ["eA=="] })),
            ("d", json!({ "NULL": true })),
        ] {
            new[name] = value;
        }
        assert_eq!(record("INSERT", None, Some(new)).order_change().unwrap().unwrap().after, order());
    }

    #[test]
    fn a_record_without_both_sides_of_its_write_is_seen() {
        let new = || Some(json!({}));
        assert!(record("INSERT", None, new()).has_its_images());
        assert!(record("MODIFY", new(), new()).has_its_images());
        assert!(record("REMOVE", None, None).has_its_images());
        assert!(!record("INSERT", None, None).has_its_images());
        assert!(!record("MODIFY", None, new()).has_its_images());
        assert!(!record("MODIFY", new(), None).has_its_images());
    }
}
