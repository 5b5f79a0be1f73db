//! The clients of the helpers themselves: git, kubectl, docker and cargo, each with the configuration that `setup` or the
//! README gives it, against a server that lets nobody in without the token of a real login.

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::harness::{Browser, Finished, Gate, IN_FILES, Provider, Sandbox, installed};

/// Signed in at the provider, with a refresh token; the gate takes the token.
struct Scene {
    provider: Provider,
    gate: Gate,
    sandbox: Sandbox,
}

impl Scene {
    fn new(client: &str) -> Option<Self> {
        installed(&[client], &[])?;
        let provider = Provider::start()?;
        let sandbox = Sandbox::new();
        let gate = Gate::start(&sandbox.path("gate"))?;
        let hosts = format!("hosts = [\"http://{}\", \"{}\"]\n", gate.http, gate.https);
        sandbox.configure(&format!("{}{IN_FILES}{hosts}", provider.discovered_with("openid")));
        let login = sandbox.login(Browser::person(), &["--scope", "offline_access", "--prompt", "consent"]);
        login.assert_code(0);
        let scene = Self { provider, gate, sandbox };
        scene.gate.takes(&scene.token());
        Some(scene)
    }

    fn token(&self) -> String {
        self.sandbox.run(&["token", "work"]).token().to_owned()
    }

