//! `response_mode = "form_post"`: the provider's page posts the response to the callback.

use super::*;

/// The provider posts the query of this target, as a page of another site makes a browser do: without the cookie.
fn posted(serving: &Serving, target: &str) -> Reply {
    let (path, form) = target.split_once('?').expect("query");
    let fields = "Origin: https://op.example\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n\
                  Sec-Fetch-Dest: document\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    serving.request("POST", path, fields, form)
}

fn expecting_posts() -> Serving {
    Serving::with(Provider::new(), |config| {
        config.replace("requiresPKCE", "response_mode = \"form_post\"\nrequiresPKCE")
    })
}

#[test]
fn d19_a_posted_response_is_redirected_to_the_same_callback_where_the_cookie_and_state_count() {
    let serving = expecting_posts();
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, "");
    assert_eq!("form_post", parameter(begun.field("location").expect("location"), "response_mode"));
    let target = serving.decided(&begun, "allow");
    let reply = posted(&serving, &format!("{target}&user=%7B%22name%22%3A%22Ada%22%7D&id_token=canary"));
    assert_eq!(303, reply.status, "{reply:?}");
    let to = reply.field("location").expect("location").to_owned();
    assert_eq!(format!("http://127.0.0.1:{}{target}", serving.port), to, "nothing else gets into a URL");
    let own = crate::harness::target(&to);
    assert_error(&serving.finish(&Jar::default(), &own), "browser_mismatch");
}

#[test]
fn d19_a_flow_with_a_posted_response_connects_once() {
    let serving = expecting_posts();
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, "");
    let target = serving.decided(&begun, "allow");
    let own = crate::harness::target(posted(&serving, &target).field("location").expect("location"));
    assert_eq!(0, serving.provider.counters().token, "the POST itself consumes nothing");
    assert_success(&serving.finish(&jar, &own));
    let again = posted(&serving, &target);
    assert_error(
        &serving.finish(&jar, &crate::harness::target(again.field("location").expect("location"))),
        "state_replayed",
    );
    let denied = serving.begin("bob", &mut jar, "");
    let denied = posted(&serving, &serving.decided(&denied, "deny"));
    assert_error(
        &serving.finish(&jar, &crate::harness::target(denied.field("location").expect("location"))),
        "access_denied",
    );
}

#[test]
fn d19_a_post_without_a_response_of_this_service_gets_a_page_and_no_redirect() {
    let serving = expecting_posts();
    let path = format!("{BASE}/wiki/callback");
    for form in ["", "state=x", "code=a&state=x", "code=a b", "code=a&state=x&state=y"] {
        let reply = posted(&serving, &format!("{path}?{form}"));
        assert_eq!((400, None), (reply.status, reply.field("location")), "{form}: {reply:?}");
    }
}

#[test]
fn d19_a_post_that_the_integration_does_not_ask_for_stays_405() {
    let serving = Serving::new();
    let begun = serving.begin("ada", &mut Jar::default(), "");
    let reply = posted(&serving, &serving.decided(&begun, "allow"));
    assert_eq!((405, Some("GET")), (reply.status, reply.field("allow")), "{reply:?}");
}
