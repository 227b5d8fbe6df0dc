//! V1's access tokens. One key pair has one token at a time: asking again gives the same one until it is
//! over (V1 auth guide: 30 minutes, five more when asked for in its last minute).

use crate::{chance::Chance, clock::Timestamp};

const LIFETIME_MILLIS: i64 = 30 * 60_000;
const LAST_MINUTE_MILLIS: i64 = 60_000;
const EXTENSION_MILLIS: i64 = 5 * 60_000;

/// The key pair of the shop and the token it has now.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    key: String,
    secret: String,
    current: Option<Token>,
}

/// A token as `POST /users/getToken` gives it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub text: String,
    /// By the simulator's clock.
    pub expires_at: Timestamp,
}

impl Tokens {
    pub fn new(key: &str, secret: &str) -> Self {
        Self { key: key.to_owned(), secret: secret.to_owned(), current: None }
    }

    /// Replaces the key pair. A token given out before stays good, as its lifetime is all that is stated.
    pub fn rotate(&mut self, key: String, secret: String) {
        (self.key, self.secret) = (key, secret);
    }

    /// Whether this is the shop's key pair.
    pub fn knows(&self, key: &str, secret: &str) -> bool {
        self.key == key && self.secret == secret
    }

    /// The token that is good now, extended in its last minute; a new one after it.
    pub fn get(&mut self, now: Timestamp, chance: &mut Chance) -> Token {
        let token = match self.current.take().filter(|token| token.expires_at > now) {
            Some(token) if token.expires_at.millis() - now.millis() < LAST_MINUTE_MILLIS => {
                Token { expires_at: token.expires_at.plus_millis(EXTENSION_MILLIS), ..token }
            }
            Some(token) => token,
            None => {
                Token { text: chance.uuid().replace('-', ""), expires_at: now.plus_millis(LIFETIME_MILLIS) }
            }
        };
        self.current = Some(token.clone());
        token
    }

    /// Whether this token is good now.
    pub fn accepts(&self, text: &str, now: Timestamp) -> bool {
        self.current.as_ref().is_some_and(|token| token.text == text && token.expires_at > now)
    }

    /// Ends the token that is good now.
    pub fn expire(&mut self) {
        self.current = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_millis(1_000_000);

    fn tokens() -> (Tokens, Chance) {
        (Tokens::new("k", "s"), Chance::new(Some(1)))
    }

    #[test]
    fn asking_again_gives_the_same_token_with_the_same_end() {
        let (mut tokens, mut chance) = tokens();
        let first = tokens.get(T0, &mut chance);
        let later = T0.plus_millis(LIFETIME_MILLIS - LAST_MINUTE_MILLIS);
        assert_eq!(tokens.get(later, &mut chance), first);
        assert_eq!(first.expires_at, T0.plus_millis(LIFETIME_MILLIS));
    }

    #[test]
    fn in_its_last_minute_the_same_token_gets_five_minutes_more() {
        let (mut tokens, mut chance) = tokens();
        let first = tokens.get(T0, &mut chance);
        let last = T0.plus_millis(LIFETIME_MILLIS - LAST_MINUTE_MILLIS + 1);
        let extended = tokens.get(last, &mut chance);
        assert_eq!(extended.text, first.text);
        assert_eq!(extended.expires_at, first.expires_at.plus_millis(EXTENSION_MILLIS));
        assert!(tokens.accepts(&first.text, first.expires_at));
    }

    #[test]
    fn after_its_end_there_is_a_new_token_and_the_old_one_is_dead() {
        let (mut tokens, mut chance) = tokens();
        let first = tokens.get(T0, &mut chance);
        assert!(!tokens.accepts(&first.text, first.expires_at));
        let second = tokens.get(first.expires_at, &mut chance);
        assert_ne!(second.text, first.text);
        assert!(!tokens.accepts(&first.text, first.expires_at));
        assert!(tokens.accepts(&second.text, first.expires_at));
    }
}
