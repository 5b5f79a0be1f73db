//! A user connects again while the stored refresh token is in use.

use super::*;
use crate::vault::Record;

impl Stage {
    /// The stored connection, as a record.
    fn record(&self) -> Record {
        self.sealed().record(&self.row().expect("row")).expect("record")
    }

    /// As if the tokens had expired long ago.
    fn age(&self) {
        self.sql("UPDATE connection SET obtained_at = 1000, expires_at = 2000");
    }

    /// The user connects again, and the provider returns this refresh token.
    fn reconnect(&self, refresh_token: Option<&str>) {
        let stored = self.record();
        let grant = Grant {
            access_token: Secret::new("login".into()),
            refresh_token: refresh_token.map(|token| Secret::new(token.into())),
            subject: Some("ada".into()),
            obtained_at: clock::now(),
            expiry: Expiry::At(clock::now() + Duration::from_secs(3600)),
            ..stored.grant
        };
        let connected = self.sealed();
        let connected = connected.connect(&self.key, None, stored.pinned, &grant, clock::now());
        self.runtime.block_on(connected).expect("connected");
    }
}

fn refresh_token(stage: &Stage) -> Option<String> {
    stage.record().grant.refresh_token.map(|token| token.expose().to_owned())
}

#[test]
fn d18_a_refresh_that_uses_up_the_kept_refresh_token_leaves_its_successor() {
    let stage = Stage::expired();
    stage.reconnect(Some("r0"));
    stage.age();
    stage.provider.set(|state| state.shut = true);
    let node = stage.node();
    let callers = stage.crowd(std::slice::from_ref(&node), 1);
    stage.provider.came(1);
    stage.reconnect(None);
    let kept = refresh_token(&stage);
    stage.provider.set(|state| state.shut = false);
    assert_eq!(Some("r0".into()), kept, "it is kept, and the provider has it already");
    for caller in callers {
        let answer = stage.runtime.block_on(caller).expect("answer");
        assert!(matches!(answer, TokenAnswer::Ok(_)), "{answer:?}");
    }
    stage.runtime.block_on(node.drain());
    assert_eq!(Some("r1".into()), refresh_token(&stage));
    stage.age();
    assert!(matches!(stage.ask(&node), TokenAnswer::Ok(_)), "the next refresh succeeds");
}

#[test]
fn d18_a_refresh_token_of_the_new_login_is_not_replaced_by_that_of_an_older_refresh() {
    let stage = Stage::expired();
    stage.provider.set(|state| state.shut = true);
    let node = stage.node();
    let callers = stage.crowd(std::slice::from_ref(&node), 1);
    stage.provider.came(1);
    stage.reconnect(Some("login"));
    stage.provider.set(|state| state.shut = false);
    for caller in callers {
        stage.runtime.block_on(caller).expect("answer");
    }
    stage.runtime.block_on(node.drain());
    assert_eq!(Some("login".into()), refresh_token(&stage));
}

#[test]
fn d18_a_refresh_token_that_the_provider_has_refused_is_not_kept() {
    let stage = Stage::expired();
    stage.reconnect(Some("r0"));
    stage.age();
    stage.provider.set(|state| state.mood = Mood::Refuses("invalid_grant"));
    assert!(matches!(stage.ask(&stage.node()), TokenAnswer::ReauthRequired { .. }));
    stage.reconnect(None);
    assert_eq!(None, refresh_token(&stage));
}
