//! The request: read whole, every fault of it reported at once.

use api::cancel::{ACCOUNT_CHARS_MAX, REASON_BYTES_MAX};
use backend::{http::FieldFault, portone::v2::is_bank};
use order::{Personal, PromotionDiscount, RefundAccount, RequestMark, WantedCancellation, money::AMOUNT_MAX};
use ring::digest;
use serde_json::{Map, Value};

struct Faults(Vec<FieldFault>);

impl Faults {
    fn add(&mut self, pointer: &str, code: &'static str, korean: &str, english: &str) {
        let detail = (korean.to_owned(), english.to_owned());
        self.0.push(FieldFault { pointer: pointer.to_owned(), code, detail });
    }
}

/// What `body` asks for, under this idempotency key.
pub fn read(body: &Value, key: &str) -> Result<WantedCancellation, Vec<FieldFault>> {
    let mut faults = Faults(Vec::new());
    let empty = Map::new();
    let members = body.as_object().unwrap_or_else(|| {
        faults.add(
            "",
            "invalid-type",
            "요청 본문은 JSON 객체여야 합니다.",
            "The body must be a JSON object.",
        );
        &empty
    });
    let reason = if body.is_object() { reason(members, &mut faults) } else { String::new() };
    let wanted = amount(members, "amount", 1, &mut faults);
    let tax_free = amount_tax_free(members, wanted, &mut faults);
    let refund_account = account(members, &mut faults);
    let promotion = promotion(members, &mut faults);
    let close_undecided = flag(members, "closeUndecided", &mut faults);
    let abandon = amount(members, "abandonCancellation", 1, &mut faults);
    unknown_members(members, &mut faults);
    if !faults.0.is_empty() {
        return Err(faults.0);
    }
    let request = RequestMark { key: hash(key.as_bytes()), body: hash(body.to_string().as_bytes()) };
    let abandon = abandon.map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    Ok(WantedCancellation {
        request,
        amount: wanted,
        tax_free,
        reason,
        promotion,
        close_undecided,
        abandon,
        refund_account,
    })
}

/// The members of a request. Another one is refused: a wish must not be dropped without a word.
const MEMBERS: [&str; 7] = [
    "reason",
    "amount",
    "taxFreeAmount",
    "refundAccount",
    "promotionDiscountRetainOption",
    "closeUndecided",
    "abandonCancellation",
];

fn unknown_members(members: &Map<String, Value>, faults: &mut Faults) {
    for name in members.keys().filter(|name| !MEMBERS.contains(&name.as_str())) {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        let known = MEMBERS.join(", ");
        let korean = format!("알 수 없는 필드입니다. 쓸 수 있는 필드: {known}.");
        let english = format!("This field is not known. Known fields: {known}.");
        faults.add(&pointer, "unknown-field", &korean, &english);
    }
}

fn promotion(members: &Map<String, Value>, faults: &mut Faults) -> Option<PromotionDiscount> {
    let value = member(members, "promotionDiscountRetainOption")?;
    let promotion = value.as_str().and_then(PromotionDiscount::from_word);
    if promotion.is_none() {
        faults.add(
            "/promotionDiscountRetainOption",
            "unknown-value",
            "RETAIN(할인 유지) 또는 RELEASE(할인 회수)여야 합니다.",
            "promotionDiscountRetainOption must be RETAIN or RELEASE.",
        );
    }
    promotion
}

fn flag(members: &Map<String, Value>, name: &'static str, faults: &mut Faults) -> bool {
    match member(members, name) {
        None => false,
        Some(Value::Bool(value)) => *value,
        Some(_) => {
            let korean = format!("{name}는 true 또는 false여야 합니다.");
            let english = format!("{name} must be true or false.");
            faults.add(&format!("/{name}"), "invalid-type", &korean, &english);
            false
        }
    }
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(name).filter(|value| !value.is_null())
}

fn reason(members: &Map<String, Value>, faults: &mut Faults) -> String {
    match member(members, "reason") {
        Some(Value::String(text)) if !text.trim().is_empty() => {
            let text = text.trim();
            if text.len() > REASON_BYTES_MAX || text.contains(char::is_control) {
                faults.add(
                    "/reason",
                    "invalid-reason",
                    "사유는 한 줄, 256바이트까지 쓸 수 있습니다.",
                    "reason is one line of at most 256 bytes.",
                );
            }
            text.to_owned()
        }
        None | Some(Value::String(_)) => {
            faults.add("/reason", "required", "취소 사유가 필요합니다.", "reason is required.");
            String::new()
        }
        Some(_) => {
            faults.add("/reason", "invalid-type", "사유는 문자열이어야 합니다.", "reason must be a string.");
            String::new()
        }
    }
}

fn amount(members: &Map<String, Value>, name: &'static str, least: u64, faults: &mut Faults) -> Option<u64> {
    let value = member(members, name)?;
    let amount = value.as_u64().filter(|amount| (least..=AMOUNT_MAX).contains(amount));
    if amount.is_none() {
        let korean = format!("{name}는 {least} 이상의 정수(통화의 최소 단위)여야 합니다.");
        let english = format!("{name} must be an integer of at least {least}, in the currency's minor unit.");
        faults.add(&format!("/{name}"), "out-of-range", &korean, &english);
    }
    amount
}

fn amount_tax_free(
    members: &Map<String, Value>,
    amount_given: Option<u64>,
    faults: &mut Faults,
) -> Option<u64> {
    let tax_free = amount(members, "taxFreeAmount", 0, faults);
    if tax_free.zip(amount_given).is_some_and(|(tax_free, amount)| tax_free > amount) {
        faults.add(
            "/taxFreeAmount",
            "out-of-range",
            "면세 금액은 취소 금액보다 클 수 없습니다.",
            "taxFreeAmount must not exceed amount.",
        );
    }
    tax_free
}

