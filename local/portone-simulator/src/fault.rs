//! Disturbances of REST answers: which call, how often, and what happens to it.

use serde::{Deserialize, Serialize};

use crate::payment::Version;

/// One rule. The oldest rule that matches and has calls left applies, alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultRule {
    /// `GET`, `POST`, …; any when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Where `*` stands for one segment and a last `**` for any rest; any when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only calls of this generation's API; both when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// How many calls; until cleared when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Real milliseconds the call waits, before or after its effect as `effect` says.
    #[serde(default)]
    pub delay_ms: u64,
    /// Whether the call takes effect all the same. Default false.
    #[serde(default)]
    pub effect: bool,
    /// What is answered instead; the true answer when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<FaultReply>,
}

/// What is answered instead of the truth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "kind", deny_unknown_fields)]
pub enum FaultReply {
    /// A status with a body of any kind.
    Status {
        /// HTTP status.
        status: u16,
        /// Its media type; `application/json` when missing.
        content_type: Option<String>,
        /// Its text; empty when missing.
        #[serde(default)]
        body: String,
        /// Value of a `Retry-After` header.
        retry_after: Option<String>,
    },
    /// The connection closes without a byte.
    Drop,
    /// Nothing comes, for this many real milliseconds; then the connection closes.
    Hang {
        /// How long.
        hang_ms: u64,
    },
    /// The true answer breaks off in the middle. Implies the effect.
    HalfBody,
    /// The true answer, byte by byte. Implies the effect.
    SlowBytes {
        /// Real milliseconds between two bytes.
        interval_ms: u64,
    },
}

impl FaultRule {
    /// Every call, until cleared, is answered with this.
    #[must_use]
    pub fn reply(reply: FaultReply) -> Self {
        Self {
            method: None,
            path: None,
            version: None,
            times: None,
            delay_ms: 0,
            effect: false,
            reply: Some(reply),
        }
    }

    /// Every call, until cleared, waits this many real milliseconds before its effect.
    #[must_use]
    pub fn delay(delay_ms: u64) -> Self {
        Self { method: None, path: None, version: None, times: None, delay_ms, effect: false, reply: None }
    }

    /// An HTML page with this status, as a gateway in between would send it.
    #[must_use]
    pub fn html(status: u16) -> Self {
        Self::reply(FaultReply::Status {
            status,
            content_type: Some("text/html; charset=utf-8".to_owned()),
            body: format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"),
            retry_after: None,
        })
    }

    /// Only calls of this method and path pattern.
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        self.path = Some(path.to_owned());
        self
    }

    /// Only calls of this generation's API.
    #[must_use]
    pub fn of(mut self, version: Version) -> Self {
        self.version = Some(version);
        self
    }

    /// Only the next `times` calls.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// The call takes effect before the answer is disturbed.
    #[must_use]
    pub fn after_effect(mut self) -> Self {
        self.effect = true;
        self
    }

    fn matches(&self, version: Version, method: &str, path: &str) -> bool {
        let method_fits = self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
        self.times != Some(0)
            && self.version.is_none_or(|wanted| wanted == version)
            && method_fits
            && self.path.as_ref().is_none_or(|pattern| path_fits(pattern, path))
    }
}

fn path_fits(pattern: &str, path: &str) -> bool {
    let mut wanted = pattern.trim_matches('/').split('/');
    let mut given = path.trim_matches('/').split('/');
    loop {
        match (wanted.next(), given.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some(want), Some(got)) if want == "*" || want == got => {}
            _ => return false,
        }
    }
}

/// The rules in force, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<(u64, FaultRule)>,
    added: u64,
}

impl Faults {
    /// Adds a rule and returns its number.
    pub fn add(&mut self, rule: FaultRule) -> u64 {
        let number = self.added;
        self.added += 1;
        self.rules.push((number, rule));
        number
    }

    /// The rules still in force, with their numbers.
    pub fn list(&self) -> &[(u64, FaultRule)] {
        &self.rules
    }

    pub fn remove(&mut self, number: u64) -> bool {
        let before = self.rules.len();
        self.rules.retain(|(at, _)| *at != number);
        self.rules.len() < before
    }

    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// The rule for this call, used up by one.
    pub fn take(&mut self, version: Version, method: &str, path: &str) -> Option<FaultRule> {
        let place = self.rules.iter().position(|(_, rule)| rule.matches(version, method, path))?;
        let (_, rule) = self.rules.get_mut(place)?;
        let taken = rule.clone();
        match &mut rule.times {
            Some(1) => {
                self.rules.remove(place);
            }
            Some(left) => *left -= 1,
            None => {}
        }
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_segment_and_two_are_any_rest() {
        assert!(path_fits("/payments/*", "/payments/a"));
        assert!(!path_fits("/payments/*", "/payments/a/cancel"));
        assert!(path_fits("/payments/*/cancel", "/payments/a/cancel"));
        assert!(path_fits("/payments/**", "/payments/a/cancel"));
        assert!(!path_fits("/payments", "/payments-by-cursor"));
    }

    #[test]
    fn a_rule_for_no_call_never_applies() {
        let mut faults = Faults::default();
        faults.add(FaultRule::html(502).times(0));
        assert_eq!(faults.take(Version::V2, "GET", "/payments/a"), None);
    }

    #[test]
    fn a_rule_for_two_calls_leaves_the_third_alone() {
        let mut faults = Faults::default();
        faults.add(FaultRule::html(502).on("GET", "/payments/*").times(2));
        let hits = [0, 1, 2].map(|_| faults.take(Version::V2, "GET", "/payments/a").is_some());
        assert_eq!((hits, faults.list().len()), ([true, true, false], 0));
    }
}
