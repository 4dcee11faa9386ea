//! The `replyd` command.

use std::process::ExitCode;

/// Rows and texts are freed by another thread than the one that made them, at which this allocator is
/// better than the system's: see `docs/performance.md`.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    replyd::cli::main()
}
