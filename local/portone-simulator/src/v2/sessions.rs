//! Access and refresh tokens: 30 minutes and one day. A login or refresh ends the refresh token before it.

use std::collections::BTreeMap;

use crate::{chance::Chance, clock::Timestamp};

const ACCESS_MILLIS: i64 = 30 * 60_000;
const REFRESH_MILLIS: i64 = 24 * 3_600_000;

/// The tokens given out.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    access: BTreeMap<String, Timestamp>,
    refresh: Option<(String, Timestamp)>,
}

impl Sessions {
    /// A new pair, access token first.
    pub fn login(&mut self, now: Timestamp, chance: &mut Chance) -> (String, String) {
        self.access.retain(|_, until| *until > now);
        let access = format!("simulated.access.{}", chance.uuid());
        let refresh = format!("simulated.refresh.{}", chance.uuid());
        self.access.insert(access.clone(), now.plus_millis(ACCESS_MILLIS));
        self.refresh = Some((refresh.clone(), now.plus_millis(REFRESH_MILLIS)));
        (access, refresh)
    }

    /// A new pair for the one refresh token that is still good.
    pub fn refresh(&mut self, token: &str, now: Timestamp, chance: &mut Chance) -> Option<(String, String)> {
        let good = self.refresh.as_ref().is_some_and(|(held, until)| held == token && *until > now);
        good.then(|| self.login(now, chance))
    }

    /// Whether this access token is good now.
    #[must_use]
    pub fn accepts(&self, token: &str, now: Timestamp) -> bool {
        self.access.get(token).is_some_and(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_token_lives_thirty_minutes_and_an_old_refresh_token_is_dead() {
        let (mut sessions, mut chance) = (Sessions::default(), Chance::new(Some(1)));
        let t0 = Timestamp::from_millis(0);
        let (access, refresh) = sessions.login(t0, &mut chance);
        assert!(sessions.accepts(&access, t0.plus_millis(ACCESS_MILLIS - 1)));
        assert!(!sessions.accepts(&access, t0.plus_millis(ACCESS_MILLIS)));
        assert!(sessions.refresh(&refresh, t0, &mut chance).is_some());
        assert!(sessions.refresh(&refresh, t0, &mut chance).is_none());
    }
}
