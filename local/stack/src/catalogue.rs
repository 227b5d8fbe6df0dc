//! The catalogue as a file and as items of the table: one validation for whoever loads it. The file is a
//! JSON array of products; each becomes the item `PK = PRODUCT#<productId>`, `SK = PRODUCT` that the
//! functions read. Prices are integers in the currency's minor unit. Names and IDs are composed (NFC), so that
//! a file from a Mac and a request of a page mean the same product.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use order::{Currency, ProductId, text};
use serde_json::{Map, Value, json};

/// The largest amount: what PortOne's `int64` members can carry.
const AMOUNT_MAX: u64 = i64::MAX as u64;
/// Characters of a product's name.
const NAME_MAX: usize = 100;
/// The members a product may have. Others are refused, since a misspelt optional member would be ignored.
const MEMBERS: [&str; 7] = ["productId", "name", "price", "currency", "active", "taxFreeAmount", "stock"];

/// One product, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its id, unique in the file.
    pub id: ProductId,
    /// What the buyer reads.
    pub name: String,
    /// Price of one piece in minor units.
    pub price: u64,
    /// What the price is in.
    pub currency: Currency,
    /// Whether it is for sale.
    pub active: bool,
    /// The share of the price without VAT.
    pub tax_free_amount: Option<u64>,
    /// Pieces left; absent is unlimited.
    pub stock: Option<u64>,
}

/// What is wrong with one place of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A JSON Pointer to the place.
    pub pointer: String,
    /// What is expected there.
    pub detail: String,
}

/// Everything that is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Fault { pointer, detail }) in self.0.iter().enumerate() {
            let line = if index == 0 { "" } else { "\n" };
            write!(f, "{line}{}: {detail}", if pointer.is_empty() { "/" } else { pointer })?;
        }
        Ok(())
    }
}

/// Reads a catalogue file: UTF-8 or UTF-16. All faults are reported, not the first; nothing of a faulty file is
/// loaded.
pub fn parse(file: impl AsRef<[u8]>) -> Result<Vec<Product>, Faults> {
    let whole = |detail: String| Faults(vec![Fault { pointer: String::new(), detail }]);
    let text = decode(file.as_ref()).map_err(whole)?;
    let file: Value = serde_json::from_str(&text).map_err(|error| whole(format!("not JSON: {error}")))?;
    let Value::Array(entries) = file else { return Err(whole("expected an array of products".to_owned())) };

    let mut faults = Vec::new();
    let mut ids = BTreeSet::new();
    let mut products = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let Value::Object(members) = entry else {
            faults.push(Fault { pointer: format!("/{index}"), detail: "expected a product".to_owned() });
            continue;
        };
        let mut reader = Reader { index, members, faults: &mut faults };
        let product = reader.product();
        if let Some(product) = product {
            if !ids.insert(product.id.clone()) {
                reader.fault("productId", "appears twice in the file");
            }
            products.push(product);
        }
    }
    if faults.is_empty() { Ok(products) } else { Err(Faults(faults)) }
}

/// The text of a file. JSON is UTF-8 (RFC 8259, section 8.1); Windows also saves it with a byte order mark, as
/// UTF-16, which the mark or the zero bytes beside the first character show, or as CP949, which nothing shows:
/// a guess could load names that are none.
fn decode(file: &[u8]) -> Result<Cow<'_, str>, String> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (units, rest) = bytes.as_chunks::<2>();
        let units: Vec<_> = units.iter().copied().map(unit).collect();
        match String::from_utf16(&units) {
            Ok(text) if rest.is_empty() => Ok(Cow::Owned(text)),
            _ => Err("is UTF-16, and broken: save it as UTF-8".to_owned()),
        }
    };
    match file {
        [0xEF, 0xBB, 0xBF, text @ ..] => utf8(text),
        [0xFF, 0xFE, text @ ..] => utf16(text, u16::from_le_bytes),
        [0xFE, 0xFF, text @ ..] => utf16(text, u16::from_be_bytes),
        [1..=0x7F, 0, ..] => utf16(file, u16::from_le_bytes),
        [0, 1..=0x7F, ..] => utf16(file, u16::from_be_bytes),
        text => utf8(text),
    }
}

