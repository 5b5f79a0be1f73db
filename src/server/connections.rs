//! `GET /connections` and `GET|DELETE /connections/:id`: connections without their secrets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    authorize::on_behalf,
    parsed_request::ParsedRequest,
    request::{Answer, Cookie, Service},
    token::words,
};
use crate::{
    oauth::GrantMetadata,
    reply::Reply,
    service::{
        jwt::Caller,
        problem::Problem,
        store::{Connection, ConnectionId, Page, Refreshable, State},
    },
    system::clock,
    timestamp::rfc3339,
    vault::Owner,
};

/// Connections per response.
const PAGE: u32 = 100;

impl Service {
    async fn whose(&self, request: &ParsedRequest) -> Result<(Owner, BTreeMap<&'static str, String>), Problem> {
        let (caller, _): (Caller, _) = self.caller(request, None, Cookie::Ignored).await?;
        let mut query = request.parameters(&["group", "action", "cursor", "userId", "orgKey"])?;
        let owner = on_behalf(caller, query.remove("userId"), query.remove("orgKey"))?;
        self.limits.request(&owner, clock::now())?;
        Ok((owner, query))
    }

    pub(super) async fn connections(&self, request: &ParsedRequest) -> Answer {
        let (owner, query) = self.whose(request).await?;
        let after = match query.get("cursor") {
            None => None,
            Some(cursor) => Some(ConnectionId::parse(cursor).ok_or(Problem::NotFound)?),
        };
        let page = Page {
            owner: &owner,
            integration: query.get("group").map(String::as_str),
            action: query.get("action").map(String::as_str),
            after,
            most: PAGE,
        };
        let rows = self.sealed.store.connections(page).await?;
        let full = rows.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
        let next = rows.last().filter(|_| full).map(|row| row.id.to_string());
        let body = json!({ "connections": rows.iter().map(|row| self.shown(row)).collect::<Vec<_>>(), "next": next });
        Ok(Reply::json(200, body.to_string().into_bytes()))
    }

    pub(super) async fn connection(&self, id: ConnectionId, request: &ParsedRequest) -> Answer {
        let (owner, _) = self.whose(request).await?;
        let row = self.sealed.store.connection_by_id(id, &owner).await?;
        let row = row.ok_or(Problem::NotFound)?;
        Ok(Reply::json(200, self.shown(&row).to_string().into_bytes()))
    }

    /// Deletes the row first: the result of the revocation does not change that.
    pub(super) async fn disconnect(&self, id: ConnectionId, request: &ParsedRequest) -> Answer {
        let (owner, _) = self.whose(request).await?;
        let row = self.sealed.store.delete_connection(id, &owner).await?;
        let row = row.ok_or(Problem::NotFound)?;
        let refresher = self.refresher.clone();
        let revoked = self.providers.ask(move || refresher.revoke(&row)).await;
        let body = json!({ "deleted": true, "revoked": revoked.as_str() });
        Ok(Reply::json(200, body.to_string().into_bytes()))
    }

    fn shown(&self, row: &Connection) -> Value {
        let (status, reason, since) = match row.state {
            State::Failing(_) | State::Good | State::Leased { .. } => ("ok", None, None),
            State::Reauth { reason, since } => ("reauth", Some(reason.as_str()), Some(rfc3339(since))),
        };
        // A cell that cannot be decrypted hides no other connection; `POST /:group/token` reports it.
        let kept = self.sealed.metadata(row).ok();
        json!({
            "id": row.id.to_string(),
            "group": row.key.integration.as_str(),
            "action": row.key.action.as_str(),
            "status": status,
            "reason": reason,
            "since": since,
            "refreshable": row.refreshable() == Refreshable::Yes,
            "scopes": words(&row.access.granted),
            "missing": words(&self.refresher.missing(row)),
            "metadata": kept.as_ref().map(GrantMetadata::values),
            "account": kept.unwrap_or_default().account_or(row.access.subject.as_deref()),
            "base_url": row.base_url,
            "expires_at": row.access.expiry.end().map(rfc3339),
            "failures": row.state.delay().map_or(0, |delay| delay.failures),
            "created_at": rfc3339(row.created_at),
            "last_used_at": rfc3339(row.last_used_at),
        })
    }
}
