//! Changes to the configuration file that leave every other byte, comments included, as the person wrote it.

use std::path::PathBuf;

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};

use super::{Catalog, CatalogError, IntegrationName, Preset, SharedRedirect, StoreKind, UnknownName, own_redirect};

/// What `integration add` was told. It is checked by reading the finished text again, so there is one set of rules.
#[derive(Clone, Debug, Default)]
pub struct NewIntegration {
    /// A preset.
    pub provider: Option<String>,
    pub base_url: Option<String>,
    pub tenant: Option<String>,
    pub issuer: Option<String>,
    pub authorization_endpoint: Option<String>,
    pub token_endpoint: Option<String>,
    pub revocation_endpoint: Option<String>,
    pub client_id: String,
    pub client_secret: Option<NewSecret>,
    pub token_endpoint_auth_method: Option<String>,
    /// Empty: one of its own, as the provider accepts it.
    pub redirect_uris: Vec<String>,
    pub relay: Option<String>,
    pub shared_redirect: SharedRedirect,
    pub scopes: Vec<String>,
    pub store: StoreKind,
    pub store_key: Option<PathBuf>,
}

/// The secret goes into the store; the file only says that it is there.
#[derive(Clone, Copy, Debug)]
pub enum NewSecret {
    InStore,
}

/// # Errors
/// The name is taken, or the file would not be readable with it.
pub fn add(text: &str, name: &IntegrationName, new: &NewIntegration) -> Result<String, CatalogError> {
    let mut document = parse(text)?;
    let integrations = document.entry("integration").or_insert_with(|| {
        let mut parent = Table::new();
        parent.set_implicit(true);
        Item::Table(parent)
    });
    let refused = |what: String, remedy: String| CatalogError { place: None, what, remedy: Some(remedy) };
    let Some(integrations) = integrations.as_table_mut() else {
        return Err(refused(
            "integration is not a table".into(),
            "write each integration as [integration.NAME]".into(),
        ));
    };
    if integrations.contains_key(name.as_str()) {
        return Err(refused(
            format!("there is an integration {name} already"),
            format!("loopin integration remove {name}"),
        ));
    }
    let mut table = Table::new();
    let texts = [
        ("provider", &new.provider),
        ("base_url", &new.base_url),
        ("tenant", &new.tenant),
        ("issuer", &new.issuer),
        ("authorization_endpoint", &new.authorization_endpoint),
        ("token_endpoint", &new.token_endpoint),
        ("revocation_endpoint", &new.revocation_endpoint),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            table[key] = value(text);
        }
    }
    table["client_id"] = value(&new.client_id);
    if let Some(NewSecret::InStore) = new.client_secret {
        table["client_secret"] = inline("keychain", true.into());
    }
    if let Some(method) = &new.token_endpoint_auth_method {
        table["token_endpoint_auth_method"] = value(method);
    }
    if let Some(relay) = &new.relay {
        table["relay"] = value(relay);
    }
    match new.redirect_uris.as_slice() {
        [] => table["redirect_uri"] = value(redirect_of_its_own(name, new)),
        [one] => table["redirect_uri"] = value(one),
        list => table["redirect_uri"] = value(list.iter().collect::<Array>()),
    }
    if new.shared_redirect == SharedRedirect::Accepted {
        table["shared_redirect"] = value(true);
    }
    if !new.scopes.is_empty() {
        table["scopes"] = value(new.scopes.iter().collect::<Array>());
    }
    if new.store == StoreKind::File {
        table["store"] = value(new.store.as_str());
    }
    if let Some(path) = &new.store_key {
        table["store_key"] = inline("file", path.to_string_lossy().into_owned().into());
    }
    integrations.insert(name.as_str(), Item::Table(table));
    let text = document.to_string();
    // The person has not seen this text, so a place in it would mean nothing.
    let catalog = Catalog::parse(&text).map_err(|error| CatalogError { place: None, ..error })?;
    apart(&catalog, name, new)?;
    Ok(text)
}

