//! The secret's text, judged member by member. Says which member is wrong and what it looks like instead,
//! never what it holds.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use crate::report::{Finding, Look};

/// What the functions read.
const MEMBERS: [&str; 5] = ["v2ApiSecret", "v2WebhookSecrets", "v1ApiKey", "v1ApiSecret", "orderTokenKey"];
const TOKEN_KEY_MIN: usize = 32;
const TOKEN_KEY: &str = "put `openssl rand -base64 32` there; pages of open orders ask for their order anew";
const API_SECRET: &str = "PortOne's console: 결제 연동 → 연동 관리 → 식별코드・API Keys → V2 API";
const WEBHOOK_SECRET: &str = "PortOne's console: 결제 연동 → 연동 관리 → 결제알림(Webhook) 관리, the secret of the same mode (LIVE or TEST)";
const V1_KEYS: &str = "PortOne's console: 결제 연동 → 연동 관리 → 식별코드・API Keys → V1 API";

/// What calls to PortOne need of the secret.
#[derive(Default)]
pub(crate) struct Credentials {
    pub(crate) v2_api_secret: Option<String>,
    pub(crate) v1: Option<(String, String)>,
}

/// Judges the text. Nothing to say is a sound secret; the credentials are there as far as they can be used.
pub(crate) fn judge(look: &Look, text: &str) -> (Vec<Finding>, Credentials) {
    // As the functions read it.
    let text = text.trim_start_matches('\u{FEFF}');
    if let Some(cause) = wrong_encoding(text) {
        return (
            vec![look.fail(cause, "save it as UTF-8 text and put it there again")],
            Credentials::default(),
        );
    }
    let Ok(Value::Object(members)) = serde_json::from_str(text) else {
        if let Some(says) = wrong_encoding(text) {
            let cure = "save it as UTF-8 text and put it there again";
            return (vec![look.fail(says, cure)], Credentials::default());
        }
        let says = "the secret is no JSON object";
        let cure = "put {\"v2ApiSecret\": …, \"v2WebhookSecrets\": […], \"orderTokenKey\": …} there, as README.md shows";
        return (vec![look.fail(says, cure)], Credentials::default());
    };
    let mut judge = Judge { look, members: &members, findings: Vec::new() };
    judge.names();
    let texts = judge.texts();
    judge.swapped(&texts);
    judge.webhook_secrets(&texts);
    judge.token_key(&texts);
    judge.complete();
    let text =
        |name: &str| texts.iter().find(|(known, _)| known == name).map(|(_, text)| text.trim().to_owned());
    let credentials =
        Credentials { v2_api_secret: text("v2ApiSecret"), v1: text("v1ApiKey").zip(text("v1ApiSecret")) };
    (judge.findings, credentials)
}

/// What another encoding looks like when it is read as UTF-8.
fn wrong_encoding(text: &str) -> Option<&'static str> {
    if text.contains('\0') {
        Some("the secret is text in UTF-16")
    } else if text.contains('\u{FFFD}') {
        Some("the secret has characters that are not UTF-8, as text in CP949 or UTF-16 has")
    } else if text.contains(|c: char| c.is_control() && !c.is_whitespace()) {
        Some("the secret has a control character in it")
    } else {
        None
    }
}