fn account(members: &Map<String, Value>, faults: &mut Faults) -> Option<RefundAccount> {
    let account = match member(members, "refundAccount")? {
        Value::Object(account) => account,
        _ => {
            faults.add(
                "/refundAccount",
                "invalid-type",
                "refundAccount는 객체여야 합니다.",
                "refundAccount must be an object.",
            );
            return None;
        }
    };
    let mut text = |name: &str, required: bool| -> Option<String> {
        let pointer = format!("/refundAccount/{name}");
        match member(account, name) {
            Some(Value::String(text)) if !text.trim().is_empty() => {
                let text = text.trim();
                let fits = text.chars().count() <= ACCOUNT_CHARS_MAX && !text.contains(char::is_control);
                if !fits {
                    faults.add(&pointer, "out-of-range", "값이 너무 깁니다.", "The value is too long.");
                }
                Some(text.to_owned())
            }
            None | Some(Value::String(_)) if !required => None,
            None | Some(Value::String(_)) => {
                faults.add(&pointer, "required", "값이 필요합니다.", "The value is required.");
                None
            }
            Some(_) => {
                faults.add(&pointer, "invalid-type", "문자열이어야 합니다.", "The value must be a string.");
                None
            }
        }
    };
    let (bank, number, holder) = (text("bank", true), text("number", true), text("holderName", true));
    let phone = text("holderPhoneNumber", false);
    // V1 takes the PG's own code of a bank, which is digits.
    if bank.as_ref().is_some_and(|bank| !is_bank(bank) && !bank.bytes().all(|b| b.is_ascii_digit())) {
        faults.add(
            "/refundAccount/bank",
            "unknown-bank",
            "포트원의 은행 이름(예: SHINHAN) 또는 V1의 은행 코드여야 합니다.",
            "bank must be one of PortOne's names, such as SHINHAN, or for V1 the PG's code.",
        );
    }
    let digits = |text: &str| text.chars().filter(|c| !matches!(c, '-' | ' ')).collect::<String>();
    let number = number.map(|number| digits(&number));
    if number.as_ref().is_some_and(|number| number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()))
    {
        faults.add(
            "/refundAccount/number",
            "invalid-account",
            "계좌번호는 숫자여야 합니다.",
            "number must be digits.",
        );
    }
    Some(RefundAccount {
        bank: bank?,
        number: Personal::new(number?),
        holder: Personal::new(holder?),
        holder_phone: phone.map(|phone| Personal::new(digits(&phone))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(body: Value) -> Vec<(String, &'static str)> {
        let faults = read(&body, "a-key").err().unwrap_or_default();
        faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn every_fault_of_a_request_is_reported_at_once() {
        let body = json!({
            "reason": " ", "amount": 0, "taxFreeAmount": -1,
            "refundAccount": { "bank": "MARS", "number": "12-ab", "holderName": 1 },
        });
        let expected = [
            ("/reason", "required"),
            ("/amount", "out-of-range"),
            ("/taxFreeAmount", "out-of-range"),
            ("/refundAccount/holderName", "invalid-type"),
            ("/refundAccount/bank", "unknown-bank"),
            ("/refundAccount/number", "invalid-account"),
        ];
        assert_eq!(faults(body), expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        assert_eq!(faults(json!([])), [(String::new(), "invalid-type")]);
    }

    #[test]
    fn an_amount_is_a_whole_number_above_nothing() {
        for wrong in [json!(0), json!(-1), json!(1.5), json!("100"), json!(1e300), json!(u64::MAX)] {
            assert_eq!(faults(json!({ "reason": "변심", "amount": wrong })).len(), 1, "{wrong}");
        }
        let more = json!({ "reason": "변심", "amount": 100, "taxFreeAmount": 101 });
        assert_eq!(faults(more), [("/taxFreeAmount".to_owned(), "out-of-range")]);
        assert_eq!(read(&json!({ "reason": "변심" }), "k").unwrap().amount, None, "all that is left");
    }

    #[test]
    fn an_account_is_taken_as_people_write_it() {
        let body = json!({
            "reason": "변심",
            "refundAccount": { "bank": "SHINHAN", "number": "110-123-456789", "holderName": "홍길동", "holderPhoneNumber": "010-1234-5678" },
        });
        let account = read(&body, "k").unwrap().refund_account.unwrap();
        assert_eq!((account.bank.as_str(), account.number.expose().as_str()), ("SHINHAN", "110123456789"));
        assert_eq!(account.holder_phone.unwrap().expose(), "01012345678");
        assert!(read(&json!({ "reason": "r", "refundAccount": { "bank": "88", "number": "1", "holderName": "홍" } }), "k").is_ok());
    }

    #[test]
    fn the_same_json_value_under_the_same_key_is_the_same_request() {
        let print = |text: &str, key| read(&serde_json::from_str(text).unwrap(), key).unwrap().request;
        assert_eq!(
            print(r#"{"reason":"r","amount":1}"#, "k"),
            print(r#" {"amount": 1, "reason": "r"}"#, "k")
        );
        assert_ne!(print(r#"{"reason":"r","amount":1}"#, "k"), print(r#"{"reason":"r","amount":2}"#, "k"));
        assert_ne!(print(r#"{"reason":"r"}"#, "k").key, print(r#"{"reason":"r"}"#, "l").key);
    }
}
