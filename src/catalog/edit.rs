//! Changes to the configuration file that leave every other byte, comments included, as the user wrote it.

use std::path::PathBuf;

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use super::{
    Catalog, CatalogError, Integration, IntegrationName, Preset, SharedRedirect, StoreKind, UnknownName, own_redirect,
};
use crate::{
    oauth::ScopeSeparator,
    redirect::{BindError, Landing, Port},
};

/// What `integration add` and `integration set` were told. It is checked by reading the finished text again, so there is one
/// set of rules.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// A preset.
    pub provider: Option<String>,
    pub base_url: Option<String>,
    pub tenant: Option<String>,
    pub issuer: Option<String>,
    pub authorization_endpoint: Option<String>,
    pub token_endpoint: Option<String>,
    pub revocation_endpoint: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<NewSecret>,
    pub token_endpoint_auth_method: Option<String>,
    pub redirect_uris: Vec<String>,
    pub relay: Option<String>,
    pub shared_redirect: SharedRedirect,
    /// One each, or several in one text.
    pub scopes: Vec<String>,
    pub store: Option<StoreKind>,
    pub store_key: Option<PathBuf>,
}

/// The secret goes into the store; the file only says that it is there.
#[derive(Clone, Copy, Debug)]
pub enum NewSecret {
    InStore,
}

/// What `add` does with an integration that has the name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    Kept,
    Replaced,
}

/// What `add` leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addition {
    /// The new text of the file.
    Changed(String),
    /// The integration is there, with these very fields.
    Same,
    /// The name belongs to an integration with other fields.
    Taken,
}

/// # Errors
/// The file would not be readable with it.
pub fn add(text: &str, name: &IntegrationName, fields: &Fields, existing: Existing) -> Result<Addition, CatalogError> {
    let mut document = parse(text)?;
    let integrations = document.entry("integration").or_insert_with(|| {
        let mut parent = Table::new();
        parent.set_implicit(true);
        Item::Table(parent)
    });
    let Some(integrations) = integrations.as_table_mut() else {
        let what = "integration is not a table".to_owned();
        return Err(refused(what, "write each integration as [integration.NAME]"));
    };
    let taken = integrations.contains_key(name.as_str());
    match integrations.get_mut(name.as_str()).and_then(Item::as_table_like_mut) {
        // Its place and the comment above it stay.
        Some(table) => {
            let keys: Vec<_> = table.iter().map(|(key, _)| key.to_owned()).collect();
            keys.iter().for_each(|key| drop(table.remove(key)));
        }
        None => drop(integrations.insert(name.as_str(), Item::Table(Table::new()))),
    }
    let mut fields = fields.clone();
    if fields.redirect_uris.is_empty() {
        fields.redirect_uris = vec![redirect_of_its_own(name, &fields)];
    }
    let changed = finished(text, document, name, &fields)?;
    Ok(match (taken, existing) {
        (true, Existing::Kept) if entry(&changed, name) == entry(text, name) => Addition::Same,
        (true, Existing::Kept) => Addition::Taken,
        _ => Addition::Changed(changed),
    })
}

/// Sets what is stated and removes what is named, and leaves the other fields as they are.
///
/// # Errors
/// There is no such integration or field, or the file would not be readable.
pub fn set(text: &str, name: &str, fields: &Fields, unset: &[String]) -> Result<String, CatalogError> {
    let mut document = parse(text)?;
    let Some(table) = table_of(&mut document, name) else { return Err(unknown(&document, name)) };
    for field in unset {
        remove_field(table, name, field)?;
    }
    let name = IntegrationName::parse(name).map_err(|why| refused(why.to_string(), "rename it"))?;
    finished(text, document, &name, fields)
}

