//! Replies of a token endpoint, by the way a login takes.
#![no_main]

use std::{num::NonZeroU16, time::SystemTime};

use libfuzzer_sys::fuzz_target;
use loopin::{
    oauth::{
        AuthorizationRequest, AuthorizationServer, Client, ClientAuthentication, ClientId, Endpoint, Entropy, ExtraParameters, HttpClient, HttpError,
        HttpRequest, HttpResponse, IdTokenAlgorithms, IssParameter, Pkce, Received, S256, Scopes,
    },
    redirect::RegisteredRedirect,
};

struct Replies<'a>(u16, &'a [u8]);

impl HttpClient for Replies<'_> {
    fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut reply = HttpResponse::new(self.1.to_owned());
        *reply.status_mut() = oauth2::http::StatusCode::from_u16(self.0).expect("a status");
        Ok(reply)
    }
}

fuzz_target!(|reply: (u8, &[u8])| {
    let (status, body) = reply;
    let endpoint = |path: &str| Endpoint::parse(&format!("https://op.example/{path}")).expect("an endpoint");
    let request = AuthorizationRequest {
        server: AuthorizationServer {
            issuer: None,
            issuer_template: None,
            authorization_endpoint: endpoint("a"),
            token_endpoint: endpoint("t"),
            revocation_endpoint: None,
            device_authorization_endpoint: None,
            iss_parameter: IssParameter::NotPromised,
            s256: S256::Unstated,
            id_token_algorithms: IdTokenAlgorithms::Unstated,
            authentication_methods: loopin::oauth::AuthenticationMethods::Unstated,
        },
        client: Client::new(ClientId::parse("me").expect("a client"), ClientAuthentication::None),
        redirect: RegisteredRedirect::parse("http://127.0.0.1:0/cb").expect("a redirect").bind(NonZeroU16::MAX).expect("bound"),
        scopes: Scopes::default(),
        pkce: Pkce::S256,
        extra: ExtraParameters::default(),
    };
    let (url, pending) = request.begin(Entropy::from_bytes(&[7; 96])).expect("a URL");
    let state = url.as_str().split("state=").nth(1).and_then(|s| s.split('&').next()).expect("a state").to_owned();
    if let Received::Code(code) = pending.receive(format!("code=x&state={state}").as_bytes()) {
        let _ = code.exchange(&Replies(200 + u16::from(status), body), SystemTime::UNIX_EPOCH);
    }
});
