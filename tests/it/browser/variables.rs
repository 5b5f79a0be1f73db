//! What BROWSER and LOOPIN_BROWSER may hold. T12.

use crate::harness::{Finished, Login, Provider, Sandbox};

#[test]
fn t12_the_whole_value_may_be_the_path_of_a_program() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    for (variable, name) in
        [("BROWSER", "my browser"), ("BROWSER", "it's"), ("BROWSER", "a:b"), ("LOOPIN_BROWSER", "it's")]
    {
        let pipe = sandbox.pipe(&format!("opened {variable} {name}").replace(['\'', ':'], "_"));
        let path = sandbox.program(name, &format!("printf %s \"$1\" > '{}'", pipe.path())).join(name);
        let mut command = sandbox.loopin(&["login", "work"]);
        command.env(variable, &path);
        let login = Login::start(command);
        assert_eq!(login.url, pipe.read(), "{variable} {name}");
    }
}

#[test]
fn t12_an_empty_item_of_the_list_is_passed_over() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    for list in ["::BROWSER:", "'unclosed:BROWSER"] {
        let pipe = sandbox.pipe(&format!("opened{}", list.len()));
        let browser = sandbox.script("browser", &format!("printf %s \"$1\" > '{}'", pipe.path()));
        let mut command = sandbox.loopin(&["login", "work"]);
        command.env("BROWSER", list.replace("BROWSER", &browser));
        let login = Login::start(command);
        assert_eq!(login.url, pipe.read(), "{list}");
    }
}

#[test]
fn t12_a_variable_that_cannot_be_read_is_said_and_ends_no_login() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    for (variable, value) in
        [("BROWSER", "x 'unclosed"), ("BROWSER", "::"), ("BROWSER", "  "), ("LOOPIN_BROWSER", "\"")]
    {
        let with = |arguments: &[&str]| {
            let mut command = sandbox.loopin(arguments);
            command.env(variable, value).env("DISPLAY", ":99");
            command
        };
        let login = Login::start(with(&["login", "work"]));
        login.person().allow();
        let finished = login.finished();
        finished
            .assert_code(0)
            .assert_says(&format!("{variable} has no command in it"))
            .assert_says("open the URL above");
        let insisting = Finished::new(with(&["login", "work", "--how", "browser"]).output().expect("loopin"));
        insisting.assert_code(7).assert_says(variable);
    }
    sandbox.run(&["login", "work", "--browser", "x 'unclosed"]).assert_code(2).assert_says("--browser");
}
