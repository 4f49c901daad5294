//! Opening, and what is left when that fails.

use tacho_engine::{Config, Engine, OpenError, SystemClock};
use tempfile::TempDir;

#[test]
fn a_read_side_that_cannot_be_opened_leaves_the_log_closed() {
    let folder = TempDir::new().unwrap();
    let view = folder.path().join("view");
    for _ in 0..20 {
        std::fs::write(&view, "a file in the place of the folder").unwrap();
        let failed = Engine::open(Config::new(folder.path()), SystemClock);
        assert!(matches!(failed, Err(OpenError::View(_))));
        std::fs::remove_file(&view).unwrap();
        let engine = Engine::open(Config::new(folder.path()), SystemClock).unwrap();
        assert!(engine.recovery().clean);
        engine.close().unwrap();
        std::fs::remove_dir_all(&view).unwrap();
    }
}
