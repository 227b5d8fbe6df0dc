//! Text that no parser expects, in the answers about one payment.
//!
//! A Rust string cannot hold half of a surrogate pair, so a mark stands for it until the answer's bytes are
//! written: `\ud83d`, the JSON escape that a text cut by UTF-16 units leaves behind (case 06).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{payment::Refusal, simulator::Simulator};

/// Private-use characters: valid text that no buyer types.
const MARK: &str = "\u{10fffd}\u{10fffc}\u{10fffd}";
const LONE_SURROGATE: &str = r"\ud83d";

/// What is wrong with a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RawText {
    /// Its text ends in half an emoji, `\ud83d`.
    LoneSurrogate,
    /// Its text ends in a NUL.
    Nul,
    /// It is a number.
    WrongType,
    /// It is not there.
    Missing,
}

/// By dotted path.
pub(crate) type RawTexts = BTreeMap<String, RawText>;

impl Simulator {
    /// Shows one member of a payment with an unexpected text in every answer about it, single or in a list, V2's
    /// or V1's; `None` shows the truth again.
    ///
    /// `field` is the member's path as the answer has it: `orderName`, `customer.name`, `failure.pgMessage`,
    /// `cancellations.0.reason`, or V1's `buyer_name` and `fail_reason`. A path that an answer does not have
    /// changes nothing there.
    ///
    /// # Errors
    /// [`Refusal::PaymentNotFound`].
    pub fn set_raw_text(&self, id: &str, field: &str, raw: Option<RawText>) -> Result<(), Refusal> {
        self.change(|world| {
            let texts = &mut world.payment_mut(id)?.raw_texts;
            match raw {
                Some(raw) => texts.insert(field.to_owned(), raw),
                None => texts.remove(field),
            };
            Ok(())
        })
    }
}

/// Puts the texts into a rendered payment, with a mark for what a string cannot hold.
pub(crate) fn apply(rendered: &mut Value, texts: &RawTexts) {
    for (path, raw) in texts {
        let (parent, name) = match path.rsplit_once('.') {
            Some((parent, name)) => (format!("/{}", parent.replace('.', "/")), name),
            None => (String::new(), path.as_str()),
        };
        let Some(Value::Object(members)) = rendered.pointer_mut(&parent) else { continue };
        // A payment of either generation has the same paths set; only its own are shown.
        if parent.is_empty() && !members.contains_key(name) {
            continue;
        }
        let text = members.get(name).and_then(Value::as_str).unwrap_or_default();
        let shown = match raw {
            RawText::LoneSurrogate => json!(format!("{text}{MARK}")),
            RawText::Nul => json!(format!("{text}\0")),
            RawText::WrongType => json!(7),
            RawText::Missing => {
                members.shift_remove(name);
                continue;
            }
        };
        members.insert(name.to_owned(), shown);
    }
}

/// The body with the escape in place of every mark; `None` when there is none.
pub(crate) fn written(body: &Bytes) -> Option<Bytes> {
    let text = std::str::from_utf8(body).ok().filter(|text| text.contains(MARK))?;
    Some(Bytes::from(text.replace(MARK, LONE_SURROGATE)))
}