struct Judge<'a> {
    look: &'a Look,
    members: &'a Map<String, Value>,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    fn fail(&mut self, says: impl Into<String>, cure: impl Into<String>) {
        self.findings.push(self.look.fail(says, cure));
    }

    fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// A misspelt member is as good as missing. Names that resemble none of ours are not repeated: somebody
    /// may have pasted a value there.
    fn names(&mut self) {
        let plain = |name: &str| {
            let plain = name.to_ascii_lowercase().replace(['_', '-', ' '], "");
            plain.trim_end_matches('s').to_owned()
        };
        let by_plain: BTreeMap<_, _> = MEMBERS.iter().map(|name| (plain(name), *name)).collect();
        for name in self.members.keys().filter(|name| !MEMBERS.contains(&name.as_str())) {
            let finding = match by_plain.get(&plain(name)) {
                Some(meant) => self
                    .look
                    .fail(format!("a member is misspelt: {meant} is meant"), format!("name it {meant}")),
                None => self.look.warn(
                    "a member is none that the functions read",
                    format!("the functions read {}; take the rest out", MEMBERS.join(", ")),
                ),
            };
            self.findings.push(finding);
        }
    }

    /// Every text of the secret with the member it is in; says which are no text, empty or placeholders.
    fn texts(&mut self) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        for name in MEMBERS {
            let value = &self.members.get(name).cloned().unwrap_or_default();
            match (name, value) {
                (_, Value::Null) => {}
                ("v2WebhookSecrets", Value::Array(entries)) => {
                    for entry in entries {
                        match entry {
                            Value::String(text) => texts.push((name.to_owned(), text.clone())),
                            _ => self.fail(format!("{name} has an entry that is no text"), WEBHOOK_SECRET),
                        }
                    }
                }
                ("v2WebhookSecrets", _) => {
                    self.fail(format!("{name} is no list"), "write it as a list: [\"whsec_…\"]");
                }
                (_, Value::String(text)) => texts.push((name.to_owned(), text.clone())),
                _ => {
                    self.fail(format!("{name} is no text"), format!("write it as a text: \"{name}\": \"…\""))
                }
            }
        }
        texts.retain(|(name, text)| {
            let finding = if is_placeholder(text) {
                let says = format!("{name} is empty or a placeholder");
                self.look.fail(says, format!("put the value there: {}", source(name)))
            } else if text.trim().contains(|c: char| c.is_whitespace() || !c.is_ascii_graphic()) {
                let says = format!("{name} has white space or a character that none has in the middle of it");
                self.look.fail(says, format!("copy it anew, in one line: {}", source(name)))
            } else if text.trim() != text {
                let says = format!("{name} begins or ends with white space, which the functions cut off");
                self.findings.push(self.look.warn(says, "take the white space away"));
                return true;
            } else {
                return true;
            };
            self.findings.push(finding);
            false
        });
        texts
    }

    /// A value in another one's place, told by its form or by being there twice.
    fn swapped(&mut self, texts: &[(String, String)]) {
        for (index, (name, text)) in texts.iter().enumerate() {
            let text = text.trim();
            let looks_like = if text.starts_with("whsec_") && name != "v2WebhookSecrets" {
                "a webhook secret (whsec_…)"
            } else if text.starts_with("store-") {
                "a store id (store-…)"
            } else if text.starts_with("channel-key-") {
                "a channel key (channel-key-…)"
            } else if is_shop_code(text) {
                "the shop's code (imp…), which is no key"
            } else if name == "v2ApiSecret" && text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit()) {
                "V1's REST API key (16 digits)"
            } else if let Some((other, _)) = texts[..index].iter().find(|(_, earlier)| earlier.trim() == text)
            {
                let says = match name == other {
                    true => format!("{name} has the same entry twice"),
                    false => format!("{name} and {other} are the same text: one is in the other's place"),
                };
                self.fail(says, format!("{}; {}", source(name), source(other)));
                continue;
            } else {
                continue;
            };
            self.fail(format!("{name} holds {looks_like}"), source(name));
        }
    }

    fn webhook_secrets(&mut self, texts: &[(String, String)]) {
        for (_, text) in texts.iter().filter(|(name, _)| name == "v2WebhookSecrets") {
            let key = text.trim();
            let bytes = STANDARD.decode(key.strip_prefix("whsec_").unwrap_or(key));
            if !bytes.is_ok_and(|bytes| !bytes.is_empty()) {
                self.fail("v2WebhookSecrets has an entry that is not base64 after whsec_", WEBHOOK_SECRET);
            } else if !key.starts_with("whsec_") {
                let says = "v2WebhookSecrets has an entry without whsec_ before it";
                self.findings.push(self.look.warn(says, WEBHOOK_SECRET));
            }
        }
    }

    fn token_key(&mut self, texts: &[(String, String)]) {
        if let Some((_, text)) = texts.iter().find(|(name, _)| name == "orderTokenKey") {
            match STANDARD.decode(text.trim()) {
                Err(_) => self.fail("orderTokenKey is not base64", TOKEN_KEY),
                Ok(bytes) if bytes.len() < TOKEN_KEY_MIN => {
                    let says = format!(
                        "orderTokenKey is too short: {} bytes, not {TOKEN_KEY_MIN} or more",
                        bytes.len()
                    );
                    self.fail(says, TOKEN_KEY);
                }
                Ok(_) => {}
            }
        }
    }

    fn complete(&mut self) {
        let hooks = self.members.get("v2WebhookSecrets").and_then(Value::as_array);
        let no_hooks = hooks.is_none_or(Vec::is_empty);
        let (key, secret) = (self.has("v1ApiKey"), self.has("v1ApiSecret"));
        if !self.has("orderTokenKey") {
            self.fail("there is no orderTokenKey", TOKEN_KEY);
        }
        if key != secret {
            self.fail("there is one of v1ApiKey and v1ApiSecret without the other", V1_KEYS);
        }
        if !self.has("v2ApiSecret") && !key && !secret {
            self.fail("there is neither v2ApiSecret nor v1ApiKey and v1ApiSecret", API_SECRET);
        }
        if self.has("v2ApiSecret") && no_hooks {
            self.fail("there is no v2WebhookSecrets: every webhook is refused", WEBHOOK_SECRET);
        }
    }
}