impl Fields {
    fn write(&self, table: &mut dyn TableLike, scopes: &[String]) {
        let texts = [
            ("provider", &self.provider),
            ("base_url", &self.base_url),
            ("tenant", &self.tenant),
            ("issuer", &self.issuer),
            ("authorization_endpoint", &self.authorization_endpoint),
            ("token_endpoint", &self.token_endpoint),
            ("revocation_endpoint", &self.revocation_endpoint),
            ("client_id", &self.client_id),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                put(table, key, text.into());
            }
        }
        if let Some(NewSecret::InStore) = self.client_secret {
            put(table, "client_secret", inline("keychain", true.into()));
        }
        if let Some(method) = &self.token_endpoint_auth_method {
            put(table, "token_endpoint_auth_method", method.into());
        }
        if let Some(relay) = &self.relay {
            put(table, "relay", relay.into());
        }
        match self.redirect_uris.as_slice() {
            [] => {}
            [one] => put(table, "redirect_uri", one.into()),
            list => put(table, "redirect_uri", Value::Array(list.iter().collect())),
        }
        if self.shared_redirect == SharedRedirect::Accepted {
            put(table, "shared_redirect", true.into());
        }
        if !scopes.is_empty() {
            put(table, "scopes", Value::Array(scopes.iter().collect::<Array>()));
        }
        if let Some(store) = self.store {
            put(table, "store", store.as_str().into());
        }
        if let Some(path) = &self.store_key {
            put(table, "store_key", inline("file", path.to_string_lossy().into_owned().into()));
        }
    }

    /// Split where the provider separates scopes.
    fn scopes_at(&self, separator: ScopeSeparator) -> Result<Vec<String>, CatalogError> {
        let words: Vec<&str> = self.scopes.iter().flat_map(|text| text.split_whitespace()).collect();
        if separator == ScopeSeparator::Other(',') {
            let parts = words.iter().flat_map(|word| word.split(','));
            return Ok(parts.filter(|part| !part.is_empty()).map(str::to_owned).collect());
        }
        match words.iter().find(|word| word.contains(',')) {
            None => Ok(words.into_iter().map(str::to_owned).collect()),
            Some(list) => {
                let each: Vec<_> = list.split(',').map(|part| format!("--scope {part}")).collect();
                Err(refused(
                    format!("\"{}\" is one scope with a comma in it", list.escape_debug()),
                    format!(
                        "name each scope by itself: {}; if the comma is a part of the scope, write it into scopes in the \
                         configuration file",
                        each.join(" ")
                    ),
                ))
            }
        }
    }

    /// Whether a response may arrive elsewhere than before, or be sent by another server.
    fn concern_the_response(&self) -> bool {
        let texts = [&self.provider, &self.base_url, &self.tenant, &self.issuer, &self.authorization_endpoint];
        let servers = texts.into_iter().chain([&self.token_endpoint, &self.relay]).any(Option::is_some);
        servers || !self.redirect_uris.is_empty()
    }
}

/// Writes the fields, and judges the whole by reading it again.
fn finished(
    text: &str,
    mut document: DocumentMut,
    name: &IntegrationName,
    fields: &Fields,
) -> Result<String, CatalogError> {
    let mut write = |scopes: &[String]| {
        if let Some(table) = table_of(&mut document, name.as_str()) {
            fields.write(table, scopes);
        }
        with_line_ends_of(text, &document.to_string())
    };
    // The user has not seen this text, so a place in it would mean nothing.
    let read = |text: &str| Catalog::parse(text).map_err(|error| CatalogError { place: None, ..error });
    let of = |catalog: &Catalog| catalog.get(name.as_str()).cloned().map_err(|unknown| no_such(&unknown));
    // How this provider separates scopes is known when everything else has been read.
    let separator = of(&read(&write(&[]))?)?.dialect.wire.scope_separator;
    let changed = write(&fields.scopes_at(separator)?);
    let catalog = read(&changed)?;
    if fields.concern_the_response() {
        let integration = of(&catalog)?;
        apart(&catalog, &integration, fields)?;
        can_be_listened_at(&integration)?;
    }
    Ok(changed)
}

/// A login would refuse it in the same words.
fn can_be_listened_at(integration: &Integration) -> Result<(), CatalogError> {
    let without_port = |redirect: &&crate::redirect::RegisteredRedirect| {
        matches!(redirect.landing(), Landing::Loopback { port: Port::Unstated, .. })
    };
    match integration.redirects.iter().find(without_port) {
        None => Ok(()),
        Some(redirect) => Err(refused(
            format!("redirect_uri: {}", BindError::PortUnstated),
            format!("--redirect-uri http://{}:0{}", redirect.host(), redirect.path()),
        )),
    }
}

