//! client-go's exec credential plugins (client.authentication.k8s.io, `v1` and `v1beta1`).
//!
//! What kubectl wants stands in the variable [`EXEC_INFO`]; the answer is one JSON object, of the version that was
//! asked for. `spec.interactive` needs no look: nobody is ever asked and nothing is opened.

use std::{fmt, path::Path, time::SystemTime};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::{catalog::IntegrationName, secret::Secret};

/// The variable that every client sets.
pub const EXEC_INFO: &str = "KUBERNETES_EXEC_INFO";
/// Largest value that is read, in bytes; a cluster's certificates are part of it.
const LARGEST: usize = 1024 * 1024;

/// The version of the answer, which must be that of the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiVersion {
    V1,
    V1Beta1,
}

impl ApiVersion {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "client.authentication.k8s.io/v1",
            Self::V1Beta1 => "client.authentication.k8s.io/v1beta1",
        }
    }
}

/// Why the question is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecInfoError {
    Absent,
    NotAnExecCredential,
    TooLong,
    Version,
}

impl fmt::Display for ExecInfoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => write!(f, "{EXEC_INFO} is not set: this is for kubectl and its like to run"),
            Self::NotAnExecCredential => write!(f, "{EXEC_INFO} holds no ExecCredential"),
            Self::TooLong => write!(f, "{EXEC_INFO} is longer than {LARGEST} bytes"),
            Self::Version => write!(
                f,
                "{EXEC_INFO} asks for a version other than {} and {}",
                ApiVersion::V1.as_str(),
                ApiVersion::V1Beta1.as_str()
            ),
        }
    }
}

impl std::error::Error for ExecInfoError {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecInfo {
    kind: String,
    api_version: String,
}

impl ApiVersion {
    /// Reads the question.
    ///
    /// # Errors
    /// It is none, or of a version that is not spoken here.
    pub fn asked_for(exec_info: Option<&str>) -> Result<Self, ExecInfoError> {
        let text = exec_info.ok_or(ExecInfoError::Absent)?;
        if text.len() > LARGEST {
            return Err(ExecInfoError::TooLong);
        }
        let info: ExecInfo = serde_json::from_str(text).map_err(|_| ExecInfoError::NotAnExecCredential)?;
        if info.kind != "ExecCredential" {
            return Err(ExecInfoError::NotAnExecCredential);
        }
        [Self::V1, Self::V1Beta1]
            .into_iter()
            .find(|version| version.as_str() == info.api_version)
            .ok_or(ExecInfoError::Version)
    }
}

/// The answer. Without a time the client keeps the token until a server refuses it.
pub fn exec_credential(version: ApiVersion, token: &Secret, expires_at: Option<SystemTime>) -> Secret {
    let mut status = json!({ "token": token.expose() });
    let time =
        expires_at.and_then(|at| Timestamp::try_from(at).ok()).and_then(|t| Timestamp::from_second(t.as_second()).ok());
    if let Some(time) = time {
        status["expirationTimestamp"] = time.to_string().into();
    }
    let answer = json!({ "kind": "ExecCredential", "apiVersion": version.as_str(), "status": status });
    Secret::new(format!("{answer}\n"))
}

/// A kubeconfig with one user, to be merged by KUBECONFIG or by hand.
pub fn setup(program: &Path, integration: &IntegrationName, arguments: &[String]) -> String {
    let quoted = |text: &str| json!(text).to_string();
    let arguments: Vec<_> = arguments.iter().map(|argument| quoted(argument)).collect();
    format!(
        "apiVersion: v1\nkind: Config\nusers:\n- name: {}\n  user:\n    exec:\n      apiVersion: {}\n      command: {}\n      \
         args: [{}]\n      interactiveMode: Never\n      provideClusterInfo: false\n      installHint: {}\n",
        quoted(integration.as_str()),
        ApiVersion::V1.as_str(),
        quoted(&program.to_string_lossy()),
        arguments.join(", "),
        quoted("loopin is not where it was; install it and run loopin helper kubectl setup again"),
    )
}

#[cfg(test)]
mod tests;
