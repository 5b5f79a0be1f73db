//! Authorization servers of three more makes, each through a login, refreshes, the end of a grant, a logout and a refused
//! login. Each has its own ways with redirects, rotation, revocation and error words.

use sha2::{Digest, Sha256};

use crate::harness::{Browser, IN_FILES, Provider, Sandbox, fixed_port};

/// As RFC 8252 section 7.3 has it: registered without a port, and any port is sent.
const REGISTERED: &str = "http://127.0.0.1/callback";
const ANY_PORT: &str = "http://127.0.0.1:0/callback";

/// A login that ends well, and the access token that it brought.
#[track_caller]
fn signed_in(sandbox: &Sandbox, provider: &Provider) -> String {
    let login = sandbox.login(Browser::person(), &[]);
    login.assert_code(0);
    let page = login.report();
    assert!(page["body"].as_str().is_some_and(|body| body.contains("You are signed in")), "{page:#}");
    let token = sandbox.run(&["token", "work"]).token().to_owned();
    assert!(provider.serves(&token), "the token is the provider's own");
    token
}

/// The answer to a server that has refused this token.
fn after(sandbox: &Sandbox, token: &str) -> crate::harness::Finished {
    let hash: String = Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect();
    sandbox.run(&["token", "work", "--rejected", &hash])
}

/// What every server serves; the last access token is revoked at the end.
#[track_caller]
fn lives_through_everything(sandbox: &Sandbox, provider: &Provider) {
    let mut token = signed_in(sandbox, provider);
    // Each refresh is by the token that the last one left.
    for _ in 0..3 {
        let next = after(sandbox, &token).token().to_owned();
        assert_ne!(token, next);
        assert!(provider.serves(&next));
        token = next;
    }
    provider.end_all_grants();
    after(sandbox, &token).assert_code(4).assert_says("loopin login work");

    let token = signed_in(sandbox, provider);
    sandbox.run(&["logout", "work"]).assert_code(0).assert_says("the tokens are revoked at the provider");
    assert!(!provider.serves(&token));
    sandbox.run(&["token", "work"]).assert_code(4);

    let refused = sandbox.login(Browser::denying_person(), &[]);
    refused.assert_code(5).assert_says("access_denied");
    refused.report();
}

fn integration(provider: &Provider, client: &str, redirect: &str, scopes: &str) -> String {
    let (issuer, client_id) = (&provider.issuer, provider.fact(client));
    format!(
        "[integration.work]\nissuer = \"{issuer}\"\nclient_id = \"{client_id}\"\nredirect_uri = \"{redirect}\"\nscopes = \
         [{scopes}]\n{IN_FILES}"
    )
}

#[test]
fn a_worker_of_cloudflares_library_serves_a_public_client() {
    let Some(provider) = Provider::cloudflare(REGISTERED) else { return };
    let sandbox = Sandbox::new();
    sandbox.configure(&integration(&provider, "public", ANY_PORT, "\"read\""));
    lives_through_everything(&sandbox, &provider);
}

#[test]
fn authgent_serves_a_confidential_client_at_the_one_redirect_that_it_knows() {
    let redirect = format!("http://127.0.0.1:{}/callback", fixed_port());
    let Some(provider) = Provider::authgent(&redirect) else { return };
    let sandbox = Sandbox::new().with("WORK_SECRET", provider.secret(provider.fact("confidential")));
    let secret = "client_secret = { env = \"WORK_SECRET\" }\n";
    sandbox.configure(&(integration(&provider, "confidential", &redirect, "\"read\"") + secret));
    lives_through_everything(&sandbox, &provider);
}

/// Its OpenID metadata names no revocation endpoint.
#[test]
fn django_oauth_toolkit_serves_a_public_client_with_openid() {
    let Some(provider) = Provider::django(REGISTERED) else { return };
    let sandbox = Sandbox::new();
    let revocation = format!("revocation_endpoint = \"{}\"\n", provider.fact("revocation_endpoint"));
    sandbox.configure(&(integration(&provider, "public", ANY_PORT, "\"openid\", \"read\"") + &revocation));
    lives_through_everything(&sandbox, &provider);
}
