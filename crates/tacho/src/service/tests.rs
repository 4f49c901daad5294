use super::*;
use expect_test::expect;

fn service() -> Service {
    Service {
        binary_path: "/opt/tacho/bin/tacho".into(),
        data_dir: "/home/me/100% \"mine\" & <$HOME>\\x".into(),
        listen: Some("127.0.0.1:3010".into()),
        config_file: Some("/home/me/tacho.toml".into()),
    }
}

#[test]
fn the_unit_of_systemd() {
    expect![[r#"
        # Written by `tacho service install`; `tacho service remove` takes it away.
        [Unit]
        Description=Tachograph, the flight recorder for AI agents
        StartLimitIntervalSec=60
        StartLimitBurst=5

        [Service]
        ExecStart=/opt/tacho/bin/tacho up --data "/home/me/100%% \"mine\" & <$$HOME>\\x" --listen 127.0.0.1:3010 --config /home/me/tacho.toml
        Restart=on-failure
        RestartSec=1

        [Install]
        WantedBy=default.target
    "#]]
    .assert_eq(&systemd::unit(&service()).unwrap());
}

#[test]
fn the_property_list_of_launchd() {
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
        <!-- Written by `tacho service install`; `tacho service remove` takes it away. -->
        <plist version="1.0">
        <dict>
            <key>Label</key>
            <string>dev.tachograph.tacho</string>
            <key>ProgramArguments</key>
            <array>
                <string>/opt/tacho/bin/tacho</string>
                <string>up</string>
                <string>--data</string>
                <string>/home/me/100% "mine" &amp; &lt;$HOME&gt;\x</string>
                <string>--listen</string>
                <string>127.0.0.1:3010</string>
                <string>--config</string>
                <string>/home/me/tacho.toml</string>
            </array>
            <key>RunAtLoad</key>
            <true/>
            <key>KeepAlive</key>
            <dict>
                <key>SuccessfulExit</key>
                <false/>
            </dict>
            <key>StandardErrorPath</key>
            <string>/Users/me/Library/Logs/tacho.log</string>
        </dict>
        </plist>
    "#]]
    .assert_eq(&launchd::property_list(&service(), Path::new("/Users/me")).unwrap());
}

#[test]
fn a_path_that_would_break_the_line_is_refused() {
    let service = Service { data_dir: "/a\nExecStartPost=/bin/evil".into(), ..service() };
    assert!(matches!(systemd::unit(&service), Err(Error::Path { .. })));
    assert!(matches!(launchd::property_list(&service, Path::new("/")), Err(Error::Path { .. })));
}
