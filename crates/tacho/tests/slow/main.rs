//! Tests that take minutes: against the real programs that Tachograph records, and of what shows only under load.
//! They run when `TACHO_SLOW=1` asks for them.

mod agent;
mod claude;
mod idle;
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
