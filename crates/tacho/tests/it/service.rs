//! With a `systemctl` that only writes down what it is asked: no test may touch the user's own manager.

use crate::place::Place;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn with_systemctl(script: &str) -> Place {
    let place = Place::new();
    let asked = place.path("asked");
    let path =
        place.write("bin/systemctl", &format!("#!/bin/sh\necho \"$*\" >> '{}'\n{script}\n", asked.display()));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    place
}

#[test]
#[cfg(target_os = "linux")]
fn a_service_is_installed_reported_and_removed() {
    let place = with_systemctl("case $2 in is-enabled) echo enabled;; is-active) echo active;; esac");
    let unit = place.path("home/.config/systemd/user/tacho.service");
    let installed = place.run(&["service", "install"]).ok();
    let text = fs::read_to_string(&unit).unwrap();
    assert!(text.contains(&format!("up --data {}", place.path("data").display())), "{text}");
    assert!(installed.stdout.contains(unit.to_str().unwrap()), "{}", installed.stdout);
    let asked = fs::read_to_string(place.path("asked")).unwrap();
    assert!(
        asked
            .starts_with("--user daemon-reload\n--user enable tacho.service\n--user restart tacho.service\n")
    );
    let status = place.run(&["service", "status"]).ok();
    assert!(status.stdout.contains("running    yes"), "{}", status.stdout);
    place.run(&["service", "install"]).ok();
    place.run(&["service", "remove"]).ok();
    assert!(!unit.exists());
    assert!(
        fs::read_to_string(place.path("asked")).unwrap().contains("--user disable --now tacho.service\n")
    );
}

#[test]
#[cfg(target_os = "linux")]
fn without_systemd_the_unit_is_written_and_the_commands_are_named() {
    let place = Place::new();
    let answer = place.run(&["service", "install"]);
    assert_eq!(answer.code, Some(1), "it was not started");
    assert!(place.path("home/.config/systemd/user/tacho.service").exists());
    let said = answer.stderr;
    assert!(
        said.contains(
            "tacho.service is written, but the service was not started: `systemctl` is not installed here"
        ),
        "{said}"
    );
    assert!(
        said.contains("systemctl --user daemon-reload && systemctl --user enable tacho.service"),
        "{said}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_unit_of_somebody_elses_is_left_alone() {
    let place = with_systemctl("");
    let unit = place.write("home/.config/systemd/user/tacho.service", "[Service]\nExecStart=/mine\n");
    for arguments in [["service", "install"], ["service", "remove"]] {
        let refused = place.run(&arguments);
        assert_eq!(refused.code, Some(1));
        assert!(refused.stderr.contains("was not written by tacho"), "{}", refused.stderr);
    }
    assert_eq!(fs::read_to_string(&unit).unwrap(), "[Service]\nExecStart=/mine\n");
    assert!(!place.path("asked").exists());
}
