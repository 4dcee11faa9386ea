//! The `replyd` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    replyd::cli::main()
}