    /// A client in the surroundings that a person's shell would give it.
    fn client(&self, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
        let usual = self.sandbox.loopin(&[]);
        let mut command = Command::new(program);
        command.args(arguments).env_clear();
        command.envs(usual.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let program = Path::new(env!("CARGO_BIN_EXE_loopin")).parent().expect("a directory");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = [self.sandbox.path("bin"), program.to_owned()].into_iter().chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(path).expect("PATH"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn git(&self, arguments: &[&str]) -> Finished {
        let mut command = self.client("git", arguments);
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0").current_dir(self.sandbox.path(""));
        Finished::new(command.output().expect("git runs"))
    }

    /// A repository behind the gate, which offers these schemes, and git's configuration as `setup` prints it.
    fn repository(&self, schemes: &str) -> String {
        self.gate.offers(schemes);
        let bare = self.sandbox.path("gate/git/a.git");
        self.git(&["init", "--quiet", "--bare", bare.to_str().expect("path")]).assert_code(0);
        self.git(&["-C", bare.to_str().expect("path"), "config", "http.receivepack", "true"]).assert_code(0);
        let setup = self.sandbox.run(&["helper", "git", "setup"]);
        let person = "[user]\n\tname = Person\n\temail = person@example.com\n";
        self.write("home/.gitconfig", &format!("{}{person}", setup.assert_code(0).stdout));
        format!("http://{}/git/a.git", self.gate.http)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.sandbox.path(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("directory");
        std::fs::write(&path, text).expect("written");
        path
    }
}

/// Whether this git knows `authtype` (2.46).
fn knows_authtype(scene: &Scene) -> bool {
    let run = scene.git(&["credential", "capability"]);
    run.code == Some(0) && run.stdout.contains("capability authtype")
}

#[test]
fn p03_git_clones_pushes_and_fetches_with_bearer_and_with_basic() {
    let Some(scene) = Scene::new("git") else { return };
    let mut schemes = vec![("Basic", "Basic oauth2")];
    if knows_authtype(&scene) {
        schemes.extend([("Bearer", "Bearer"), ("Basic Bearer", "Bearer")]);
    }
    for (number, (offered, used)) in schemes.into_iter().enumerate() {
        let (url, clone) = (scene.repository(offered), format!("clone-{number}"));
        scene.gate.forget();
        scene.git(&["clone", "--quiet", &url, &clone]).assert_code(0);
        scene.git(&["-C", &clone, "commit", "--quiet", "--allow-empty", "--message", "a change"]).assert_code(0);
        scene.git(&["-C", &clone, "push", "--quiet", "origin", "HEAD"]).assert_code(0);
        scene.git(&["-C", &clone, "fetch", "--quiet"]).assert_code(0);
        let came = scene.gate.log();
        assert!(came.iter().all(|scheme| [used, "nothing"].contains(&scheme.as_str())), "{offered}: {came:?}");
        assert!(came.iter().filter(|scheme| *scheme == used).count() >= 5, "{offered}: {came:?}");
    }
    assert_eq!(1, scene.provider.count("POST /token"), "nothing was refused, so nothing was renewed");
}

#[test]
fn p03_a_token_that_the_server_refuses_is_renewed_and_the_grant_lives_on() {
    let Some(scene) = Scene::new("git") else { return };
    for offered in ["Basic", "Basic Bearer"] {
        let url = scene.repository(offered);
        let before = scene.token();
        scene.gate.takes("another");
        let refused = scene.git(&["ls-remote", &url]);
        assert_ne!(Some(0), refused.code, "{refused:#?}");
        let after = scene.token();
        assert_ne!(before, after, "git has erased the first");
        assert!(!refused.stderr.contains(&before) && !refused.stderr.contains(&after));
        scene.gate.takes(&after);
        scene.git(&["ls-remote", &url]).assert_code(0);
    }
    assert_eq!(3, scene.provider.count("POST /token"), "the login, and one refresh for each refusal");
}

#[test]
fn p02_git_gives_nothing_to_the_same_server_by_another_name() {
    let Some(scene) = Scene::new("git") else { return };
    let url = scene.repository("Basic").replace("127.0.0.1", "localhost");
    scene.gate.forget();
    let refused = scene.git(&["ls-remote", &url]);
    assert_ne!(Some(0), refused.code, "{refused:#?}");
    let came = scene.gate.log();
    assert!(!came.is_empty() && came.iter().all(|scheme| scheme == "nothing"), "{came:?}");
}

#[test]
fn p05_kubectl_takes_the_answer_in_both_versions() {
    let Some(scene) = Scene::new("kubectl") else { return };
    let setup = scene.sandbox.run(&["helper", "kubectl", "setup", "work"]);
    let user = &setup.assert_code(0).stdout;
    let cluster = format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: gate, cluster: {{server: \"https://{}\", insecure-skip-tls-verify: true}}}}]\n\
         contexts: [{{name: gate, context: {{cluster: gate, user: work}}}}]\ncurrent-context: gate\n",
        scene.gate.https
    );
    let cluster = scene.write("cluster", &cluster);
    for version in ["v1", "v1beta1"] {
        let file = scene.write(version, &user.replace("k8s.io/v1", &format!("k8s.io/{version}")));
        let mut command = scene.client("kubectl", &["get", "--raw", "/version"]);
        command.env("KUBECONFIG", std::env::join_paths([&cluster, &file]).expect("paths"));
        let run = Finished::new(command.output().expect("kubectl runs"));
        run.assert_code(0).assert_says("v1.32.0");
    }
    scene.sandbox.run(&["logout", "work"]).assert_code(0);
    let mut command = scene.client("kubectl", &["get", "--raw", "/version"]);
    command.env("KUBECONFIG", std::env::join_paths([&cluster, &scene.sandbox.path("v1")]).expect("paths"));
    let run = Finished::new(command.output().expect("kubectl runs"));
    assert_ne!(Some(0), run.code);
    run.assert_says("loopin login work");
}

#[test]
fn p04_docker_reads_a_registry_with_the_token_and_a_logout_keeps_the_grant() {
    let Some(scene) = Scene::new("docker") else { return };
    let setup = scene.sandbox.run(&["helper", "docker", "setup"]);
    scene.write("home/.docker/config.json", &setup.assert_code(0).stdout);
    scene.write("bin/README", "");
    symlink(env!("CARGO_BIN_EXE_loopin"), scene.sandbox.path("bin/docker-credential-loopin")).expect("link");
    let image = format!("{}/a/b:latest", scene.gate.https);
    let inspect = ["manifest", "inspect", "--insecure", &image];
    let docker = |arguments: &[&str]| Finished::new(scene.client("docker", arguments).output().expect("docker runs"));
    docker(&inspect).assert_code(0).assert_says("manifest.v2+json");
    assert!(scene.gate.log().iter().any(|scheme| scheme == "Basic oauth2"), "{:?}", scene.gate.log());
    docker(&["logout", &scene.gate.https]).assert_code(0);
    scene.token();
    scene.sandbox.run(&["logout", "work"]).assert_code(0);
    let refused = docker(&inspect);
    assert_ne!(Some(0), refused.code);
    refused.assert_says("loopin login work");
}

#[test]
fn cargo_reads_a_registry_that_wants_a_token_with_the_configuration_of_the_readme() {
    let Some(scene) = Scene::new("cargo") else { return };
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("README.md");
    let shown =
        readme.split("```toml cargo\n").nth(1).and_then(|rest| rest.split("```").next()).expect("cargo's lines");
    let configuration = shown.replace("https://registry.example.com", &format!("http://{}", scene.gate.http));
    assert_ne!(shown, configuration);
    scene.write("project/.cargo/config.toml", &configuration);
    scene.write("project/src/lib.rs", "");
    scene.write(
        "project/Cargo.toml",
        "[package]\nname = \"project\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[dependencies]\ndemo = { version = \"1\", registry = \"work\" }\n",
    );
    let cargo = PathBuf::from(env!("CARGO"));
    let lock = || {
        let mut command = scene.client(&cargo, &["generate-lockfile"]);
        command.env("CARGO_HOME", scene.sandbox.path("cargo")).env("RUSTC", cargo.with_file_name("rustc"));
        Finished::new(command.current_dir(scene.sandbox.path("project")).output().expect("cargo runs"))
    };
    lock().assert_code(0);
    let locked = std::fs::read_to_string(scene.sandbox.path("project/Cargo.lock")).expect("Cargo.lock");
    assert!(locked.contains("name = \"demo\""), "{locked}");
    assert!(scene.gate.log().iter().any(|scheme| scheme == "Bare"));
    scene.sandbox.run(&["logout", "work"]).assert_code(0);
    std::fs::remove_dir_all(scene.sandbox.path("cargo")).expect("removed");
    std::fs::remove_file(scene.sandbox.path("project/Cargo.lock")).expect("removed");
    let refused = lock();
    assert_ne!(Some(0), refused.code);
    refused.assert_says("loopin login work");
}

#[test]
fn p06_the_file_that_aws_is_given_is_the_id_token_alone() {
    let Some(provider) = Provider::start() else { return };
    let sandbox = Sandbox::new();
    sandbox.configure(&format!("{}{IN_FILES}", provider.discovered_with("openid")));
    sandbox.login(Browser::person(), &[]).assert_code(0);
    let file = sandbox.path("work.jwt");
    sandbox.run(&["token", "work", "--id-token", "--write", file.to_str().expect("path")]).assert_code(0);
    let written = std::fs::read_to_string(&file).expect("file");
    assert_eq!(3, written.split('.').count(), "{written}");
    assert!(!written.contains(char::is_whitespace), "{written:?}");
    assert_eq!(format!("{written}\n"), sandbox.run(&["token", "work", "--id-token"]).stdout);
}
