//! Servers whose certificate cannot be trusted here, and what a user has to change. A proxy leads to them, because loopback
//! needs no certificate.

use std::{ffi::OsStr, fs};

use super::{NAME, Scene, hash};
use crate::harness::{Finished, Login, Proxy};

impl Scene {
    /// A login, and one refresh of a grant that was made before, with `SSL_CERT_FILE` as given.
    fn trusting(&self, proxy: &str, file: &OsStr) -> [Finished; 2] {
        let variables: [(&str, &OsStr); 2] = [("ALL_PROXY", proxy.as_ref()), ("SSL_CERT_FILE", file)];
        let current = self.sandbox.run(&["token", "work"]).stdout;
        let token = self.loopin(&["token", "work", "--rejected", &hash(current.trim_end())], &variables).output();
        let login = Login::whole(self.loopin(&["login", "work"], &variables));
        [login, Finished::new(token.expect("loopin runs"))]
    }
}

#[test]
fn d21_an_unknown_ca_is_refused_and_the_variable_of_the_store_is_named() {
    let scene = Scene::new(NAME);
    let proxy = Proxy::to(&scene.server);
    let url = proxy.url("http://");
    scene.use_up(&[("ALL_PROXY", url.as_ref())])[1].assert_code(0);
    scene.sandbox.certificate("other", "DNS:op.test");
    let other = scene.sandbox.path("other.pem");
    let before = proxy.asked().len();
    let [login, token] = scene.trusting(&url, other.as_os_str());
    assert_eq!(before + 2, proxy.asked().len(), "one connection each: nothing is repeated");
    login.assert_says("unset SSL_CERT_FILE");
    for finished in [login, token] {
        finished.assert_code(9).assert_says("the server's certificate is of a CA that is not in");
        finished.assert_says(&format!("SSL_CERT_FILE (\"{}\")", other.display()));
    }
    // The grant is as good as before.
    scene.use_up(&[("ALL_PROXY", url.as_ref())])[1].assert_code(0);
}

#[test]
fn d21_a_certificate_of_another_name_is_refused() {
    let scene = Scene::new("other.test");
    let proxy = Proxy::to(&scene.server);
    let login = Login::whole(scene.loopin(&["login", "work"], &[("ALL_PROXY", proxy.url("http://").as_ref())]));
    login.assert_code(9).assert_says("the server's certificate is not valid").assert_says("other.test");
}

#[test]
fn d21_a_missing_or_empty_file_of_ca_certificates_is_named_by_its_variable() {
    let scene = Scene::new(NAME);
    let proxy = Proxy::to(&scene.server);
    let url = proxy.url("http://");
    scene.use_up(&[("ALL_PROXY", url.as_ref())])[1].assert_code(0);
    let (empty, missing) = (scene.sandbox.path("empty.pem"), scene.sandbox.path("missing.pem"));
    fs::write(&empty, "").expect("file");
    for file in [empty.as_os_str(), missing.as_os_str(), OsStr::new("")] {
        let [login, token] = scene.trusting(&url, file);
        login.assert_says("unset SSL_CERT_FILE");
        for finished in [login, token] {
            let named = format!("SSL_CERT_FILE (\"{}\") has no CA certificate", file.display());
            finished.assert_code(3).assert_says(&named);
        }
    }
    scene.use_up(&[("ALL_PROXY", url.as_ref())])[1].assert_code(0);
}

#[test]
fn d21_a_proxy_that_wants_a_password_shows_where_to_write_it_and_is_unavailable() {
    let scene = Scene::new(NAME);
    let proxy = Proxy::refusing();
    let url = proxy.url("http://");
    let login = Login::whole(scene.loopin(&["login", "work"], &[("HTTPS_PROXY", url.as_ref())]));
    login.assert_code(7).assert_says("the proxy that HTTPS_PROXY names failed: it answered with status 407");
    login.assert_says("http://USER:PASSWORD@HOST:PORT");
}
