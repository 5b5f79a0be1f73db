//! What is generated is committed and compared. `LOOPIN_BLESS=1 cargo test` rewrites it.

use std::path::Path;

use crate::harness::Sandbox;

const SHELLS: [(&str, &str); 5] = [
    ("bash", "loopin.bash"),
    ("elvish", "loopin.elv"),
    ("fish", "loopin.fish"),
    ("powershell", "_loopin.ps1"),
    ("zsh", "_loopin"),
];

#[test]
fn the_committed_completions_are_what_the_program_prints() {
    let sandbox = Sandbox::new();
    for (shell, file) in SHELLS {
        let printed = sandbox.run(&["completions", shell]);
        printed.assert_code(0);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file);
        if std::env::var_os("LOOPIN_BLESS").is_some() {
            std::fs::write(&path, &printed.stdout).expect("completions");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == printed.stdout,
            "{} is out of date: LOOPIN_BLESS=1 cargo test --test it completions",
            path.display()
        );
    }
}