fn put(table: &mut dyn TableLike, key: &str, mut new: Value) {
    match table.get_mut(key) {
        Some(item) => {
            // With the comment behind it.
            if let Some(old) = item.as_value() {
                *new.decor_mut() = old.decor().clone();
            }
            *item = Item::Value(new);
        }
        None => drop(table.insert(key, value(new))),
    }
}

/// `NAME`, or `TABLE.NAME` for a field of a table such as `actions.read`.
fn remove_field(table: &mut dyn TableLike, integration: &str, field: &str) -> Result<(), CatalogError> {
    let removed = match field.split_once('.') {
        None => table.remove(field),
        Some((outer, inner)) => {
            table.get_mut(outer).and_then(Item::as_table_like_mut).and_then(|table| table.remove(inner))
        }
    };
    if removed.is_some() {
        return Ok(());
    }
    let known: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
    let unknown = UnknownName::among(field, known.iter().map(String::as_str));
    let remedy = match unknown.nearest {
        Some(nearest) => format!("did you mean {nearest}?"),
        None => format!("it has {}", known.join(", ")),
    };
    Err(refused(format!("integration \"{integration}\" has no {}", unknown.name), remedy))
}

fn refused(what: String, remedy: impl Into<String>) -> CatalogError {
    CatalogError { place: None, what, remedy: Some(remedy.into()) }
}

fn table_of<'d>(document: &'d mut DocumentMut, name: &str) -> Option<&'d mut dyn TableLike> {
    document.get_mut("integration")?.as_table_like_mut()?.get_mut(name)?.as_table_like_mut()
}

/// The fields of an integration, however they are written.
fn entry(text: &str, name: &IntegrationName) -> Option<serde_json::Value> {
    let whole: serde_json::Value = toml_edit::de::from_str(text).ok()?;
    whole.get("integration")?.get(name.as_str()).cloned()
}

/// The lines of the text end as most lines of the original do: the parser keeps no CR LF.
fn with_line_ends_of(original: &str, text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let (lines, with_cr) = (original.matches('\n').count(), original.matches("\r\n").count());
    if with_cr * 2 > lines { text.replace('\n', "\r\n") } else { text }
}

/// As the provider accepts it. A name of a preset that does not exist is refused when the finished text is read.
fn redirect_of_its_own(name: &IntegrationName, fields: &Fields) -> String {
    match fields.provider.as_deref().and_then(|provider| Preset::find(provider).ok()) {
        Some(preset) => preset.redirect_uri(Some(name)),
        None => own_redirect(name),
    }
}

/// A redirect that another server's answers arrive at too is taken only by a user who says so.
fn apart(catalog: &Catalog, integration: &Integration, fields: &Fields) -> Result<(), CatalogError> {
    match (catalog.sharing(integration).first(), integration.shared_redirect) {
        (Some(other), SharedRedirect::Refused) => Err(refused(
            format!("{other} uses the same redirect URI at another server, so one could get the other's code"),
            format!(
                "register and use one of its own: --redirect-uri {}; where the provider fixes the path, add \
                 --shared-redirect",
                redirect_of_its_own(&integration.name, fields)
            ),
        )),
        _ => Ok(()),
    }
}

/// # Errors
/// There is no such integration, or the file cannot be read.
pub fn remove(text: &str, name: &str) -> Result<String, CatalogError> {
    let mut document = parse(text)?;
    let integrations = document.get_mut("integration").and_then(Item::as_table_like_mut);
    if integrations.is_some_and(|table| table.remove(name).is_some()) {
        return Ok(with_line_ends_of(text, &document.to_string()));
    }
    Err(unknown(&document, name))
}

fn unknown(document: &DocumentMut, name: &str) -> CatalogError {
    let integrations = document.get("integration").and_then(Item::as_table_like);
    let known: Vec<String> =
        integrations.map(|table| table.iter().map(|(name, _)| name.to_owned()).collect()).unwrap_or_default();
    no_such(&UnknownName::among(name, known.iter().map(String::as_str)))
}

fn no_such(UnknownName { name, nearest }: &UnknownName) -> CatalogError {
    let remedy = nearest.as_ref().map(|nearest| format!("did you mean {nearest}?"));
    CatalogError { place: None, what: format!("there is no integration {name}"), remedy }
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

fn inline(key: &str, content: Value) -> Value {
    let mut table = InlineTable::new();
    table.insert(key, content);
    Value::InlineTable(table)
}

#[cfg(test)]
mod tests;