fn utf8(text: &[u8]) -> Result<Cow<'_, str>, String> {
    str::from_utf8(text).map(Cow::Borrowed).map_err(|error| {
        let from = if may_be_cp949(text) {
            "it looks like CP949 (EUC-KR), as Korean Windows saves text"
        } else {
            "it may be of an older character set"
        };
        format!("is not UTF-8 from byte {} on: {from}; save it as UTF-8", error.valid_up_to())
    })
}

/// Whether all that is no ASCII comes in CP949's pairs.
fn may_be_cp949(text: &[u8]) -> bool {
    let mut bytes = text.iter();
    while let Some(first) = bytes.next() {
        let is_pair =
            |second: &u8| matches!((first, second), (0x81..=0xFE, 0x41..=0x5A | 0x61..=0x7A | 0x81..=0xFE));
        if !first.is_ascii() && !bytes.next().is_some_and(is_pair) {
            return false;
        }
    }
    true
}

struct Reader<'a> {
    index: usize,
    members: &'a Map<String, Value>,
    faults: &'a mut Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, member: &str, detail: &str) {
        // A JSON Pointer escapes these two characters (RFC 6901, section 3).
        let member = member.replace('~', "~0").replace('/', "~1");
        self.faults.push(Fault { pointer: format!("/{}/{member}", self.index), detail: detail.to_owned() });
    }

    fn product(&mut self) -> Option<Product> {
        let unknown: Vec<_> =
            self.members.keys().filter(|name| !MEMBERS.contains(&name.as_str())).cloned().collect();
        for name in unknown {
            self.fault(&name, "is no member of a product");
        }

        let id = self.required(
            "productId",
            |value| value.as_str().and_then(|id| ProductId::parse(&text::composed(id))),
            "expected 1 to 128 bytes of text without control characters",
        );
        let name = self.required(
            "name",
            |value| value.as_str().map(text::entered).filter(|name| is_name(name)),
            "expected 1 to 100 characters, no control characters, no space at the ends",
        );
        let price = self.required("price", amount, AMOUNT);
        let currency = self.required(
            "currency",
            |value| value.as_str()?.parse::<Currency>().ok(),
            "expected an ISO 4217 code such as KRW",
        );
        let active = self.required("active", Value::as_bool, "expected true or false");
        let tax_free_amount = self.optional("taxFreeAmount", amount, AMOUNT);
        let stock = self.optional("stock", amount, "expected a whole number, 0 or more");
        if let (Some(price), Some(Some(tax_free))) = (price, tax_free_amount)
            && tax_free > price
        {
            self.fault("taxFreeAmount", "is more than the price");
        }
        Some(Product {
            id: id?,
            name: name?,
            price: price?,
            currency: currency?,
            active: active?,
            tax_free_amount: tax_free_amount?,
            stock: stock?,
        })
    }

    fn required<T>(&mut self, member: &str, read: impl Fn(&Value) -> Option<T>, detail: &str) -> Option<T> {
        let value = self.members.get(member).and_then(read);
        if value.is_none() {
            self.fault(member, detail);
        }
        value
    }

    /// `Some(None)` is an absent member, `None` a faulty one.
    #[expect(clippy::option_option, reason = "absent and faulty are two things")]
    fn optional<T>(
        &mut self,
        member: &str,
        read: impl Fn(&Value) -> Option<T>,
        detail: &str,
    ) -> Option<Option<T>> {
        if self.members.contains_key(member) {
            self.required(member, read, detail).map(Some)
        } else {
            Some(None)
        }
    }
}

const AMOUNT: &str = "expected a whole number of the currency's minor unit, 0 or more";

fn amount(value: &Value) -> Option<u64> {
    value.as_u64().filter(|amount| *amount <= AMOUNT_MAX)
}

fn is_name(name: &str) -> bool {
    name.trim() == name
        && (1..=NAME_MAX).contains(&name.chars().count())
        && !name.chars().any(char::is_control)
}

impl Product {
    /// The key of its item, in DynamoDB's JSON.
    pub fn key(&self) -> Value {
        json!({"PK": {"S": format!("PRODUCT#{}", self.id.as_str())}, "SK": {"S": "PRODUCT"}})
    }

