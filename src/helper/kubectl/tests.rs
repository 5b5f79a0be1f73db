//! Golden texts of the real kubectl (1.32), and questions that are none. P05.

use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;

use super::*;

#[test]
fn p05_the_answer_has_the_version_of_the_question() {
    for (question, answer) in [
        (
            include_str!("../../../tests/data/helper/kubectl-v1.in"),
            include_str!("../../../tests/data/helper/kubectl-v1.out"),
        ),
        (
            include_str!("../../../tests/data/helper/kubectl-v1beta1.in"),
            include_str!("../../../tests/data/helper/kubectl-v1beta1.out"),
        ),
    ] {
        let version = ApiVersion::asked_for(Some(question)).expect("a question");
        let expires_at = UNIX_EPOCH + Duration::from_millis(2_000_000_000_999);
        let said = exec_credential(version, &Secret::new("the-token".into()), Some(expires_at));
        assert_eq!(answer, said.expose());
    }
}

#[test]
fn p05_a_question_of_another_kind_or_version_is_told_from_none() {
    let question = |kind: &str, version: &str| format!(r#"{{"kind":"{kind}","apiVersion":"{version}","spec":{{}}}}"#);
    let v1 = "client.authentication.k8s.io/v1";
    assert_eq!(Err(ExecInfoError::Absent), ApiVersion::asked_for(None));
    assert_eq!(Ok(ApiVersion::V1), ApiVersion::asked_for(Some(&question("ExecCredential", v1))));
    for other in ["client.authentication.k8s.io/v1alpha1", "client.authentication.k8s.io/v2", "v1", ""] {
        assert_eq!(
            Err(ExecInfoError::Version),
            ApiVersion::asked_for(Some(&question("ExecCredential", other))),
            "{other}"
        );
    }
    for bad in ["", "{}", "[]", "null", "{", &question("Pod", v1), &"[".repeat(100_000)] {
        assert_eq!(Err(ExecInfoError::NotAnExecCredential), ApiVersion::asked_for(Some(bad)), "{bad:.40}");
    }
    assert_eq!(Err(ExecInfoError::TooLong), ApiVersion::asked_for(Some(&" ".repeat(LARGEST + 1))));
}

#[test]
fn p05_without_a_time_that_makes_sense_none_is_told() {
    let said = exec_credential(ApiVersion::V1, &Secret::new("t".into()), None);
    assert!(!said.expose().contains("expirationTimestamp"), "{}", said.expose());
}

proptest! {
    // 10,000 by hand: PROPTEST_CASES=10000 cargo test --lib helper
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p05_whatever_the_token_the_answer_is_one_json_object_on_one_line(question in "\\PC{0,60}", token in "[ -~]{0,40}|\\PC{0,20}") {
        let _ = ApiVersion::asked_for(Some(&question));
        let said = exec_credential(ApiVersion::V1, &Secret::new(token.clone()), Some(UNIX_EPOCH));
        let line = said.expose().strip_suffix('\n').expect("a line");
        prop_assert!(!line.contains('\n'));
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        prop_assert_eq!(Some(token.as_str()), value["status"]["token"].as_str());
    }
}
