//! What `POST /:group/token` cannot do without: the row of a key, and one verified token. Makes the rows too.
//!
//!     keyed-select CONFIG fill ROWS
//!     keyed-select CONFIG read ROWS TIMES TOKEN KEY    prints the CPU of one, in microseconds
//!
//! KEY is a file: the shared secret of an HS256 token, the DER of an RSA public key for RS256, or the point of an ES256
//! one.

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::{sync::Arc, time::Duration};

    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use ring::{
        hmac,
        signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
    };

    use loopin::{
        catalog::IntegrationName,
        oauth::{ClientId, Endpoint, Expiry, Scopes, TokenType},
        secret::{SealKey, Secret},
        server::sealed_store::SealedStore,
        service::{config::Config, keys::KeyRing},
        system::{clock, database::Database},
        vault::{AccountName, ActionKey, Grant, GrantKey, Namespace, OrgKey, Owner, Pinned},
    };

    let arguments: Vec<_> = std::env::args().filter(|a| a != "--bench").collect();
    let config = Config::parse(&std::fs::read_to_string(&arguments[1])?)?;
    let rows: usize = arguments[3].parse()?;
    let key = |n: usize| GrantKey {
        owner: Owner {
            namespace: Namespace::default(),
            user: AccountName::parse(&format!("user-{n}")).expect("user"),
            org: OrgKey::parse("acme").expect("org"),
        },
        integration: IntegrationName::parse("wiki").expect("name"),
        action: ActionKey::All,
    };
    if arguments[2] == "fill" {
        let seal = SealKey::new([0x5a; 32]);
        let ring = KeyRing::new(config.keys.current.clone(), [(config.keys.current.clone(), seal)].into());
        let store = Arc::new(Database::open_or_make(&config.database)?);
        let sealed = SealedStore { store, keys: Arc::new(ring.ok_or("no key")?) };
        let runtime = tokio::runtime::Runtime::new()?;
        let now = clock::now();
        let grant = Grant {
            asked: Scopes::parse("base read write").expect("scopes"),
            granted: Scopes::parse("base read write").expect("scopes"),
            access_token: Secret::new("a".repeat(1000)),
            token_type: TokenType::Bearer,
            expiry: Expiry::At(now + Duration::from_secs(24 * 3600)),
            refresh_token: Some(Secret::new("r".repeat(200))),
            refreshable_until: None,
            id_token: None,
            subject: Some("248289761001".into()),
            metadata: loopin::oauth::GrantMetadata::default(),
            obtained_at: now,
        };
        let pinned = Pinned {
            issuer: None,
            token_endpoint: Endpoint::parse("https://op.example/token").expect("endpoint"),
            revocation_endpoint: None,
            client_id: ClientId::parse("practice-client").expect("id"),
            authentication_method: loopin::oauth::AuthenticationMethod::Basic,
        };
        runtime.block_on(async {
            for first in (0..rows).step_by(512) {
                let tasks: Vec<_> = (first..rows.min(first + 512))
                    .map(|n| {
                        let (sealed, key, pinned, grant) = (sealed.clone(), key(n), pinned.clone(), grant.clone());
                        tokio::spawn(async move { sealed.connect(&key, None, pinned, &grant, now).await })
                    })
                    .collect();
                for task in tasks {
                    task.await.expect("task").expect("stored");
                }
            }
        });
        return Ok(());
    }
    let (times, token) = (arguments[4].parse::<usize>()?, arguments[5].as_str());
    let key = std::fs::read(&arguments[6])?;
    let verify = || -> Option<()> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let header: serde_json::Value = serde_json::from_slice(&bytes(header)?).ok()?;
        let (message, signature) = (signed.as_bytes(), bytes(signature)?);
        let public = |algorithm| UnparsedPublicKey::new(algorithm, &key).verify(message, &signature).ok();
        match header["alg"].as_str()? {
            "HS256" => hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), message, &signature).ok()?,
            "RS256" => public(&RSA_PKCS1_2048_8192_SHA256)?,
            "ES256" => public(&ECDSA_P256_SHA256_FIXED)?,
            _ => return None,
        }
        let claims: serde_json::Value = serde_json::from_slice(&bytes(claims)?).ok()?;
        let now = clock::now().duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
        (claims["aud"] == "loopin" && claims["exp"].as_u64()? > now).then_some(())
    };
    let db = rusqlite::Connection::open(&config.database)?;
    let mut select = db
        .prepare("SELECT * FROM connection WHERE namespace = '' AND user_id = ?1 AND org_key = ?2 AND integration = ?3 AND action = ?4")?;
    let cpu = || -> Result<f64, Box<dyn std::error::Error>> {
        let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF)?;
        let seconds = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6;
        Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
    };
    let before = cpu()?;
    for n in 0..times {
        let user = format!("user-{}", n.wrapping_mul(7919) % rows);
        let size: usize = select.query_row([user.as_str(), "acme", "wiki", "all"], |row| {
            Ok(row.get_ref("access")?.as_blob()?.len() + row.get_ref("granted")?.as_str()?.len())
        })?;
        assert!(size > 1000);
        verify().ok_or("refused")?;
    }
    let each = (cpu()? - before) / times as f64 * 1e6;
    std::io::Write::write_all(&mut std::io::stdout(), format!("{each:.2}\n").as_bytes())?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {}
