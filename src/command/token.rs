//! `loopin token`: a valid access token or id_token, on standard output or in a file, and nothing else.

use std::path::Path;

use super::context::{Context, grant};
use crate::{
    cli::{self, Format},
    refresh::{MinTtl, Rejected, Wish},
    report::{Code, Event, Failure, Form, HandedOut, Outcome, TokenForm},
    system::{clock, environment, private_files, terminal},
};

pub fn run(context: &Context, args: &cli::Token) -> Result<Outcome, Failure> {
    let grants = context.grants()?;
    let integration = grants.integration(args.integration.as_deref())?;
    let grant = grant(&integration.name, &args.grant)?;
    let wish = Wish {
        min_ttl: args.min_ttl.map_or(MinTtl::Margin, MinTtl::AtLeast),
        rejected: args.rejected.as_deref().and_then(Rejected::parse),
    };
    let token = match args.id_token {
        false => {
            let stored = Box::new(grants.access_token(&grant, &wish)?.grant);
            HandedOut::AccessToken { missing: grants.missing(&grant, &stored)?, grant: stored }
        }
        true => {
            let found = grants.id_token(&grant, &wish)?;
            HandedOut::IdToken { token: found.token, expires_at: found.validity.until }
        }
    };
    let form = match args.format {
        Format::Curl => TokenForm::Curl,
        Format::Env => TokenForm::Env,
        Format::Header => TokenForm::Header,
        Format::Json => TokenForm::Json,
        Format::Raw => TokenForm::Raw,
    };
    // In JSON the type stands beside the token.
    if args.write.is_some() || context.form == Form::Text {
        token.fits(form).map_err(|why| {
            let name = &integration.name;
            Failure::new(Code::Refused, why).remedy(format!("print the token alone: loopin token {name} --format raw"))
        })?;
    }
    if let Some(file) = &args.write {
        return write(&token, form, file);
    }
    if context.form == Form::Text && terminal::stdout_is_terminal() {
        context.talk.say(&Event::Pipe);
    }
    if environment::github_actions() {
        context.talk.say(&Event::CiLog);
    }
    Ok(Outcome::Token { token, form })
}

fn write(token: &HandedOut, form: TokenForm, file: &Path) -> Result<Outcome, Failure> {
    let content = match form {
        TokenForm::Raw => token.bare().clone(),
        form => token.line(form, clock::now()),
    };
    private_files::write_private(file, &content).map_err(|why| Failure { code: Code::Usage, ..Failure::from(why) })?;
    Ok(Outcome::Written { file: file.to_owned(), expires_at: token.expires_at() })
}