    /// Its attributes without the key, by name, in DynamoDB's JSON; `None` is one the item must not have.
    pub fn attributes(&self) -> [(&'static str, Option<Value>); 6] {
        let number = |value: u64| json!({"N": value.to_string()});
        [
            ("name", Some(json!({"S": self.name}))),
            ("price", Some(number(self.price))),
            ("currency", Some(json!({"S": self.currency.code()}))),
            ("active", Some(json!({"BOOL": self.active}))),
            ("taxFreeAmount", self.tax_free_amount.map(number)),
            ("stock", self.stock.map(number)),
        ]
    }

    /// An UpdateItem request that makes the table's item say what the file says, and leaves attributes
    /// alone that are none of the file's. Safe to repeat; the file's `stock` is what is left from then on.
    pub fn load_request(&self, table: &str) -> Value {
        let mut names = Map::new();
        let mut values = Map::new();
        let mut set = Vec::new();
        let mut remove = Vec::new();
        for (name, value) in self.attributes() {
            names.insert(format!("#{name}"), Value::from(name));
            match value {
                Some(value) => {
                    values.insert(format!(":{name}"), value);
                    set.push(format!("#{name} = :{name}"));
                }
                None => remove.push(format!("#{name}")),
            }
        }
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression.push_str(&format!(" REMOVE {}", remove.join(", ")));
        }
        json!({
            "TableName": table,
            "Key": self.key(),
            "UpdateExpression": expression,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(change: impl Fn(&mut Value)) -> Result<Vec<Product>, Faults> {
        let mut product = json!({"productId": "shoes", "name": "신발", "price": 1000, "currency": "KRW",
            "active": true, "taxFreeAmount": 100, "stock": 5});
        change(&mut product);
        parse(json!([product]).to_string())
    }

    #[test]
    fn a_sound_product_becomes_an_item() {
        let [product] = product(|_| {}).unwrap().try_into().unwrap();
        assert_eq!(
            product.load_request("orders"),
            json!({
                "TableName": "orders",
                "Key": {"PK": {"S": "PRODUCT#shoes"}, "SK": {"S": "PRODUCT"}},
                "UpdateExpression": "SET #name = :name, #price = :price, #currency = :currency, \
                                     #active = :active, #taxFreeAmount = :taxFreeAmount, #stock = :stock",
                "ExpressionAttributeNames": {"#name": "name", "#price": "price", "#currency": "currency",
                    "#active": "active", "#taxFreeAmount": "taxFreeAmount", "#stock": "stock"},
                "ExpressionAttributeValues": {":name": {"S": "신발"}, ":price": {"N": "1000"},
                    ":currency": {"S": "KRW"}, ":active": {"BOOL": true}, ":taxFreeAmount": {"N": "100"},
                    ":stock": {"N": "5"}},
            })
        );
    }

    #[test]
    fn an_absent_stock_is_removed_from_the_item() {
        let [product] = product(|p| {
            p.as_object_mut().unwrap().remove("stock");
        })
        .unwrap()
        .try_into()
        .unwrap();
        assert!(product.load_request("t")["UpdateExpression"].as_str().unwrap().ends_with(" REMOVE #stock"));
    }

    #[test]
    fn each_rule_of_a_product_is_held() {
        for (member, wrong) in [
            ("productId", json!("")),
            ("productId", json!("a\nb")),
            ("productId", json!(1)),
            ("name", json!("")),
            ("name", json!(" 신발")),
            ("name", json!("a\nb")),
            ("name", json!("가".repeat(101))),
            ("price", json!(-1)),
            ("price", json!(10.5)),
            ("price", json!("1000")),
            ("price", json!(9_223_372_036_854_775_808_u64)),
            ("currency", json!("krw")),
            ("active", json!("true")),
            ("taxFreeAmount", json!(1001)),
            ("taxFreeAmount", json!(null)),
            ("stock", json!(-1)),
            ("taxfreeamount", json!(0)),
        ] {
            let faults = product(|p| p[member] = wrong.clone()).unwrap_err();
            assert_eq!(faults.0.len(), 1, "{member} {wrong}");
            assert_eq!(faults.0[0].pointer, format!("/0/{member}"));
        }
    }

    #[test]
    fn every_fault_of_a_file_is_reported_at_once() {
        let text = r#"[{"productId":"a","name":"A","price":1,"currency":"KRW","active":true},
            {"productId":"a","name":"A","price":1,"currency":"KRW","active":true}, 7, {"a/b": 1}]"#;
        let pointers: Vec<_> = parse(text).unwrap_err().0.into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(
            pointers,
            [
                "/1/productId",
                "/2",
                "/3/a~1b",
                "/3/productId",
                "/3/name",
                "/3/price",
                "/3/currency",
                "/3/active"
            ]
        );
        assert_eq!(parse("{}").unwrap_err().to_string(), "/: expected an array of products");
        assert!(parse("[").unwrap_err().to_string().starts_with("/: not JSON: "));
    }

    const SHOES: &str = r#"[{"productId":"shoes","name":"신발","price":1,"currency":"KRW","active":true}]"#;

    #[test]
    fn names_and_ids_are_composed_before_they_are_counted_compared_and_written() {
        // Case 10: 38 syllables in pieces are more than a hundred characters.
        let pieces = "\u{1112}\u{1169}\u{11BC}";
        let [product] = product(|p| {
            p["productId"] = json!("cafe\u{301}");
            p["name"] = json!(format!("\u{200B}{}１", pieces.repeat(38)));
        })
        .unwrap()
        .try_into()
        .unwrap();
        assert_eq!(product.id.as_str(), "café");
        assert_eq!(product.name, "홍".repeat(38) + "1");
        let one =
            |id: &str| json!({"productId": id, "name": "A", "price": 1, "currency": "KRW", "active": true});
        let faults = parse(json!([one("café"), one("cafe\u{301}")]).to_string()).unwrap_err();
        assert_eq!(faults.to_string(), "/1/productId: appears twice in the file");
        let faults = self::product(|p| p["name"] = json!("\u{200B}\u{3164}")).unwrap_err();
        assert_eq!(faults.0[0].pointer, "/0/name");
    }

    #[test]
    fn a_file_with_a_mark_or_in_utf_16_is_read_as_what_it_is() {
        let expected = parse(SHOES).unwrap();
        let units = |unit: fn(u16) -> [u8; 2]| SHOES.encode_utf16().flat_map(unit).collect::<Vec<_>>();
        let (little, big) = (units(u16::to_le_bytes), units(u16::to_be_bytes));
        assert_eq!(parse([b"\xEF\xBB\xBF", SHOES.as_bytes()].concat()), Ok(expected.clone()));
        assert_eq!(parse([b"\xFF\xFE", &little[..]].concat()), Ok(expected.clone()));
        assert_eq!(parse([b"\xFE\xFF", &big[..]].concat()), Ok(expected.clone()));
        assert_eq!(parse(&little), Ok(expected.clone()));
        assert_eq!(parse(&big), Ok(expected));
        let cut = parse(&little[..little.len() - 1]).unwrap_err().to_string();
        assert_eq!(cut, "/: is UTF-16, and broken: save it as UTF-8");
    }

    #[test]
    fn a_file_in_an_older_character_set_is_refused_with_its_cause() {
        let with_name = |name: &[u8]| {
            let (before, after) = SHOES.split_once("신발").unwrap();
            parse([before.as_bytes(), name, after.as_bytes()].concat()).unwrap_err().to_string()
        };
        let cp949 = with_name(b"\xBD\xC5\xB9\xDF");
        assert!(cp949.starts_with("/: is not UTF-8 from byte 30 on: it looks like CP949"), "{cp949}");
        assert!(cp949.ends_with("save it as UTF-8"), "{cp949}");
        let latin = with_name(b"caf\xE9");
        assert!(latin.contains("older character set"), "{latin}");
    }

    #[test]
    fn the_demo_catalogue_is_sound() {
        let text = include_str!("../../../shop/products.json");
        let products = parse(text).unwrap();
        assert!((6..=8).contains(&products.len()));
        assert!(products.iter().any(|product| !product.active));
        assert!(products.iter().any(|product| product.tax_free_amount.is_some()));
        assert!(products.iter().any(|product| product.stock.is_some_and(|stock| stock < 10)));
    }
}
