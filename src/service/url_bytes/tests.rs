//! Hostile base URLs and callbacks, a line each: none is accepted, and each is refused for its own reason.

use crate::{
    catalog::{Catalog, Integration},
    service::{
        app_callback::{AllowList, Table},
        base_url::BaseUrl,
    },
    vault::{AccountName, Owner},
};

const CORPUS: &str = include_str!("../../../tests/data/hostile-urls.tsv");

fn integration() -> Integration {
    let text = "[integration.git]\nauthorization_endpoint = \"https://git.example/authorize\"\n\
        token_endpoint = \"https://git.example/token\"\nclient_id = \"shared\"\n\
        base_allow = [\"*\", \"https://git.acme.example/gitlab\", \
        { url = \"https://own.acme.example\", client_id = \"own\", client_secret = { env = \"OWN\" } }]\n";
    Catalog::parse(text).expect("configuration").get("git").expect("integration").clone()
}

fn callbacks() -> AllowList {
    let text = "allow = [\"https://app.example.com/oauth/\", \"http://127.0.0.1:*/callback\"]";
    toml_edit::de::from_str::<Table>(text).expect("TOML").allow_list(|_| true).expect("list")
}

#[test]
fn h12_no_hostile_url_is_accepted_whatever_is_listed() {
    let (integration, callbacks) = (integration(), callbacks());
    let owner = Owner::personal(AccountName::default());
    let (mut bases, mut backs) = (0, 0);
    for line in CORPUS.lines().filter(|line| !line.starts_with('#')) {
        let [kind, url, reason] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("three fields: {line}") };
        let url: String = serde_json::from_str(url).expect(line);
        let refused = match kind {
            "base" => {
                bases += 1;
                BaseUrl::parse(&url, &integration).err().map(|why| why.to_string())
            }
            "callback" => {
                backs += 1;
                callbacks.admit(&owner, &url).err().map(|why| why.to_string())
            }
            _ => panic!("{line}"),
        };
        assert_eq!(Some(reason), refused.as_deref(), "{line}");
    }
    assert!(bases >= 100 && backs >= 100, "{bases} base URLs, {backs} callbacks");
    for url in ["https://git.acme.example/gitlab", "https://git.acme.example/gitlab/team", "https://own.acme.example/"]
    {
        assert!(BaseUrl::parse(url, &integration).is_ok(), "{url}");
    }
    for url in ["https://app.example.com/oauth/%C3%A4?x=%2F", "https://app.example.com/oauth/?q=%E2%82%AC"] {
        assert!(callbacks.admit(&owner, url).is_ok(), "{url}");
    }
}
