//! A login whose user enters a code on another device.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::harness::{JSON, RawServer, TOKENS, send};

fn configured(server: &RawServer) -> Sandbox {
    let sandbox = Sandbox::new();
    let device = format!("device_authorization_endpoint = \"{}/device\"\n", server.origin);
    sandbox.configure(&(server.integration() + &device));
    sandbox
}

#[test]
fn a_login_by_device_code_gives_the_client_what_its_user_needs_and_can_be_cancelled() {
    let code = json!({
        "device_code": "d", "user_code": "WDJB-MJHT", "verification_uri": "https://op.example/device",
        "verification_uri_complete": "https://op.example/device?user_code=WDJB-MJHT", "expires_in": 600, "interval": 0.05
    });
    let answered = AtomicBool::new(false);
    let server = RawServer::new(move |request, stream| {
        if request.starts_with("POST /device") {
            send(stream, 200, JSON, code.to_string().as_bytes());
        } else if answered.fetch_xor(true, Ordering::SeqCst) {
            send(stream, 200, JSON, TOKENS.as_bytes());
        } else {
            send(stream, 400, JSON, br#"{"error":"authorization_pending"}"#);
        }
    });
    let sandbox = configured(&server);
    let mut client = Client::of(&sandbox);
    client.call("in", "login", &json!({ "integration": "work", "how": "device" }));
    let event = client.event("in", "device");
    assert_eq!("WDJB-MJHT", event["user_code"]);
    assert_eq!("https://op.example/device", event["verification_uri"]);
    assert_eq!("https://op.example/device?user_code=WDJB-MJHT", event["verification_uri_complete"]);
    client.event("in", "done");
    assert_eq!("work", client.result("in")["integration"]);
    assert_eq!("an-access-token", client.token("1"));
}

#[test]
fn a_login_by_device_code_is_cancelled_while_it_waits() {
    let server = RawServer::new(|request, stream| {
        let body: &[u8] = match request.starts_with("POST /device") {
            true => br#"{"device_code":"d","user_code":"u","verification_uri":"https://op.example/device"}"#,
            false => br#"{"error":"authorization_pending"}"#,
        };
        send(stream, 200, JSON, body);
    });
    let sandbox = configured(&server);
    let mut client = Client::of(&sandbox);
    client.call("in", "login", &json!({ "integration": "work", "how": "device" }));
    assert_eq!(json!(null), client.event("in", "device")["verification_uri_complete"]);
    assert_eq!(json!("person"), client.event("in", "waiting")["on"]);
    client.call("no", "cancel", &json!({ "id": "in" }));
    assert_eq!(json!({ "cancelled": true }), client.result("no"));
    assert_eq!((-32130, "signal".into()), client.error("in"));
    assert_eq!(0, server.token_requests(), "the first poll was not due yet");
    client.call("1", "token", &json!({}));
    assert_eq!((-32004, "login_required".into()), client.error("1"));
}
