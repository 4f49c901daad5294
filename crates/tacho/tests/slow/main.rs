//! Tests against the real programs that Tachograph records, and one that reads its traces. They are installed and
//! take minutes, so they run when `TACHO_SLOW=1` asks for them.

mod claude;
mod kill;
mod phoenix;
mod server;

/// Whether slow tests were asked for; says so when not.
fn wanted(test: &str) -> bool {
    let wanted = std::env::var_os("TACHO_SLOW").is_some_and(|value| value == "1");
    if !wanted {
        println!("{test}: not run; set TACHO_SLOW=1 to run it");
    }
    wanted
}
