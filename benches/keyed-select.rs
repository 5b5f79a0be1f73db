//! What `POST /:group/token` cannot do without: the row of a key, and one verified token. Makes the rows too.
//!
//!     keyed-select CONFIG fill ROWS
//!     keyed-select CONFIG read ROWS TIMES TOKEN    prints the CPU of one, in microseconds

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::{sync::Arc, time::Duration};

    use loopin::{
        catalog::IntegrationName,
        command::serve::ledger::Ledger,
        oauth::{ClientId, Endpoint, Expiry, Scopes, TokenType},
        secret::{SealKey, Secret},
        serve::{config::Config, jwt::Verifier, jwt::WeakSecret, keys::KeyRing},
        system::{clock, database::Database},
        vault::{AccountName, ActionKey, Grant, GrantKey, Pinned},
    };

    struct Weak;
    impl From<WeakSecret> for Weak {
        fn from(_: WeakSecret) -> Self {
            Self
        }
    }

    let arguments: Vec<_> = std::env::args().filter(|a| a != "--bench").collect();
    let config = Config::parse(&std::fs::read_to_string(&arguments[1])?)?;
    let rows: usize = arguments[3].parse()?;
    let key = |n: usize| GrantKey {
        user: AccountName::parse(&format!("user-{n}")).expect("name"),
        org: "acme".into(),
        integration: IntegrationName::parse("wiki").expect("name"),
        action: ActionKey::All,
    };
    if arguments[2] == "fill" {
        let seal = SealKey::new([0x5a; 32]);
        let ring = KeyRing::new(config.keys.current.clone(), [(config.keys.current.clone(), seal)].into());
        let store = Arc::new(Database::open_or_make(&config.database)?);
        let ledger = Ledger { store, keys: Arc::new(ring.ok_or("no key")?) };
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
            obtained_at: now,
        };
        let pinned = Pinned {
            issuer: None,
            token_endpoint: Endpoint::parse("https://op.example/token").expect("endpoint"),
            revocation_endpoint: None,
            client_id: ClientId::parse("practice-client").expect("id"),
        };
        runtime.block_on(async {
            for first in (0..rows).step_by(512) {
                let tasks: Vec<_> = (first..rows.min(first + 512))
                    .map(|n| {
                        let (ledger, key, pinned, grant) = (ledger.clone(), key(n), pinned.clone(), grant.clone());
                        tokio::spawn(async move { ledger.connect(&key, None, pinned, &grant, now).await })
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
    let hs256 = std::fs::read_to_string(std::path::Path::new(&arguments[1]).with_file_name("hs256"))?;
    let verifier = Verifier::new(config.issuers.clone(), |_| Ok::<_, Weak>(Secret::new(hs256.clone())));
    let verifier = verifier.map_err(|_| "weak")?;
    let db = rusqlite::Connection::open(&config.database)?;
    let mut select = db
        .prepare("SELECT * FROM connection WHERE user_id = ?1 AND org_key = ?2 AND integration = ?3 AND action = ?4")?;
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
        verifier.verify(token, clock::now()).map_err(|_| "refused")?;
    }
    let each = (cpu()? - before) / times as f64 * 1e6;
    std::io::Write::write_all(&mut std::io::stdout(), format!("{each:.2}\n").as_bytes())?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {}