/// As the provider accepts it. A name of a preset that does not exist is refused when the finished text is read.
fn redirect_of_its_own(name: &IntegrationName, new: &NewIntegration) -> String {
    match new.provider.as_deref().and_then(|provider| Preset::find(provider).ok()) {
        Some(preset) => preset.redirect_uri(Some(name)),
        None => own_redirect(name),
    }
}

/// A redirect that another server's answers arrive at too is taken only by a user who says so.
fn apart(catalog: &Catalog, name: &IntegrationName, new: &NewIntegration) -> Result<(), CatalogError> {
    let sharing = catalog.get(name.as_str()).map(|added| catalog.sharing(added)).unwrap_or_default();
    match (sharing.first(), new.shared_redirect) {
        (Some(other), SharedRedirect::Refused) => Err(CatalogError {
            place: None,
            what: format!("{other} uses the same redirect URI at another server, so one could get the other's code"),
            remedy: Some(format!(
                "register and use one of its own: --redirect-uri {}; where the provider fixes the path, add \
                 --shared-redirect",
                redirect_of_its_own(name, new)
            )),
        }),
        _ => Ok(()),
    }
}

/// # Errors
/// There is no such integration, or the file cannot be read.
pub fn remove(text: &str, name: &str) -> Result<String, CatalogError> {
    let mut document = parse(text)?;
    let integrations = document.get_mut("integration").and_then(Item::as_table_like_mut);
    let known: Vec<String> =
        integrations.as_ref().map(|t| t.iter().map(|(name, _)| name.to_owned()).collect()).unwrap_or_default();
    if integrations.is_some_and(|table| table.remove(name).is_some()) {
        return Ok(document.to_string());
    }
    let unknown = UnknownName::among(name, known.iter().map(String::as_str));
    let remedy = unknown.nearest.map(|nearest| format!("did you mean {nearest}?"));
    Err(CatalogError { place: None, what: format!("there is no integration {}", unknown.name), remedy })
}

fn parse(text: &str) -> Result<DocumentMut, CatalogError> {
    // Read as a catalog first, so that a broken file is told with its place and is never touched.
    Catalog::parse(text)?;
    text.parse().map_err(|error: toml_edit::TomlError| CatalogError {
        place: None,
        what: error.message().to_owned(),
        remedy: None,
    })
}

fn inline(key: &str, content: Value) -> Item {
    let mut table = InlineTable::new();
    table.insert(key, content);
    value(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> NewIntegration {
        NewIntegration {
            issuer: Some("https://op.example".into()),
            client_id: "me".into(),
            ..NewIntegration::default()
        }
    }

    fn name(text: &str) -> IntegrationName {
        IntegrationName::parse(text).expect("name")
    }

    #[test]
    fn adding_and_removing_leaves_the_persons_comments_alone() {
        let before = "# mine\n[integration.a]   # a\nissuer = \"https://a.example\" # here\nclient_id = \"x\"\n";
        let added = add(before, &name("work"), &new()).expect("added");
        assert!(added.starts_with(before), "{added}");
        assert_eq!(before, remove(&added, "work").expect("removed"));
    }

    #[test]
    fn a_taken_name_is_refused_with_the_command_that_frees_it() {
        let text = add("", &name("work"), &new()).expect("added");
        assert_eq!(
            Some("loopin integration remove work".to_owned()),
            add(&text, &name("work"), &new()).expect_err("taken").remedy
        );
    }

    #[test]
    fn removing_a_misspelt_name_offers_the_nearest() {
        let text = add("", &name("work"), &new()).expect("added");
        assert_eq!(Some("did you mean work?".to_owned()), remove(&text, "wrok").expect_err("unknown").remedy);
    }

    #[test]
    fn what_is_added_is_judged_by_the_rules_of_the_file() {
        let bad = NewIntegration { redirect_uris: vec!["http://localhost:0/callback".into()], ..new() };
        assert!(add("", &name("work"), &bad).expect_err("refused").what.contains("native"), "rule by number");
    }
}