fn source(name: &str) -> &'static str {
    match name {
        "v2ApiSecret" => API_SECRET,
        "v2WebhookSecrets" => WEBHOOK_SECRET,
        "orderTokenKey" => TOKEN_KEY,
        _ => V1_KEYS,
    }
}

/// `imp` and digits: V1's 가맹점 식별코드, which is public.
fn is_shop_code(text: &str) -> bool {
    let digits = text.strip_prefix("imp").unwrap_or_default();
    (6..=12).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    let bare = text.strip_prefix("whsec_").unwrap_or(text).to_ascii_lowercase();
    let mut bytes = bare.bytes();
    let first = bytes.next();
    bare.contains(['…', '<', '>', '{', '}', '*'])
        || bare.contains("...")
        || ["your-", "your_", "change-me", "changeme", "replace-me", "replaceme", "placeholder", "example"]
            .iter()
            .any(|word| bare.contains(word))
        || bytes.all(|byte| Some(byte) == first)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::Verdict;

    fn sound() -> Value {
        json!({
            "v2ApiSecret": "q".to_owned() + &"7Rw".repeat(20),
            "v2WebhookSecrets": [format!("whsec_{}", STANDARD.encode([7_u8, 1, 9].repeat(8)))],
            "v1ApiKey": "1234509876123450",
            "v1ApiSecret": "z".to_owned() + &"8Tq".repeat(26),
            "orderTokenKey": STANDARD.encode([3_u8, 5].repeat(16)),
        })
    }

    fn verdicts(change: impl FnOnce(&mut Value)) -> Vec<(Verdict, String)> {
        let mut secret = sound();
        change(&mut secret);
        verdicts_of(&secret.to_string())
    }

    fn verdicts_of(text: &str) -> Vec<(Verdict, String)> {
        let (findings, _) = judge(&Look::at("secret", "here"), text);
        assert!(findings.iter().all(|finding| finding.cure.is_some()));
        findings.into_iter().map(|finding| (finding.verdict, finding.says)).collect()
    }

    #[test]
    fn a_sound_secret_has_nothing_said_about_it() {
        assert_eq!(verdicts(|_| {}), []);
        assert_eq!(
            verdicts(|s| {
                s.as_object_mut().unwrap().retain(|name, _| !name.starts_with("v1"));
            }),
            []
        );
        assert_eq!(
            verdicts(|s| {
                s.as_object_mut().unwrap().retain(|name, _| !name.starts_with("v2"));
            }),
            []
        );
    }

    #[test]
    fn each_way_to_fill_a_secret_in_wrongly_is_told_by_its_member() {
        let whsec = format!("whsec_{}", STANDARD.encode([9_u8, 4].repeat(16)));
        let cases: Vec<(&str, Value, &str)> = vec![
            ("v2ApiSecret", json!(whsec), "v2ApiSecret holds a webhook secret"),
            ("v1ApiSecret", json!(whsec), "v1ApiSecret holds a webhook secret"),
            ("v2ApiSecret", json!("1234509876123451"), "v2ApiSecret holds V1's REST API key"),
            ("v2ApiSecret", sound()["v1ApiSecret"].clone(), "v1ApiSecret and v2ApiSecret are the same text"),
            ("v1ApiKey", json!("imp12345678"), "v1ApiKey holds the shop's code"),
            ("v2ApiSecret", json!("store-4ff4af41"), "v2ApiSecret holds a store id"),
            ("v1ApiKey", json!("channel-key-1"), "v1ApiKey holds a channel key"),
            ("v2ApiSecret", json!(""), "v2ApiSecret is empty or a placeholder"),
            ("v2ApiSecret", json!("…"), "v2ApiSecret is empty or a placeholder"),
            ("v2ApiSecret", json!("YOUR_API_SECRET"), "v2ApiSecret is empty or a placeholder"),
            ("v2WebhookSecrets", json!(["whsec_…"]), "v2WebhookSecrets is empty or a placeholder"),
            ("orderTokenKey", json!("<base64 of 32 bytes>"), "orderTokenKey is empty or a placeholder"),
            ("v2ApiSecret", json!("abc def"), "v2ApiSecret has white space"),
            ("orderTokenKey", json!("kurz!"), "orderTokenKey is not base64"),
            ("orderTokenKey", json!(STANDARD.encode([1, 2, 3])), "orderTokenKey is too short: 3 bytes"),
            ("orderTokenKey", Value::Null, "there is no orderTokenKey"),
            ("v2WebhookSecrets", json!([]), "there is no v2WebhookSecrets"),
            ("v2WebhookSecrets", json!(whsec), "v2WebhookSecrets is no list"),
            ("v2WebhookSecrets", json!([7]), "v2WebhookSecrets has an entry that is no text"),
            ("v2WebhookSecrets", json!(["whsec_!?"]), "v2WebhookSecrets has an entry that is not base64"),
            ("v1ApiKey", Value::Null, "there is one of v1ApiKey and v1ApiSecret without the other"),
            ("v2ApiSecret", json!(7), "v2ApiSecret is no text"),
            ("V2_API_SECRET", json!("x1y2"), "a member is misspelt: v2ApiSecret is meant"),
            ("v2WebhookSecret", json!("x1y2"), "a member is misspelt: v2WebhookSecrets is meant"),
        ];
        for (member, value, says) in cases {
            let found = verdicts(|secret| secret[member] = value.clone());
            assert!(
                found.iter().any(|(verdict, said)| *verdict == Verdict::Fail && said.starts_with(says)),
                "{member} {value}: {found:?}"
            );
        }
        assert_eq!(verdicts_of("[]")[0].1, "the secret is no JSON object");
        assert!(verdicts_of("{}").iter().any(|(_, says)| says.starts_with("there is neither v2ApiSecret")));
    }

    #[test]
    fn a_secret_in_another_encoding_is_named_by_its_encoding() {
        let sound = sound().to_string();
        assert_eq!(verdicts_of(&format!("\u{FEFF}{sound}")), []);
        let utf16: String = sound.chars().flat_map(|c| [c, '\0']).collect();
        for (text, cause) in [
            (utf16, "the secret is text in UTF-16"),
            (format!("\u{FFFD}\u{FFFD}{sound}"), "the secret has characters that are not UTF-8"),
            (format!("{sound}\u{1A}"), "the secret has a control character"),
        ] {
            let found = verdicts_of(&text);
            assert!(
                found.len() == 1 && found[0].0 == Verdict::Fail && found[0].1.starts_with(cause),
                "{found:?}"
            );
        }
    }

    #[test]
    fn what_the_functions_put_up_with_is_a_warning() {
        for (member, value) in [
            ("v2ApiSecret", json!("abcdef7\n")),
            ("v2WebhookSecrets", json!([STANDARD.encode([9_u8, 4].repeat(16))])),
            ("note", json!("mine")),
        ] {
            let found = verdicts(|secret| secret[member] = value.clone());
            assert_eq!(found.iter().map(|(verdict, _)| *verdict).collect::<Vec<_>>(), [Verdict::Warn]);
        }
    }

    #[test]
    fn no_value_and_no_unknown_name_is_ever_repeated() {
        let secret = json!({"v2ApiSecret": "whsec_hunter2", "v1ApiKey": "hunter2 hunter2", "hunter2": "hunter2",
            "orderTokenKey": "hunter2", "v2WebhookSecrets": ["hunter2!", "hunter2!"]});
        let (findings, _) = judge(&Look::at("secret", "here"), &secret.to_string());
        assert!(findings.len() >= 5);
        assert!(!format!("{findings:?}").contains("hunter2"));
    }
}
