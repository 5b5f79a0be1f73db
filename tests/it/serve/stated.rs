//! What an integration states counts before the provider's metadata, for every connection.

use super::*;
use crate::harness::RawServer;

#[test]
fn what_an_integration_states_counts_for_the_first_connection_and_for_those_with_metadata_that_is_known() {
    let server = RawServer::discovered();
    let serving = Serving::with(Provider::new(), |config| {
        let (before, _) = config.split_once("[integration.wiki]").expect("a table");
        format!(
            "{before}[integration.wiki]\nissuer = \"{0}\"\nrevocation_endpoint = \"{0}/end\"\nclient_id = \"me\"\n",
            server.origin
        )
    });
    for user in ["ada", "eve"] {
        let mut jar = Jar::default();
        let begun = serving.begin(user, &mut jar, "");
        let state = parameter(begun.field("location").unwrap_or_else(|| panic!("{begun:?}")), "state");
        let callback = format!("{BASE}/wiki/callback?code=x&state={state}");
        let connection = assert_success(&serving.finish(&jar, &callback));
        let path = format!("{BASE}/connections/{connection}");
        let ended = serving.request("DELETE", &path, &bearer(&token_of(user, "acme")), "");
        assert_eq!("yes", json_of(&ended)["revoked"], "{user}: {ended:?}");
    }
    let sent = |what: &str| server.requests().iter().filter(|request| request.starts_with(what)).count();
    assert_eq!((1, 2), (sent("GET /.well-known/"), sent("POST /end ")));
}
