//! `loopin demo --provider NAME`: the practice provider does what that provider does differently; login, refresh, and a
//! grant that has ended.

use std::{slice, sync::PoisonError};

use super::{Login, TOKEN_LIFE, broken, grant_id, listen, serve};
use crate::{
    catalog::{Catalog, ClientKind, Integration, Preset, Server},
    cli,
    command::context::Context,
    oauth::{HttpClient, Scopes},
    practice::{self, Practice, Shape},
    refresh::{Attempt, Failed, Judgement, Refreshed, Verdict},
    report::{Event, Failure, Outcome},
    secret::Secret,
    system::{clock, entropy, http::Http, journal::Journalled},
    vault::{
        GrantKey, Record, Vault,
        memory::{MemoryFiles, MemoryItems},
        seal::Nonce,
    },
};

/// Scopes of the demo: two, so that what stands between them shows.
const SCOPES: &str = "practice read";
/// Of the practice client, at providers that give every client one.
const SECRET: &str = "practice-secret";

pub(super) fn run(context: &Context, args: &cli::Demo, provider: &str) -> Result<Outcome, Failure> {
    let say = |text: &str| context.talk.say(&Event::Step(text));
    let preset = Preset::find(provider)?;
    let (listener, origin) = listen()?;
    let integration = integration(&preset, &origin)?;
    let secret = match preset.registration.client {
        ClientKind::Confidential => Some(Secret::new(SECRET.into())),
        ClientKind::Either | ClientKind::Public => None,
    };
    let shape = Shape::of(&integration, secret);
    let client = shape.client().clone();
    say(&format!("practice provider at {origin}, in the shape of {}:", preset.name));
    let features = shape.features();
    features.iter().for_each(|feature| say(&format!("  {feature}")));
    if features.is_empty() {
        say("  as the RFCs have it");
    }
    let practice = serve(listener, Practice::new(origin, TOKEN_LIFE, Vec::new()).shaped(shape));

    let (mut scopes, mut extra) = (Scopes::parse(SCOPES)?, integration.extra.clone());
    let added = integration.dialect.offline.complete(&mut scopes, &mut extra);
    if !added.is_empty() {
        say(&format!("added, so that the provider gives a refresh token: {added}"));
    }
    let Server::Explicit(server) = integration.server else { return Err(broken("the demo has no endpoints".into())) };
    let (items, files) = (MemoryItems::default(), MemoryFiles::default());
    let vault = Vault { items: &items, files: &files };
    let login = Login { server: *server, client: client.clone(), scopes, extra };
    let signed_in = login.run(context, args, &vault)?;

    let key = grant_id()?.key();
    let refresh = || {
        let record = vault.read(&key)?.ok_or_else(|| broken("the grant of the demo is gone".into()))?;
        Ok::<_, Failure>(Refresh { vault: &vault, key: &key, record, client: &client }.run())
    };
    refresh()?.map_err(|failed| broken(format!("the refresh failed: {failed}")))?;
    say("the access token was refreshed: the new tokens are stored and read back");
    practice.lock().unwrap_or_else(PoisonError::into_inner).forget();
    match refresh()? {
        Err(failed) if Judgement::of(&failed).verdict == Verdict::Dead => {
            say("the provider has ended the grant: a refresh is refused, and it is recognized as the end of the grant");
            say(&format!("  loopin token would end with 4 and say: {failed}; run: loopin login demo"));
        }
        Err(failed) => return Err(broken(format!("the end of the grant was not recognized: {failed}"))),
        Ok(()) => return Err(broken("the provider accepted a refresh token of a grant that has ended".into())),
    }
    Ok(Outcome::SignedIn(signed_in))
}

/// One refresh, as the worker makes it.
struct Refresh<'a> {
    vault: &'a Vault<'a>,
    key: &'a GrantKey,
    record: Record,
    client: &'a crate::oauth::Client,
}

impl Refresh<'_> {
    fn run(self) -> Result<(), Failed> {
        let journal = self.vault.journal(self.key);
        let (record, http) = (&self.record, Http::default());
        let http: &dyn HttpClient = &Journalled { journal: &journal, record, http: &http };
        let attempt =
            Attempt { journal: &journal, record, seal_keys: slice::from_ref(&record.seal_key), client: self.client };
        let Refreshed { record, .. } = attempt.run(http, &clock::now)?;
        let nonce = entropy::random().map(Nonce).map_err(|why| Failed::Journal(why.into()))?;
        self.vault.write(self.key, &record, nonce).map_err(Failed::Journal)?;
        journal.clear().map_err(Failed::Journal)
    }
}

/// The preset's integration, at the practice provider.
fn integration(preset: &Preset, origin: &str) -> Result<Integration, Failure> {
    let mut text = format!(
        "[integration.demo]\nprovider = \"{}\"\nauthorization_endpoint = \"{origin}/authorize\"\n\
         token_endpoint = \"{origin}/token\"\nrevocation_endpoint = \"{origin}/revoke\"\nclient_id = \"{}\"\n",
        preset.id,
        practice::CLIENT_ID
    );
    for (name, variable) in [("base_url", &preset.base_url), ("tenant", &preset.tenant)] {
        if let Some(variable) = variable {
            text += &format!("{name} = \"{}\"\n", variable.example);
        }
    }
    let catalog = Catalog::parse(&text).map_err(|error| broken(error.to_string()))?;
    Ok(catalog.get("demo")?.clone())
}
